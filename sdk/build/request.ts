import type { BuilderNode } from "../builders/node";
import type { CacheOptions } from "./cache";

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
    /** Labels of the image. Defaults to none. */
    readonly labels?: Readonly<Record<string, string>> | undefined;
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
}

/** All texts of a request that must not be printed. */
export function secretsOf(request: SecretSources): string[] {
    return [
        ...Object.values(request.secrets),
        ...(request.redact ?? []),
        ...(request.node?.tls ? [request.node.tls.key] : []),
    ].filter((text) => text !== "");
}

/** The parts of a request that hold secrets. */
export type SecretSources = Pick<BuildRequest, "secrets" | "redact"> & Partial<Pick<BuildRequest, "node">>;
