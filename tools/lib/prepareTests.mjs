import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureCacheServers } from "./cacheServers.mjs";
import { ensureDocker } from "./docker.mjs";
import { testToolNames } from "./goTools.mjs";
import { ensureHostRoot } from "./hostRoot.mjs";
import { repoRoot } from "./paths.mjs";
import { ensureSshd } from "./sshd.mjs";
import { requireRoot } from "./system.mjs";
import { ensureToolchain } from "./toolchain.mjs";

const STAND_INS = join(repoRoot, "tools", "lib", "standins.mjs");

/**
 * Makes ready what tests need, and gives their environment.
 * @param {boolean} engine whether a test needs the Go tools, the system's packages and the stand-ins
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function prepareTests(engine) {
    if (!engine) {
        return (await ensureToolchain({ only: [], system: false })).env;
    }
    requireRoot();
    const toolchain = await ensureToolchain({ only: testToolNames });
    if (existsSync(STAND_INS)) {
        const { ensureStandIns } = await import(STAND_INS);
        await ensureStandIns(toolchain);
    }
    await ensureDocker();
    await ensureSshd();
    await ensureCacheServers();
    await ensureHostRoot();
    return toolchain.env;
}
