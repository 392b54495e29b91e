import * as pulumi from "@pulumi/pulumi";

import type {
    AttestationsArgs,
    BaseImages,
    BuildContextArgs,
    BuildReport,
    DockerfileArgs,
    Emulation,
    InvalidationArgs,
    RegistryArgs,
    TlsArgs,
} from "../args";
import type { DockerBuilderArgs, Ec2InstanceArgs } from "../builderArgs";
import type { BuildOptionsArgs } from "../buildOptions";
import type { CacheArgs } from "../cacheArgs";
import type { ExportArgs } from "../exportArgs";

/** What a `PlatformImage` is made of. */
export interface PlatformImageArgs extends BuildOptionsArgs {
    /**
     * The platform, for example `linux/arm64`. A change replaces the resource; what was pushed stays.
     * @replaces
     */
    platform: pulumi.Input<string>;

    /**
     * Where the image is pushed, without a tag. A change replaces the resource; what was pushed stays.
     * @replaces
     */
    repository: pulumi.Input<string>;

    /** The builders. Those of this platform build; those of `siblings` are checked before anything is built. */
    nodes: pulumi.Input<pulumi.Input<NodeArgs>[]>;

    /** All platforms of the same index. Defaults to none but this one. */
    siblings?: pulumi.Input<pulumi.Input<string>[]>;

    /** The files a build can use. Defaults to the folder of the program. */
    context?: pulumi.Input<BuildContextArgs>;

    /** The Dockerfile. Defaults to the file `Dockerfile` in the context. */
    dockerfile?: pulumi.Input<DockerfileArgs>;

    /** The stage of the Dockerfile to build. Defaults to its last stage. */
    target?: pulumi.Input<string>;

    /** Values for the `ARG` lines of the Dockerfile. Defaults to none. */
    buildArgs?: pulumi.Input<Record<string, pulumi.Input<string>>>;

    /**
     * Values for `RUN --mount=type=secret,id=...`, by id. Defaults to none.
     * @secret
     */
    secrets?: pulumi.Input<Record<string, pulumi.Input<string>>>;

    /** Notes on the manifest of the image. Defaults to none. A change builds again. */
    annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;

    /**
     * Files that the program writes of the image. They are only checked: none may be part of a context, where it would
     * change the image that it is made from. Defaults to none.
     */
    exports?: pulumi.Input<pulumi.Input<ExportArgs>[]>;

    /** Accounts for registries. Defaults to what the docker configuration of the machine has. */
    registries?: pulumi.Input<pulumi.Input<RegistryArgs>[]>;

    /** Where build steps are cached beyond the builder's own disk. Defaults to no such cache. */
    cache?: pulumi.Input<CacheArgs>;

    /** What counts as a change of the image, beyond its content. Defaults to build arguments, and not secrets. */
    invalidation?: pulumi.Input<InvalidationArgs>;

    /** Stands for the files of all contexts in place of their hash. Defaults to the hash of what a builder would be sent. */
    ownContentHash?: pulumi.Input<string>;

    /** Whether a new base image builds again. Defaults to `ignore`. */
    baseImages?: pulumi.Input<BaseImages>;

    /** True looks for newer base images in every build, and tracks them. Defaults to false. */
    pull?: pulumi.Input<boolean>;

    /** True tags the image by its content, and takes one that is there already in place of a build. Defaults to false. */
    contentTags?: pulumi.Input<boolean>;

    /** Statements about the image that are kept beside it: how it was built, and what is in it. Defaults to none. */
    attestations?: pulumi.Input<AttestationsArgs>;

    /** What happens when a builder only emulates the platform. Defaults to `never`, which refuses it. */
    emulation?: pulumi.Input<Emulation>;

    /**
     * How long the platform may build and push, in seconds. Defaults to one hour.
     * @integer
     */
    timeoutSeconds?: pulumi.Input<number>;

    /**
     * How often it is tried again after a transient fault. Defaults to two more tries.
     * @integer
     */
    retries?: pulumi.Input<number>;
}

/** One builder of one platform: exactly one of `address`, `docker`, `named` and `ec2`. */
export interface NodeArgs {
    /** The platform it builds, which it must run natively unless `emulation` allows otherwise. */
    platform: pulumi.Input<string>;

    /** Where a BuildKit daemon listens, as for an endpoint. */
    address?: pulumi.Input<string>;

    /** What proves both sides to each other. Required for `tcp://`, unless `insecure` is written out. */
    tls?: pulumi.Input<TlsArgs>;

    /** The name in the builder's certificate. Defaults to the host of the address. */
    serverName?: pulumi.Input<string>;

    /** True speaks to a `tcp://` address without TLS: whoever reaches it owns the builder. Defaults to false. */
    insecure?: pulumi.Input<boolean>;

    /** A Docker daemon that runs BuildKit in a container. Its `platforms` and `maxParallelism` mean nothing here. */
    docker?: pulumi.Input<DockerBuilderArgs>;

    /** The name of a builder of the user's own buildx. */
    named?: pulumi.Input<string>;

    /** An EC2 instance that runs BuildKit, in place of an address. A build starts it when it is stopped. */
    ec2?: pulumi.Input<Ec2InstanceArgs>;

    /**
     * How many builds run on it at once. Defaults to 4.
     * @integer
     */
    maxParallelism?: pulumi.Input<number>;

    /** The place in the program, used in errors, for example `builders.endpoints[1]`. Defaults to its place in `nodes`. */
    property?: pulumi.Input<string>;
}

/** A manifest in the registry. */
export interface ManifestDescriptor {
    /** What kind of manifest it is. */
    mediaType: string;

    /** The digest of its bytes. */
    digest: string;

    /**
     * The number of its bytes.
     * @integer
     */
    size: number;

    /** What the image runs on. Attestations run on nothing: theirs is `unknown`. */
    platform: ManifestPlatform;

    /** What an index says about it. Attestations name the image here that they are about. Defaults to nothing. */
    annotations?: Record<string, string>;
}

/** What an image runs on, as its own configuration says. */
export interface ManifestPlatform {
    /** The operating system, for example `linux`. */
    os: string;

    /** The architecture, for example `arm64`. */
    architecture: string;

    /** The variant of the architecture, for example `v7`. */
    variant?: string;

    /** The version of the operating system. Windows images carry one. */
    osVersion?: string;
}

/**
 * The image of one platform: built on a builder of that platform and pushed by digest, without a tag. Destroying it
 * takes it out of the stack and leaves it in the registry, where an index may need it.
 */
export class PlatformImage extends pulumi.CustomResource {
    /** The digest of what was pushed. */
    declare public readonly digest: pulumi.Output<string>;

    /** The image by digest, `repository@sha256:...`. */
    declare public readonly ref: pulumi.Output<string>;

    /** The platform it was built for. */
    declare public readonly platform: pulumi.Output<string>;

    /** What an index lists for this platform: the image first, and then its attestations. */
    declare public readonly manifests: pulumi.Output<ManifestDescriptor[]>;

    /** Stands for everything that can change the image. Equal on every machine for equal content. */
    declare public readonly contentHash: pulumi.Output<string>;

    /** How it was built the last time it was. */
    declare public readonly build: pulumi.Output<BuildReport>;

    constructor(name: string, args: PlatformImageArgs, opts?: pulumi.CustomResourceOptions) {
        const outputs = {
            digest: undefined,
            ref: undefined,
            manifests: undefined,
            contentHash: undefined,
            build: undefined,
        };
        super("multiarch:index:PlatformImage", name, { ...args, ...outputs }, opts);
    }
}
