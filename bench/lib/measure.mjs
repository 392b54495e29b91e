import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { capture } from "../../tools/lib/exec.mjs";
import { startDockerBuild } from "./dockerBuild.mjs";
import { readPeak } from "./peak.mjs";

/**
 * @typedef {object} Measurement
 * @property {number} seconds
 * @property {number} processorSeconds of all threads together
 * @property {number} peakBytes the most memory that the process ever had
 */

const ticksPerSecond = 100;
const ours = fileURLToPath(new URL("./ours.mjs", import.meta.url));

/**
 * Hashes a folder with this package, in a new process.
 * @param {string} node
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Measurement>}
 */
export async function measureOurs(node, root, env) {
    const { exitCode, stdout, stderr } = await capture([node, ours, root], { env });
    if (exitCode !== 0) {
        throw new Error(stderr);
    }
    return JSON.parse(stdout);
}

/**
 * Lets a new docker-build process hash a folder. It does that when it is asked for differences, and only then.
 * @param {string} plugin
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Measurement>}
 */
export async function measureDockerBuild(plugin, root, env) {
    const provider = await startDockerBuild(plugin, env);
    try {
        await provider.configure();
        const inputs = await provider.check({ context: { location: root }, push: false });
        const state = { ...inputs, contextHash: "of another context", digest: "", ref: "" };
        const processorBefore = readProcessorSeconds(provider.pid);
        const started = performance.now();
        const differences = await provider.diff(state, inputs);
        const seconds = (performance.now() - started) / 1000;
        if (differences.join() !== "contextHash") {
            throw new Error(`docker-build did not compare the context alone: ${differences.join()}`);
        }
        return {
            seconds,
            processorSeconds: readProcessorSeconds(provider.pid) - processorBefore,
            peakBytes: readPeak(provider.pid),
        };
    } finally {
        await provider.stop();
    }
}

/** @param {number} pid */
function readProcessorSeconds(pid) {
    // The name comes before, in brackets, and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
