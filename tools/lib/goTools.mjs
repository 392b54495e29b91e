import { existsSync, realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { say, SetupError } from "./console.mjs";
import { capture } from "./exec.mjs";
import { buildGoTool, isBuilt, stampOf, writeStamp } from "./goBuild.mjs";
import { dockerBuild, frontend, goTools } from "./goTable.mjs";
import { withLock } from "./lock.mjs";
import { binDir, ensureDir } from "./paths.mjs";
import { findOnPath, isExecutable } from "./system.mjs";
import { atLeast } from "./version.mjs";

/**
 * @typedef {import("./goTable.mjs").GoTool} GoTool
 * @typedef {import("./system.mjs").Arch} Arch
 */

const allTools = [...goTools, dockerBuild];

/** The tools that everything needs, in the order in which they are built. */
export const goToolNames = goTools.map((tool) => tool.name);

/** The tools that the tests need. */
export const testToolNames = allTools.map((tool) => tool.name);

/**
 * Makes tools available: the user's own where its version fits, else built once from the pins.
 * @param {string[]} [names] all when not given
 * @returns {Promise<Map<string, string>>} the path of each
 */
export async function ensureGoTools(names = goToolNames) {
    const unknown = names.filter((name) => !testToolNames.includes(name));
    if (unknown.length > 0) {
        throw new SetupError(`no such tool: ${unknown.join(", ")}`, { hint: `There are ${testToolNames.join(", ")}.` });
    }
    /** @type {Map<string, string>} */
    const paths = new Map();
    for (const tool of allTools.filter(({ name }) => names.includes(name))) {
        paths.set(tool.name, readyTool(tool) ?? (await withLock("tools", () => prepareTool(tool))));
    }
    return paths;
}

/**
 * Builds the Dockerfile frontend for an architecture, for the local stand-in of docker/dockerfile:1.
 * @param {Arch} arch
 * @returns {Promise<string>} the path of the static binary
 */
export async function buildFrontend(arch) {
    const output = `${frontend.name}-${arch}`;
    if (isBuilt(frontend, { arch, output })) {
        return join(binDir, output);
    }
    return withLock("tools", () => buildGoTool(frontend, { arch, output }));
}

/**
 * The path of a tool that an earlier run prepared and that is still the same. Starts no process: a warm run asks this only.
 * @param {GoTool} tool
 * @returns {string | undefined}
 */
function readyTool(tool) {
    const stamp = stampOf(tool.name);
    if (stamp?.own !== undefined) {
        // PATH may be another one now, such as root's.
        const reachable = existsSync(join(binDir, tool.name)) || findOnPath(tool.name) === stamp.own;
        return reachable && isSameFile(stamp) ? stamp.own : undefined;
    }
    return isBuilt(tool) ? join(binDir, tool.name) : undefined;
}

/** @param {GoTool} tool */
async function prepareTool(tool) {
    // Another process may have done it while this one waited for the lock.
    const ready = readyTool(tool);
    if (ready !== undefined) {
        return ready;
    }
    const own = await findOwn(tool);
    if (own === undefined) {
        return buildGoTool(tool);
    }
    say(`using ${tool.name} ${own.version} at ${own.path}`);
    linkOwn(tool, own.path);
    const { size, mtimeMs } = statSync(own.path);
    writeStamp(tool.name, { own: own.path, version: own.version, size, changed: mtimeMs });
    return own.path;
}

/**
 * The user's own tool, if it is new enough.
 * @param {GoTool} tool
 * @returns {Promise<{ path: string, version: string } | undefined>}
 */
async function findOwn(tool) {
    if (tool.beside !== undefined) {
        const main = stampOf(tool.beside)?.own;
        const path = main === undefined ? undefined : join(dirname(realpathSync(main)), tool.name);
        return path !== undefined && isExecutable(path) ? { path, version: `beside ${tool.beside}` } : undefined;
    }
    for (const path of candidates(tool)) {
        const { output } = await capture([path, ...(tool.own?.versionArgs ?? [])]).catch(() => ({ output: "" }));
        const version = tool.own?.match.exec(output)?.[1];
        if (version !== undefined && atLeast(version, tool.own?.min ?? "")) {
            return { path, version };
        }
        say(`not using ${path}: it is not ${tool.name} ${tool.own?.min} or newer`);
    }
    return undefined;
}

/** @param {GoTool} tool */
function candidates(tool) {
    const plugins = pluginFolders().join(delimiter);
    return (tool.own?.commands ?? []).flatMap((command) => {
        const path = findOnPath(command) ?? (command.startsWith("docker-") && findOnPath(command, { path: plugins }));
        return path ? [path] : [];
    });
}

/**
 * Where the Docker CLI looks for plugins, see
 * https://github.com/docker/cli/blob/v28.5.1/cli-plugins/manager/manager_unix.go
 */
function pluginFolders() {
    const config = process.env.DOCKER_CONFIG || join(homedir(), ".docker");
    const system = ["local/lib", "local/libexec", "lib", "libexec"].map((name) => `/usr/${name}/docker`);
    return [config, ...system].map((folder) => join(folder, "cli-plugins"));
}

/**
 * Links a tool that PATH does not lead to under its name, and removes an older one of ours that would hide it.
 * @param {GoTool} tool
 * @param {string} path
 */
function linkOwn(tool, path) {
    const link = join(ensureDir(binDir), tool.name);
    rmSync(link, { force: true });
    if (findOnPath(tool.name) !== path) {
        symlinkSync(path, link);
    }
}

/** @param {{ own?: string, size?: number, changed?: number }} stamp */
function isSameFile({ own = "", size, changed }) {
    const found = existsSync(own) ? statSync(own) : undefined;
    return found?.size === size && found?.mtimeMs === changed;
}
