import type { Input } from "@pulumi/pulumi";

/**
 * How the steps of a build run and what they make, beyond files and arguments: one meaning for a `MultiArchImage`, which
 * hands them to all its platforms, and for the `PlatformImage` of one.
 */
export interface BuildOptionsArgs {
    /** Labels of the image, kept in its configuration. Defaults to those of the Dockerfile. A change builds again. */
    labels?: Input<Record<string, Input<string>>>;

    /** The network of `RUN` steps. Defaults to `default`, a network of the builder's own. A change builds again. */
    network?: Input<NetworkMode>;

    /** Hosts that `RUN` steps find, each as `name:address`. Defaults to none. A change builds again. */
    addHosts?: Input<Input<string>[]>;

    /**
     * Agents or keys for `RUN --mount=type=ssh` and for git repositories over ssh. Defaults to none. Never part of the
     * image, and a change builds nothing.
     */
    ssh?: Input<Input<SshArgs>[]>;

    /**
     * Files with values for `RUN --mount=type=secret,id=...`, by id: paths on the machine that runs `up`, relative to
     * the folder of the program. Defaults to none. What is in them is never kept in the state.
     */
    secretFiles?: Input<Record<string, Input<string>>>;

    /** True runs every step again in a build, whatever is cached. Defaults to false. It does not make a build happen. */
    noCache?: Input<boolean>;

    /** Stages of the Dockerfile whose steps are run again in every build. Defaults to none. */
    noCacheFilters?: Input<Input<string>[]>;

    /** Limits of the processes in `RUN` steps. Defaults to those of the builder. */
    ulimits?: Input<Input<UlimitArgs>[]>;

    /** The size of `/dev/shm` in `RUN` steps, for example `256m` or `2g`. Defaults to the builder's own, 64 MiB. */
    shmSize?: Input<string>;

    /** The control group that `RUN` steps belong to. Defaults to the builder's own. */
    cgroupParent?: Input<string>;

    /**
     * Limits of the containers of `RUN` steps, by the names of `docker buildx build --resource`, for example `memory`
     * with `2g`, or `cpu-quota` with `50000`. Defaults to none. They need BuildKit 0.31 and buildx 0.35.
     */
    resources?: Input<Record<string, Input<string>>>;

    /**
     * What the build may do beyond the usual, for example `network.host` or `security.insecure`. The builder has to
     * allow it too. Defaults to nothing.
     */
    allow?: Input<Input<string>[]>;

    /**
     * Seconds since 1970 that stand for every time in the image, so that equal content gives equal digests on any
     * builder. Defaults to the times of the build. A change builds again.
     * @integer
     */
    sourceDateEpoch?: Input<number>;

    /**
     * How new layers are compressed. Defaults to `gzip`. A change builds again; layers that the builder has already in
     * another form stay as they are, unless `forceCompression` is set.
     */
    compression?: Input<Compression>;

    /**
     * How hard they are compressed: 0 to 9 for `gzip` and `estargz`, 0 to 22 for `zstd`. Defaults to the builder's own.
     * @integer
     */
    compressionLevel?: Input<number>;

    /** True compresses layers anew that are there in another form, those of base images too. Defaults to false. */
    forceCompression?: Input<boolean>;

    /**
     * False builds, and fills the cache, but pushes nothing: a check that all platforms build. There is no index then,
     * and no tag moves; outputs that name what was pushed are empty. Defaults to true.
     */
    push?: Input<boolean>;
}

/** An agent or keys for one id. */
export interface SshArgs {
    /** The id that `RUN --mount=type=ssh,id=...` uses. Steps without an id use `default`. */
    id: Input<string>;

    /**
     * Paths of private keys or of an agent's socket, relative to the folder of the program. Defaults to the agent of
     * the machine, unless `key` is given.
     */
    paths?: Input<Input<string>[]>;

    /**
     * A private key itself, without a password, as PEM or OpenSSH text. Defaults to none. Always kept as a secret.
     * @secret
     */
    key?: Input<string>;
}

/** A limit of processes, see `man 2 getrlimit`. */
export interface UlimitArgs {
    /** What is limited, for example `nofile`. */
    name: Input<string>;

    /**
     * The limit in force; -1 for none.
     * @integer
     */
    soft: Input<number>;

    /**
     * The highest limit a process may ask for; -1 for none. Defaults to `soft`.
     * @integer
     */
    hard?: Input<number>;
}

/** Notes on an index and what it lists, by level. Keys are like `org.opencontainers.image.source`. */
export interface AnnotationsArgs {
    /** On the index. A change makes a new index, and builds nothing. Defaults to none. */
    index?: Input<Record<string, Input<string>>>;

    /** On the manifest of each platform's image. A change builds again. Defaults to none. */
    manifest?: Input<Record<string, Input<string>>>;

    /** On each entry of the index. A change makes a new index, and builds nothing. Defaults to none. */
    manifestDescriptor?: Input<Record<string, Input<string>>>;
}

/** What one platform has that others have not. */
export interface PlatformOverrideArgs {
    /** Build arguments added to those of all platforms, or in place of them by name. Defaults to none. */
    buildArgs?: Input<Record<string, Input<string>>>;

    /** The stage to build. Defaults to that of all platforms. */
    target?: Input<string>;

    /** Labels added to those of all platforms, or in place of them by name. Defaults to none. */
    labels?: Input<Record<string, Input<string>>>;

    /** Annotations of the manifest added to those of all platforms, or in place of them by name. Defaults to none. */
    annotations?: Input<Record<string, Input<string>>>;

    /**
     * The one builder that builds it: the address or name of one of `builders`. Defaults to any that serves the
     * platform, in their order.
     */
    builder?: Input<string>;
}

/** The network of steps: the builder's own, that of its host, or none. */
export type NetworkMode = "default" | "host" | "none";

/** How layers are compressed. */
export type Compression = "gzip" | "zstd" | "estargz" | "uncompressed";
