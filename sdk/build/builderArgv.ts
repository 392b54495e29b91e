import { driverOptions, type DockerSettings } from "../builders/dockerSettings";
import type { BuilderNode } from "../builders/node";
import { csvRecord } from "./csv";

/** The files with the certificates and the key of a builder. */
export interface TlsFiles {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
}

/** What every run of buildx calls its builder: it lives in a private folder, so the name is never taken. */
export const builderName = "multiarch";

/**
 * The arguments that make the builder known to buildx. Nothing is asked of the builder. `declares` names its platform:
 * without one that matches, buildx silently builds on the first node; with one, it is listed before what the builder has.
 * https://github.com/docker/buildx/blob/v0.35.0/build/resolver/driver.go
 */
export function createBuilderArgv(node: BuilderNode, tls?: TlsFiles, declares = true): string[] {
    const options = [
        ...(tls ? [`cacert=${tls.ca}`, `cert=${tls.cert}`, `key=${tls.key}`] : []),
        ...(tls && node.serverName !== undefined ? [`servername=${node.serverName}`] : []),
    ];
    return [
        "create",
        "--name",
        builderName,
        "--driver",
        "remote",
        ...(options.length > 0 ? ["--driver-opt", csvRecord(options)] : []),
        ...(declares ? ["--platform", node.platform] : []),
        "--",
        node.address,
    ];
}

/** Where and how a container is made known to buildx. */
export interface DockerPlace {
    /** A context or the address of a daemon. */
    readonly endpoint: string;
    /** The file with the configuration of BuildKit. Defaults to none. */
    readonly config?: string | undefined;
    /** The platform to declare. Defaults to none. */
    readonly platform?: string | undefined;
}

/** The arguments that make a container on a Docker daemon known to buildx. Nothing is started. */
export function createDockerBuilderArgv(
    name: string,
    settings: DockerSettings,
    { endpoint, config, platform }: DockerPlace,
): string[] {
    return [
        "create",
        ...["--name", name],
        ...["--driver", "docker-container"],
        ...["--driver-opt", csvRecord(driverOptions(settings))],
        ...(config === undefined ? [] : ["--buildkitd-config", config]),
        ...(platform === undefined ? [] : ["--platform", platform]),
        "--",
        endpoint,
    ];
}

/** The arguments that connect to a builder, start it where that is needed, and print what it says of itself. */
export function inspectBuilderArgv(name = builderName): string[] {
    return ["inspect", "--bootstrap", name];
}

/** The arguments that remove the container of a builder, and keep its cache for the next one. */
export function removeContainerArgv(name: string): string[] {
    return ["rm", "--force", "--keep-state", name];
}
