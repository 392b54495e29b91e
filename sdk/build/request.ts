import type { BuilderNode } from "../builders/node";
import { cacheSecretsOf, type CacheOptions } from "./cacheOptions";

/** One image of one platform, to be built on one builder and pushed by digest. All values are clear text. */
export interface BuildRequest {
    /** The platform, for example `linux/arm64`. */
    readonly platform: string;
    /** The builder. */
    readonly node: BuilderNode;
    /** Where the image is pushed, without a tag. */
    readonly repository: string;
    /** The files the build can use. Relative folders start at `baseDirectory`. */
    readonly context: BuildContext;
    /** The Dockerfile. Defaults to the file `Dockerfile` in the context. */
    readonly dockerfile?: BuildDockerfile | undefined;
    /** The stage to build. Defaults to the last one. */
    readonly target?: string | undefined;
    /** True looks for newer base images even when the builder has the ones it used last. Defaults to false. */
    readonly pull?: boolean | undefined;
    /** Values for the `ARG` lines of the Dockerfile. */
    readonly buildArgs: Readonly<Record<string, string>>;
    /** Values for `RUN --mount=type=secret`, by id. */
    readonly secrets: Readonly<Record<string, string>>;
    /** Files with values for `RUN --mount=type=secret`, by id. Relative paths start at `baseDirectory`. */
    readonly secretFiles?: Readonly<Record<string, string>> | undefined;
    /** How its steps run and what they make. Defaults to what the builder does by itself. */
    readonly options?: BuildOptions | undefined;
    /** Statements about the image that are pushed with it. Defaults to none. */
    readonly attestations?: BuildAttestations | undefined;
    /** Where steps are cached beyond the builder. Defaults to no such cache. */
    readonly cache?: CacheOptions | undefined;
    /** The content of a docker config.json with the accounts of registries. */
    readonly registriesConfig: string;
    /** How long all tries together may take. */
    readonly timeoutSeconds: number;
    /** The folder that relative paths start at. */
    readonly baseDirectory: string;
    /** How many more tries there are after a transient fault. Defaults to 2. */
    readonly retries?: number | undefined;
    /** Further texts that must not be printed, beside the secrets. A build argument that holds one is a secret too. */
    readonly redact?: readonly string[] | undefined;
}

/** How the steps of a build run and what they make. */
export interface BuildOptions {
    readonly labels?: Readonly<Record<string, string>> | undefined;
    /** Notes on the manifest of the image. */
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly network?: "default" | "host" | "none" | undefined;
    /** Each as `name:address`. */
    readonly addHosts?: readonly string[] | undefined;
    readonly ssh?: readonly BuildSsh[] | undefined;
    readonly noCache?: boolean | undefined;
    /** The stages whose steps are run again. */
    readonly noCacheFilters?: readonly string[] | undefined;
    readonly ulimits?: readonly BuildUlimit[] | undefined;
    readonly shmSize?: string | undefined;
    readonly cgroupParent?: string | undefined;
    /** Limits of the containers of steps, by name. */
    readonly resources?: Readonly<Record<string, string>> | undefined;
    /** Entitlements, for example `network.host`. */
    readonly allow?: readonly string[] | undefined;
    /** Seconds since 1970 that stand for every time in the image. */
    readonly sourceDateEpoch?: number | undefined;
    readonly compression?: "gzip" | "zstd" | "estargz" | "uncompressed" | undefined;
    readonly compressionLevel?: number | undefined;
    readonly forceCompression?: boolean | undefined;
    /** False pushes nothing. Defaults to true. */
    readonly push?: boolean | undefined;
}

/** An agent or keys for one id. */
export interface BuildSsh {
    readonly id: string;
    readonly paths?: readonly string[] | undefined;
    /** A private key as text. */
    readonly key?: string | undefined;
}

/** A limit of processes. */
export interface BuildUlimit {
    readonly name: string;
    readonly soft: number;
    readonly hard?: number | undefined;
}

/** Statements about an image. */
export interface BuildAttestations {
    /** How much the provenance tells. Defaults to `none`, which makes none. */
    readonly provenance?: "min" | "max" | "none" | undefined;
    /** True lists what is in the image. Defaults to false. */
    readonly sbom?: boolean | undefined;
    /** The image that makes that list. Defaults to that of BuildKit. */
    readonly sbomGenerator?: string | undefined;
}

/** The files a build can use. */
export interface BuildContext {
    /** A folder, or the address of a git repository or a tarball. */
    readonly location: string;
    /** More of them by name: besides the above `docker-image://` and `oci-layout://`. */
    readonly named?: Readonly<Record<string, { readonly location: string }>> | undefined;
}

/** A Dockerfile: a file or a text, not both. */
export interface BuildDockerfile {
    readonly location?: string | undefined;
    readonly inline?: string | undefined;
}

/** Where the files of one build are, all but the metadata written already, in a private folder. */
export interface BuildFiles {
    /** Where buildx writes the digest. */
    readonly metadata: string;
    /** The Dockerfile, where its text was given. */
    readonly dockerfile?: string | undefined;
    /** The file with each secret, by id. */
    readonly secrets: Readonly<Record<string, string>>;
    /** The file with each private key of ssh, by its position in the options. */
    readonly sshKeys?: Readonly<Record<number, string>> | undefined;
}

/** All texts of a request that must not be printed. */
export function secretsOf(request: SecretSources): string[] {
    return [
        ...Object.values(request.secrets),
        ...(request.redact ?? []),
        ...(request.node?.tls ? [request.node.tls.key] : []),
        ...(request.options?.ssh ?? []).flatMap(({ key }) => key ?? []),
        ...cacheSecretsOf(request.cache),
    ].filter((text) => text !== "");
}

/** The parts of a request that hold secrets. */
export type SecretSources = Pick<BuildRequest, "secrets" | "redact"> &
    Partial<Pick<BuildRequest, "node" | "options" | "cache">>;
