import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createRegistryConfig } from "./registryConfig";
import { runTool } from "./tools";
import type { Builder, RegistryPlace } from "./world";

/** A buildx of the tests' own, with nothing of ours in between. */
export interface OwnBuildx {
    /** Runs `buildx build` on the builder. */
    build(args: readonly string[]): Promise<void>;
    remove(): void;
}

/** Makes a builder known to a buildx of our own, which may have the account of a registry. */
export async function createBuildx({ endpoint }: Builder, account?: RegistryPlace): Promise<OwnBuildx> {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-buildx-"));
    const env = { BUILDX_CONFIG: join(folder, "buildx"), DOCKER_CONFIG: join(folder, "docker") };
    if (account) {
        mkdirSync(env.DOCKER_CONFIG);
        writeFileSync(join(env.DOCKER_CONFIG, "config.json"), createRegistryConfig(account), { mode: 0o600 });
    }
    const trust = account ? { SSL_CERT_FILE: account.caFile } : {};
    const options = Object.entries(endpoint.tls ?? {}).map(([part, pem]) => {
        const file = join(folder, part);
        writeFileSync(file, pem as string, { mode: 0o600 });
        return `${part === "ca" ? "cacert" : part}=${file}`;
    });
    const create = ["create", "--name", "own", "--driver", "remote", "--driver-opt", options.join(",")];
    await runTool("buildx", [...create, endpoint.address], { env });
    return {
        async build(args) {
            await runTool("buildx", ["build", "--builder", "own", "--provenance=false", ...args], {
                env: { ...env, ...trust },
            });
        },
        remove: () => rmSync(folder, { recursive: true }),
    };
}
