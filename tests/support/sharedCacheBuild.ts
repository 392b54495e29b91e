import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseSolveStatus } from "../../sdk/build/solveStatus";
import { createRegistryConfig } from "./registryConfig";
import { inheritedEnv } from "./tools";
import { loadTools } from "./toolLibrary";
import { runCommand } from "../../sdk/build/exec";
import type { Architecture, World } from "./world";

/**
 * What one declaration of a cache means to buildx itself: one builder with a node for each platform, one `--cache-to`.
 * Gives the steps of each platform that came from the cache, and all of them.
 */
export async function buildWithSharedCache(
    world: World,
    { repository, context }: { repository: string; context: string },
): Promise<Record<Architecture, { steps: number; cachedSteps: number }>> {
    const tools = await loadTools();
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    const home = mkdtempSync(join(context, "..", "shared-"));
    mkdirSync(join(home, "docker"));
    writeFileSync(join(home, "docker", "config.json"), createRegistryConfig(world));
    const buildx = async (...args: string[]): Promise<string[]> => {
        const lines: string[] = [];
        const result = await runCommand({
            file: toolchain.bin("buildx"),
            args,
            env: {
                PATH: inheritedEnv()["PATH"] ?? "",
                HOME: home,
                DOCKER_CONFIG: join(home, "docker"),
                BUILDX_CONFIG: join(home, "buildx"),
                BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
                SSL_CERT_FILE: world.caFile,
            },
            timeoutMs: 60_000,
            onStderrLine: (line) => lines.push(line),
        });
        if (result.exitCode !== 0) {
            throw new Error(`buildx ${args.join(" ")} failed:\n${result.stderrTail}`);
        }
        return lines;
    };
    for (const [position, [name, { endpoint }]] of Object.entries(world.builders).entries()) {
        const tls = endpoint.tls as { ca: string; cert: string; key: string };
        const files = Object.entries(tls).map(([part, text]) => {
            const file = join(home, `${name}-${part}.pem`);
            writeFileSync(file, text);
            return `${part === "ca" ? "cacert" : part}=${file}`;
        });
        const driver = ["--driver", "remote", "--driver-opt", files.join(","), "--platform", endpoint.platform];
        await buildx("create", "--name", "shared", ...(position > 0 ? ["--append"] : []), ...driver, endpoint.address);
    }
    const ref = `type=registry,ref=${repository}:shared`;
    const lines = await buildx(
        ...["build", "--builder", "shared", "--platform", "linux/amd64,linux/arm64", "--progress", "rawjson"],
        ...["--cache-from", ref, "--cache-to", `${ref},mode=max,image-manifest=true`],
        ...["--output", `type=image,name=${repository}:image,push=true`, context],
    );
    return { amd64: countSteps(lines, "linux/amd64"), arm64: countSteps(lines, "linux/arm64") };
}

function countSteps(lines: readonly string[], platform: string): { steps: number; cachedSteps: number } {
    const steps = new Map<string, boolean>();
    for (const { name, digest, started, cached } of lines.flatMap((line) => parseSolveStatus(line)?.vertexes ?? [])) {
        if (new RegExp(`^\\[${platform} .*\\d+/\\d+\\] `).test(name)) {
            steps.set(digest, started === undefined || cached === true);
        }
    }
    return { steps: steps.size, cachedSteps: [...steps.values()].filter(Boolean).length };
}
