import * as pulumi from "@pulumi/pulumi";

import type { Deletion, RegistryArgs, TagConflict, VerifyArgs } from "../args";

/** What an `ImageCopy` is made of. */
export interface ImageCopyArgs {
    /**
     * What is copied, with its digest: `registry/name@sha256:...`, for example the output `ref` of a `MultiArchImage`.
     * A tag in its place is looked up at every `up` that changes something, and by `refresh`: when it has moved, the next
     * `up` copies what it points to then. What the copy will be is not known in a preview in that case.
     */
    source: pulumi.Input<string>;

    /**
     * Where it is copied to, without a tag: another repository, of the same registry or another one. A change replaces
     * the resource; what was copied stays.
     * @replaces
     */
    repository: pulumi.Input<string>;

    /** The tags that point to the copy once it is complete. Defaults to `latest`. */
    tags?: pulumi.Input<pulumi.Input<string>[]>;

    /** What happens when a tag points to something this stack did not put there. Defaults to `overwrite`. */
    onTagConflict?: pulumi.Input<TagConflict>;

    /** What happens to tags that are no longer wanted. Defaults to `retain`. */
    deletion?: pulumi.Input<Deletion>;

    /**
     * What the signature of the source has to be: one that does not fit, or is missing, stops everything before anything
     * is copied. All signatures of the source are copied along. Defaults to no check, and copies none.
     */
    verify?: pulumi.Input<VerifyArgs>;

    /** Accounts for both registries. Defaults to what the docker configuration of the machine has. */
    registries?: pulumi.Input<pulumi.Input<RegistryArgs>[]>;
}

/**
 * A copy of an index or image in another repository, byte for byte, so with the same digest: nothing is built. It comes
 * with the images of all platforms and the attestations that the index lists. What else refers to it stays
 * behind, except for signatures where `verify` asks for one. Contents travel through this machine only between registries.
 *
 * The tags move once everything is there. Later the source is not needed any more. Destroying the copy takes it out of
 * the stack and leaves it in the registry, and the tags too unless `deletion` says otherwise.
 */
export class ImageCopy extends pulumi.CustomResource {
    /** The digest of the copy, which is that of the source. */
    declare public readonly digest: pulumi.Output<string>;

    /** The copy by digest, `repository@sha256:...`. */
    declare public readonly ref: pulumi.Output<string>;

    /** The copy by each of its tags, in order. */
    declare public readonly tagRefs: pulumi.Output<string[]>;

    /** What each tag points to, by tag, as last seen in the registry. */
    declare public readonly tagDigests: pulumi.Output<Record<string, string>>;

    /** The image of each platform, by platform. */
    declare public readonly platformDigests: pulumi.Output<Record<string, string>>;

    /** What the source points to, as last seen. */
    declare public readonly sourceDigest: pulumi.Output<string>;

    /** The digest of the signature that fits `verify`. Missing without it. */
    declare public readonly signature: pulumi.Output<string | undefined>;

    constructor(name: string, args: ImageCopyArgs, opts?: pulumi.CustomResourceOptions) {
        const outputs = {
            digest: undefined,
            ref: undefined,
            tagRefs: undefined,
            tagDigests: undefined,
            platformDigests: undefined,
            sourceDigest: undefined,
            signature: undefined,
        };
        super("multiarch:index:ImageCopy", name, { ...args, ...outputs }, opts);
    }
}
