import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "./paths.mjs";
import { readJson, writeJson } from "./stamp.mjs";

/** Everything that the embedded environment keeps, except the state of the stacks. */
export const embeddedDir = join(cacheDir, "embedded");

/** The state of the stacks, and nothing else: a backend of Pulumi. */
export const stateDir = join(cacheDir, "state");

/** The settings for a shell: `source .cache/env`. */
export const envFile = join(cacheDir, "env");

/** The stack that `npm start` brings up, of whichever program. */
export const stackName = "dev";

/** The programs that `npm start` can bring up, by the folder of their Pulumi.yaml in the repository. */
export const programs = { typescript: ".", yaml: "examples/yaml" };

/** Where the daemons are. Their folders are their names too. */
export const daemons = {
    registry: { name: "registry", dir: join(embeddedDir, "registry") },
    mirror: { name: "mirror", dir: join(embeddedDir, "mirror") },
    amd64: { name: "buildkitd-amd64", dir: join(embeddedDir, "buildkitd-amd64") },
    arm64: { name: "buildkitd-arm64", dir: join(embeddedDir, "buildkitd-arm64") },
};

/**
 * What has to be remembered between two runs.
 * @typedef {object} EmbeddedState
 * @property {Partial<Record<keyof typeof daemons, number>>} [ports]
 * @property {string} [boot] the start of the machine that `emulation` is about
 * @property {Partial<Record<import("./system.mjs").Arch, { registered?: boolean, mounted?: boolean }>>} [emulation]
 *     what we registered with the kernel
 * @property {Record<string, string>} [configured] the hash of what each program's stack was configured with
 */

/** @returns {EmbeddedState} */
export function readState() {
    return readJson(join(embeddedDir, "state.json")) ?? {};
}

/**
 * Adds to what is remembered. Called right after each change to the machine, so that an interrupted run can be undone.
 * @param {EmbeddedState} change
 */
export function updateState(change) {
    writeJson(join(embeddedDir, "state.json"), { ...readState(), ...change });
}

/** What we registered with the kernel since the machine was started, which forgets it then. */
export function readEmulation() {
    const { boot, emulation = {} } = readState();
    return boot === bootId() ? emulation : {};
}

/** @returns {string} differs after each start of the machine */
export function bootId() {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
