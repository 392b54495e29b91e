import type { Input } from "@pulumi/pulumi";

/**
 * BuildKit in a container of a Docker daemon, as `docker buildx create --driver docker-container` makes it. The
 * container stays there for the next build, with its cache in a volume; builds with equal settings share it.
 */
export interface DockerBuilderArgs {
    /**
     * The Docker context of the daemon. Defaults to the one in use: DOCKER_HOST, DOCKER_CONTEXT, or what
     * `docker context use` has set.
     */
    context?: Input<string>;

    /**
     * The address of the daemon in place of a context, as `unix:///path` or `ssh://user@host`. Defaults to the context.
     * For a daemon on TCP make a context that holds its certificates.
     */
    host?: Input<string>;

    /**
     * The platforms it builds. Defaults to those of the image that no other builder names. The daemon must run them
     * natively, unless `emulation` allows otherwise.
     */
    platforms?: Input<Input<string>[]>;

    /**
     * The image of BuildKit. Defaults to `moby/buildkit` in a version that is fixed for each release of this package.
     * The daemon pulls it with the accounts in `registries`, where it does not have it.
     */
    image?: Input<string>;

    /**
     * The network of the container, for example `host`. Defaults to the bridge of the daemon.
     */
    network?: Input<string>;

    /** The configuration of BuildKit, for mirrors and CAs of private registries. Defaults to none. */
    config?: Input<BuildkitdConfigArgs>;

    /**
     * More options of buildx's docker-container driver, such as `memory` or `env.HTTP_PROXY`. Defaults to none. They
     * are no place for secrets: everybody who may use the daemon can read them.
     */
    options?: Input<Record<string, Input<string>>>;

    /**
     * The beginning of the container's name, for a cache that only some images share. Defaults to `multiarch`. The rest
     * of the name stands for the settings, so that other settings never disturb a builder that runs.
     */
    name?: Input<string>;

    /**
     * How many builds of one `up` run on it at once. Other runners are not seen. Defaults to the image's
     * `maxParallelism`, else to 4.
     * @integer
     */
    maxParallelism?: Input<number>;
}

/** A buildkitd.toml: a file or a text, not both. */
export interface BuildkitdConfigArgs {
    /** The path of the file, relative to the folder of the program. The CAs and keys it names are copied along. */
    location?: Input<string>;

    /** The text itself. The files it names are relative to the folder of the program. */
    inline?: Input<string>;
}

/**
 * The EC2 instance that a builder runs on. A build starts it when it is stopped, and finds the address it has then; a
 * preview, or an `up` that builds nothing, asks nothing of EC2.
 */
export interface Ec2InstanceArgs {
    /** Its id, for example `i-0123456789abcdef0`. */
    instanceId: Input<string>;

    /** The region it is in, for example `eu-central-1`. */
    region: Input<string>;

    /**
     * The port BuildKit listens on. Defaults to 1234.
     * @integer
     */
    port?: Input<number>;

    /** Which of its addresses is used; `ssm` uses none, and connects through Session Manager. Defaults to `private`. */
    addressKind?: Input<AddressKind>;

    /**
     * True for an instance that is started only when none of the others of its platform can be, for example one on demand
     * behind spot instances. Defaults to false.
     */
    fallback?: Input<boolean>;

    /** Minutes it stays on after its last build, for the report of a build. Nothing is done by it. Defaults to 0. */
    idleMinutes?: Input<number>;

    /** What an hour of it costs in US dollars, for the report of a build. Defaults to no estimate. */
    hourlyUsd?: Input<number>;
}

/** One of the two addresses of an instance, or `ssm`: a session of AWS Session Manager for each connection. */
export type AddressKind = "private" | "public" | "ssm";

/**
 * A builder that the user has made with `docker buildx create`, of any driver but `docker`: it is used as it is, and
 * neither changed nor removed.
 */
export interface NamedBuilderArgs {
    /** Its name, as `docker buildx ls` lists it. */
    name: Input<string>;

    /**
     * The platforms it builds. Defaults to those of the image that no other builder names. Of several nodes the first
     * one that runs the platform natively builds it.
     */
    platforms?: Input<Input<string>[]>;

    /**
     * How many builds of one `up` run on it at once. Other runners are not seen. Defaults to the image's
     * `maxParallelism`, else to 4.
     * @integer
     */
    maxParallelism?: Input<number>;
}
