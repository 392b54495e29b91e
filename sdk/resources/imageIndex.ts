import * as pulumi from "@pulumi/pulumi";

import type { Deletion, RegistryArgs, SignArgs, TagConflict, VerifyArgs } from "../args";
import type { ManifestDescriptor } from "./platformImage";

/** What an `ImageIndex` is made of. */
export interface ImageIndexArgs {
    /**
     * Where the index is pushed, without a tag. A change replaces the resource; what was pushed stays.
     * @replaces
     */
    repository: pulumi.Input<string>;

    /** The images it lists, one for each platform, in order. They are in the same repository. */
    images: pulumi.Input<pulumi.Input<IndexedImageArgs>[]>;

    /** Notes on the index. Defaults to none. */
    annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;

    /** The tags that point to it once it is complete. Defaults to `latest`. A tag taken off stays in the registry. */
    tags?: pulumi.Input<pulumi.Input<string>[]>;

    /** What happens when a tag points to something this stack did not put there. Defaults to `overwrite`. */
    onTagConflict?: pulumi.Input<TagConflict>;

    /** What happens to tags that are no longer wanted. Defaults to `retain`. */
    deletion?: pulumi.Input<Deletion>;

    /** Signs the index before any tag points to it. Defaults to no signature. */
    sign?: pulumi.Input<SignArgs>;

    /** What the signature has to be. Defaults to one by the key in `sign`. Required with `sign.keyless`. */
    verify?: pulumi.Input<VerifyArgs>;

    /** Accounts for registries. Defaults to what the docker configuration of the machine has. */
    registries?: pulumi.Input<pulumi.Input<RegistryArgs>[]>;
}

/** The image of one platform, as an index lists it. */
export interface IndexedImageArgs {
    /** The platform, for example `linux/arm64`. */
    platform: pulumi.Input<string>;

    /** The digest of what was pushed for it. */
    digest: pulumi.Input<string>;

    /** What the index lists for it. Defaults to what the registry has under the digest. */
    manifests?: pulumi.Input<ManifestDescriptor[]>;

    /** Notes on its entry in the index. Defaults to none. */
    annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * The index that joins the images of all platforms under one digest. It checks each of them in the registry, then pushes
 * the index by digest, then moves the tags: a tag never points at less than everything. Destroying it takes it out of
 * the stack and leaves the index in the registry, and the tags too unless `deletion` says otherwise.
 */
export class ImageIndex extends pulumi.CustomResource {
    /** The digest of the index. */
    declare public readonly digest: pulumi.Output<string>;

    /** The index by digest, `repository@sha256:...`. */
    declare public readonly ref: pulumi.Output<string>;

    /** The index by each of its tags, in order. */
    declare public readonly tagRefs: pulumi.Output<string[]>;

    /** What each tag points to, by tag, as last seen in the registry. */
    declare public readonly tagDigests: pulumi.Output<Record<string, string>>;

    /** What was pushed for each platform, by platform. */
    declare public readonly platformDigests: pulumi.Output<Record<string, string>>;

    /** The plain image manifest of each platform, by platform. */
    declare public readonly manifestDigests: pulumi.Output<Record<string, string>>;

    /** The manifests that hold the attestations of each platform, by platform. */
    declare public readonly attestationDigests: pulumi.Output<Record<string, string[]>>;

    /** The digest of the signature. Missing without `sign`. */
    declare public readonly signature: pulumi.Output<string | undefined>;

    /** The public half of the key in `sign`, as PEM text. Missing without one. */
    declare public readonly publicKey: pulumi.Output<string | undefined>;

    constructor(name: string, args: ImageIndexArgs, opts?: pulumi.CustomResourceOptions) {
        const outputs = {
            digest: undefined,
            ref: undefined,
            tagRefs: undefined,
            tagDigests: undefined,
            platformDigests: undefined,
            manifestDigests: undefined,
            attestationDigests: undefined,
            signature: undefined,
            publicKey: undefined,
        };
        super("multiarch:index:ImageIndex", name, { ...args, ...outputs }, opts);
    }
}
