import type { Input, Output } from "@pulumi/pulumi";

import type { DockerBuilderArgs, NamedBuilderArgs } from "./builderArgs";
import type { AnnotationsArgs, BuildOptionsArgs, PlatformOverrideArgs } from "./buildOptions";
import type { CacheArgs } from "./cacheArgs";
import type { Ec2BuildersArgs } from "./ec2FleetArgs";
import type { ExportArgs, ExportedFile } from "./exportArgs";
import type { NodeArgs } from "./resources/platformImage";

/**
 * What a `MultiArchImage` is made of. Inputs that `docker_build.Image` has too carry its names and shapes, so that a
 * program moves over by changing the class.
 */
export interface MultiArchImageArgs extends BuildOptionsArgs {
    /**
     * The platforms the image is built for, as `os/architecture` with an optional variant, for example `linux/amd64`,
     * `linux/arm64` or `linux/arm/v7`. Each one is built on a builder of its own, all at once.
     * @plain
     */
    platforms: string[];

    /**
     * Where the image is pushed: registry and name without a tag, for example `registry.example.com/team/app`.
     * A change replaces the images; what was pushed to the old place stays there.
     */
    repository: Input<string>;

    /**
     * The tags that point to the index once it is complete. Defaults to `latest`. Changing the tags never builds
     * anything, and a tag taken off this list stays in the registry.
     */
    tags?: Input<Input<string>[]>;

    /**
     * More repositories for the same index, byte for byte and under the same tags, in this registry or in others. They
     * get it once it is complete in `repository`. Defaults to none. Their number decides which children there are, so
     * the list itself cannot be an output of another resource; each of its items can.
     * @plain
     */
    additionalRepositories?: Input<string>[];

    /**
     * Files that the image is written to once the index is complete: OCI or docker archives, or the files in it. Missing
     * ones are written again by the next `up`, without a build. Defaults to none. Their number decides which children
     * there are, so the list itself cannot be an output of another resource; what is in it can.
     * @plain
     */
    exports?: ExportArgs[];

    /** The files a build can use. Defaults to the folder of the program. */
    context?: Input<BuildContextArgs>;

    /** The Dockerfile. Defaults to the file `Dockerfile` in the context. */
    dockerfile?: Input<DockerfileArgs>;

    /** The stage of the Dockerfile to build. Defaults to its last stage. */
    target?: Input<string>;

    /**
     * Values for the `ARG` lines of the Dockerfile. Defaults to none. They are kept in the history of the image, so
     * they are no place for secrets: use `secrets`. A secret one that the image shows is named in a warning.
     */
    buildArgs?: Input<Record<string, Input<string>>>;

    /**
     * Values for `RUN --mount=type=secret,id=...`, by id. Defaults to none. They reach the builder's memory and nothing
     * else. A changed secret does not build the image again.
     * @secret
     */
    secrets?: Input<Record<string, Input<string>>>;

    /**
     * False builds all platforms, and fills the cache, but pushes nothing: a check that they build. There is no index
     * then, no tag moves, and outputs that name what was pushed are empty. Defaults to true.
     * @plain
     */
    push?: boolean;

    /** Notes on the index, on the manifest of each image, and on the entries of the index. Defaults to none. */
    annotations?: Input<AnnotationsArgs>;

    /** What single platforms have that the others have not, by platform as in `platforms`. Defaults to nothing. */
    platformOverrides?: Input<Record<string, Input<PlatformOverrideArgs>>>;

    /**
     * Accounts for registries, to pull base images and to push. Defaults to what the docker configuration of the
     * machine has, credential helpers included. A changed account does not build the image again.
     */
    registries?: Input<Input<RegistryArgs>[]>;

    /**
     * Where build steps are cached beyond the builder's own disk. Defaults to no such cache. One declaration serves all
     * platforms: each gets a scope of its own, so none overwrites another's.
     */
    cache?: Input<CacheArgs>;

    /** What counts as a change of the image, beyond its content. Defaults to build arguments, and not secrets. */
    invalidation?: Input<InvalidationArgs>;

    /**
     * Stands for the files of all contexts in place of their hash, for example a commit. Defaults to the hash of what a
     * builder would be sent. Who gives it says when to build: a changed file alone does not.
     */
    contentHash?: Input<string>;

    /**
     * Whether a new base image builds again: `track` looks up the digests of all base images at every preview and up,
     * `ignore` builds only when the content changes. Defaults to `ignore`.
     */
    baseImages?: Input<BaseImages>;

    /** True looks for newer base images in every build, and tracks them as `baseImages: track` does. Defaults to false. */
    pull?: Input<boolean>;

    /**
     * True tags each platform's image by its content (`content-<hash>-linux-arm64`), and takes an image that is there
     * already in place of a build. Another stack, or one whose state was lost, then builds nothing. Defaults to false.
     */
    contentTags?: Input<boolean>;

    /**
     * What happens when a tag points to something that this stack did not put there: `overwrite` moves it, `fail` stops
     * before any tag is moved. Defaults to `overwrite`.
     */
    onTagConflict?: Input<TagConflict>;

    /**
     * What happens to the tags when they are taken off `tags`, or the stack is destroyed: `retain` leaves them, `untag`
     * removes those that still point to this index. No manifest is ever deleted. Defaults to `retain`.
     */
    deletion?: Input<Deletion>;

    /**
     * Statements about the image that are kept beside it in the index: how it was built, and what is in it. Defaults to
     * none, because an image with them is an index of its own, which some consumers refuse. A change builds again.
     */
    attestations?: Input<AttestationsArgs>;

    /**
     * Signs the index before any tag points to it, so that cosign and policy controllers can check it. Defaults to no
     * signature. A change signs again, and builds nothing.
     */
    sign?: Input<SignArgs>;

    /**
     * What the signature has to be: it is read back and checked before any tag moves. Defaults to one by the key in
     * `sign`. Required with `sign.keyless`.
     */
    verify?: Input<VerifyArgs>;

    /** What builds. Every platform needs at least one builder that runs it natively. */
    builders: Input<BuildersArgs>;

    /**
     * What runs the builds: `buildx`, the command line tool, or `docker-build`, Pulumi's provider of that name, with one
     * `docker_build.Image` for each platform. Both make the same images; see docs/docker-build.md for what the second
     * one cannot do. Defaults to `buildx`.
     * @plain
     */
    engine?: Engine;

    /**
     * What happens when a builder runs a platform only by emulation: `never` refuses it, `allow` accepts builds that
     * can take many times as long. Defaults to `never`.
     */
    emulation?: Input<Emulation>;

    /**
     * How long one platform may build and push, in seconds. Defaults to one hour.
     * @integer
     */
    timeoutSeconds?: Input<number>;

    /**
     * How often a platform is tried again after a lost connection, a restarted builder, or a registry that answers
     * 429 or 5xx. Defaults to two more tries. A failing step is never tried again.
     * @integer
     */
    retries?: Input<number>;

    /**
     * How many builds run at once on each builder that does not say it itself, those of other runners included. Others
     * wait in line. Defaults to 4.
     * @integer
     */
    maxParallelism?: Input<number>;
}

/** The files a build can use. */
export interface BuildContextArgs {
    /**
     * A folder, relative to the folder of the program, or the address of a git repository (`https://host/x.git#ref:dir`)
     * or of a tarball. What an ignore file excludes is not sent, and does not count as a change.
     */
    location: Input<string>;

    /**
     * More contexts, by the name that `FROM` and `COPY --from` use for them. Defaults to none.
     */
    named?: Input<Record<string, Input<NamedContextArgs>>>;
}

/** One more context, beside the main one. */
export interface NamedContextArgs {
    /** A folder, git repository or tarball as in the main context, or `docker-image://` or `oci-layout://`. */
    location: Input<string>;
}

/** The Dockerfile: a file or a text, not both. */
export interface DockerfileArgs {
    /** The path of the file, relative to the folder of the program. Defaults to `Dockerfile` in the context. */
    location?: Input<string>;

    /** The text itself. Defaults to the file. */
    inline?: Input<string>;
}

/** An account for one registry. */
export interface RegistryArgs {
    /** The registry, for example `ghcr.io` or `registry.example.com:5000`. */
    address: Input<string>;

    /** The name of the account. Defaults to none. */
    username?: Input<string>;

    /**
     * The password or token of the account. Defaults to none. Always kept as a secret.
     * @secret
     */
    password?: Input<string>;
}

/**
 * What builds: at least one builder for each platform, of one kind or of several. Builders of the same platform are tried
 * in order: those of `endpoints`, of `docker`, of `named`, of `nodes`.
 */
export interface BuildersArgs {
    /** BuildKit daemons that run already. Several may serve the same platform. Defaults to none. */
    endpoints?: Input<Input<EndpointArgs>[]>;

    /** Docker daemons that run BuildKit in a container. Defaults to none. */
    docker?: Input<Input<DockerBuilderArgs>[]>;

    /** Builders of the user's own buildx, such as cloud builders. Defaults to none. */
    named?: Input<Input<NamedBuilderArgs>[]>;

    /**
     * Builders on EC2 that the image brings along: an `Ec2BuilderFleet` named `<name>-builders`, for those of the image's
     * platforms that no other builder names. It decides which children there are, so it cannot be an output of another
     * resource; what is in it can. Several images share a fleet of its own by `nodes`. Defaults to none.
     * @plain
     */
    ec2?: Ec2BuildersArgs;

    /** Builders that something else describes, such as those of an `Ec2BuilderFleet`. Defaults to none. */
    nodes?: Input<Input<NodeArgs>[]>;
}

/** A BuildKit daemon that runs already. */
export interface EndpointArgs {
    /** The platform it builds, which it must run natively. */
    platform: Input<string>;

    /**
     * Where it listens: `tcp://host:port`, `unix:///path`, `ssh://user@host`, `kube-pod://pod?namespace=x` or
     * `docker-container://name`.
     */
    address: Input<string>;

    /** What proves both sides to each other. Required for `tcp://`, unless `insecure` is written out. */
    tls?: Input<TlsArgs>;

    /** The name in the builder's certificate. Defaults to the host of the address. */
    serverName?: Input<string>;

    /** True speaks to a `tcp://` address without TLS: whoever reaches it owns the builder. Defaults to false. */
    insecure?: Input<boolean>;

    /**
     * How many builds run on it at once, those of other runners included. Others wait in line, or go to another endpoint
     * of the platform. Defaults to the image's `maxParallelism`, else to 4. Several endpoints of a platform get images in
     * proportion to it.
     * @integer
     */
    maxParallelism?: Input<number>;
}

/** Certificates and key for mutual TLS, each as PEM text. */
export interface TlsArgs {
    /** The CA that signed the builder's certificate. */
    ca: Input<string>;

    /** The certificate this side shows. */
    cert: Input<string>;

    /**
     * The private key of that certificate. Always kept as a secret.
     * @secret
     */
    key: Input<string>;
}

/** What counts as a change of an image, beyond its content. */
export interface InvalidationArgs {
    /** True builds again when a secret changes. Defaults to false. */
    secrets?: Input<boolean>;

    /** Build arguments whose change builds nothing, by name, for example a commit or a date. Defaults to none. */
    ignoreBuildArgs?: Input<Input<string>[]>;

    /** Any text whose change builds again, for example a week number. Defaults to nothing. */
    extra?: Input<string>;
}

/** Statements about an image: its builder makes them, and they are pushed with it. */
export interface AttestationsArgs {
    /**
     * How the image was built, as SLSA provenance: `min` has its sources and base images, `max` also the Dockerfile, all
     * steps and the values of build arguments, `none` makes none. Defaults to `none`. With a build argument that is a
     * secret, `max` is refused.
     */
    provenance?: Input<Provenance>;

    /** True lists the packages in the image, as SPDX. Defaults to false. */
    sbom?: Input<boolean>;

    /**
     * The image that makes that list, by reference. It follows BuildKit's protocol for scanners, and runs on the builder.
     * Defaults to BuildKit's own, `docker/buildkit-syft-scanner:stable-1`.
     */
    sbomGenerator?: Input<string>;
}

/** How much a provenance tells. */
export type Provenance = "min" | "max" | "none";

/** What signs: exactly one of `key` and `keyless`. */
export interface SignArgs {
    /** A key of one's own. It needs no other service. */
    key?: Input<SigningKeyArgs>;

    /** No key: sigstore certifies for some minutes who signs, and keeps a public record of it. */
    keyless?: Input<KeylessArgs>;
}

/** A key that signs. */
export interface SigningKeyArgs {
    /**
     * The private key as PEM text, as from `openssl genpkey` or `cosign generate-key-pair`: ECDSA on the curve P-256, or
     * RSA of 2048 bits or more. Always kept as a secret.
     * @secret
     */
    privateKey: Input<string>;

    /**
     * The password of the private key. Defaults to none. Always kept as a secret.
     * @secret
     */
    password?: Input<string>;

    /** The transparency log that keeps a public record of the signature. Defaults to none. */
    rekorUrl?: Input<string>;
}

/** Who certifies and records a signature without a key. */
export interface KeylessArgs {
    /**
     * The OpenID Connect token that says who signs, for the audience `sigstore`. Defaults to the one of the pipeline: that
     * of a GitHub workflow with `id-token: write`, or SIGSTORE_ID_TOKEN. Always kept as a secret; a new one signs nothing
     * again.
     * @secret
     */
    identityToken?: Input<string>;

    /** The authority that gives the certificate. Defaults to the public one, `https://fulcio.sigstore.dev`. */
    fulcioUrl?: Input<string>;

    /** The transparency log. Defaults to the public one, `https://rekor.sigstore.dev`. */
    rekorUrl?: Input<string>;

    /** A timestamp authority that proves the time too. Defaults to none: the log does. */
    timestampUrl?: Input<string>;
}

/** What a signature has to be: one by `publicKey`, or one for `certificateIdentity` by `certificateIssuer`. */
export interface VerifyArgs {
    /** The public key, as PEM text. */
    publicKey?: Input<string>;

    /** The whole name in the certificate, such as the address of a workflow with its ref. */
    certificateIdentity?: Input<string>;

    /** Who vouches for that name, such as `https://token.actions.githubusercontent.com`. */
    certificateIssuer?: Input<string>;

    /**
     * The keys of the authority and log that are trusted, as the JSON of a sigstore trusted root. Defaults to those of
     * sigstore's public instances, which are fetched. With `publicKey` it asks for a record in the log too.
     */
    trustedRoot?: Input<string>;
}

/** What new base images mean. */
export type BaseImages = "ignore" | "track";

/** What is done about a tag that somebody else has moved. */
export type TagConflict = "overwrite" | "fail";

/** What is done about tags that are no longer wanted. */
export type Deletion = "retain" | "untag";

/** Whether a builder may emulate its platform. */
export type Emulation = "never" | "allow";

/** What runs the builds. */
export type Engine = "buildx" | "docker-build";

/** What a `MultiArchImage` gives to the rest of the program. All of it is known in preview when nothing changes. */
export interface MultiArchImageOutputs {
    /** The digest of the index: it stands for all platforms and never changes its meaning. */
    readonly indexDigest: Output<string>;

    /** The image by digest, `repository@sha256:...`: what a deployment should use. */
    readonly ref: Output<string>;

    /** The image by each of its tags, in the order of `tags`. */
    readonly tagRefs: Output<string[]>;

    /** The image by digest in each of `additionalRepositories`, in their order. */
    readonly additionalRefs: Output<string[]>;

    /** The files and folders that `exports` have written, in their order. */
    readonly exportedFiles: Output<ExportedFile[]>;

    /** What was pushed for each platform, by platform: the digest of its image. */
    readonly platformDigests: Output<Record<string, string>>;

    /** The plain image manifest of each platform, by platform, for consumers that refuse an index. */
    readonly manifestDigests: Output<Record<string, string>>;

    /** The manifests that hold the attestations of each platform, by platform. Empty without `attestations`. */
    readonly attestationDigests: Output<Record<string, string[]>>;

    /** The digest of the signature of the index. Empty without `sign`. */
    readonly signature: Output<string>;

    /** Stands for everything that can change the image. Equal on every machine for equal content. */
    readonly contentHash: Output<string>;

    /** How each platform was built the last time it was, by platform. */
    readonly builds: Output<Record<string, BuildReport>>;
}

/** How one platform was built. */
export interface BuildReport {
    /** The address of the builder. Empty when the image was in the registry already. */
    builder: string;

    /** The version of BuildKit there. */
    builderVersion: string;

    /** Seconds until the builder took the build. */
    waitingSeconds: number;

    /** Seconds from there until the image was ready. */
    buildingSeconds: number;

    /** Seconds the push took. */
    pushingSeconds: number;

    /**
     * The steps of the build.
     * @integer
     */
    steps: number;

    /**
     * How many of the steps came from the cache.
     * @integer
     */
    cachedSteps: number;

    /**
     * Bytes of the context that were sent to the builder.
     * @integer
     */
    bytesSent: number;

    /** What the build meant for the EC2 instance it ran on. Undefined for other builders. */
    ec2?: Ec2Report;
}

/** What one build meant for the EC2 instance that did it. An instance that was lost on the way is not part of it. */
export interface Ec2Report {
    /** Whether the instance was started for it. Of several builds that were waiting, the first one to end says so. */
    started: boolean;

    /**
     * Seconds the instance is on because of it: from its start, or from the begin of the build where it ran already, to
     * the end of the build, and the `idleMinutes` it then stays on. Builds at the same time, and those within the idle
     * time, share it: together they cost less than their sum.
     */
    awakeSeconds: number;

    /**
     * What that time costs in US dollars, by the `hourlyUsd` of the instance; disks and traffic are not part of it.
     * Undefined where no price is given.
     */
    estimatedUsd?: number;
}
