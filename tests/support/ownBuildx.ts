import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runTool } from "./tools";
import type { Builder } from "./world";

/** A buildx of the tests' own, with nothing of ours in between. */
export interface OwnBuildx {
    /** Runs `buildx build` on the builder. */
    build(args: readonly string[]): Promise<void>;
    remove(): void;
}

/** Makes a builder known to a buildx of our own. */
export async function createBuildx({ endpoint }: Builder): Promise<OwnBuildx> {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-buildx-"));
    const env = { BUILDX_CONFIG: join(folder, "buildx"), DOCKER_CONFIG: join(folder, "docker") };
    const options = Object.entries(endpoint.tls ?? {}).map(([part, pem]) => {
        const file = join(folder, part);
        writeFileSync(file, pem as string, { mode: 0o600 });
        return `${part === "ca" ? "cacert" : part}=${file}`;
    });
    const create = ["create", "--name", "own", "--driver", "remote", "--driver-opt", options.join(",")];
    await runTool("buildx", [...create, endpoint.address], { env });
    return {
        async build(args) {
            await runTool("buildx", ["build", "--builder", "own", "--provenance=false", ...args], { env });
        },
        remove: () => rmSync(folder, { recursive: true }),
    };
}
