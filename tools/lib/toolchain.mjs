import { delimiter, join } from "node:path";
import { ensureGoTools, goToolNames } from "./goTools.mjs";
import { ensureNode } from "./node.mjs";
import { binDir, nodeDir } from "./paths.mjs";
import { ensureCompiled, ensureNodeModules } from "./sdk.mjs";
import { ensureSystem, hostArch } from "./system.mjs";

/**
 * @typedef {object} Toolchain
 * @property {NodeJS.ProcessEnv} env the environment for every command, with our tools first on PATH
 * @property {(name: string) => string} bin the absolute path of a tool, `node` included
 */

/**
 * Makes everything ready that the repository needs, and says what it does. Quick when there is nothing to do.
 * @param {object} [options]
 * @param {string[]} [options.only] the Go tools that are wanted; all when not given, `[]` for none
 * @param {boolean} [options.system] also the system's packages; true when not given
 * @param {boolean} [options.compile] also dist/; true when not given
 * @returns {Promise<Toolchain>}
 */
export async function ensureToolchain({ only = goToolNames, system = true, compile = true } = {}) {
    hostArch();
    if (system) {
        await ensureSystem();
    }
    const nodeBin = await ensureNode();
    const env = toolchainEnv();
    await ensureNodeModules(env);
    const paths = await ensureGoTools(only);
    if (compile) {
        await ensureCompiled(env);
    }
    paths.set("node", join(nodeBin, "node"));
    return {
        env,
        bin(name) {
            const path = paths.get(name);
            if (path === undefined) {
                throw new TypeError(`${name} is not part of this toolchain: ${[...paths.keys()].join(", ")}`);
            }
            return path;
        },
    };
}

/**
 * The environment with our tools first on PATH, whether they are there already or not.
 * @returns {NodeJS.ProcessEnv}
 */
export function toolchainEnv() {
    const ours = [binDir, join(nodeDir, "bin")];
    const rest = (process.env.PATH ?? "").split(delimiter).filter((folder) => !ours.includes(folder));
    return { ...process.env, PATH: [...ours, ...rest].join(delimiter), PULUMI_SKIP_UPDATE_CHECK: "true" };
}
