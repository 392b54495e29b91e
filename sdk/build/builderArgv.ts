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

/** The arguments that make the builder known to buildx. Nothing is asked of the builder. */
export function createBuilderArgv(node: BuilderNode, tls?: TlsFiles): string[] {
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
        // One platform and no other: with none that matches, buildx silently builds on the first node.
        // https://github.com/docker/buildx/blob/v0.35.0/build/resolver/driver.go
        "--platform",
        node.platform,
        "--",
        node.address,
    ];
}

/** The arguments that connect to the builder and print what it says of itself. */
export function inspectBuilderArgv(): string[] {
    return ["inspect", "--bootstrap", builderName];
}
