import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capture, run } from "./exec.mjs";
import { SetupError, step } from "./console.mjs";
import { binDir, ensureDir, logDir, repoRoot, stampDir } from "./paths.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";
import { findOnPath, hostArch, isExecutable } from "./system.mjs";
import { atLeast, findVersion } from "./version.mjs";

/**
 * @typedef {import("./goTable.mjs").GoTool} GoTool
 * @typedef {import("./system.mjs").Arch} Arch
 */

const GO_HINT = "Install it from https://go.dev/dl/ and put its bin folder on PATH.";

/**
 * Whether the cache holds what the pins say now.
 * @param {GoTool} tool
 * @param {{ arch?: Arch, output?: string }} [options]
 */
export function isBuilt(tool, { arch = hostArch(), output = tool.name } = {}) {
    return stampOf(output)?.built === recipeHash(tool, arch) && isExecutable(join(binDir, output));
}

/**
 * Builds a tool from its pinned module into the cache. The binary appears in one move, when it is complete.
 * @param {GoTool} tool
 * @param {{ arch?: Arch, output?: string }} [options] `output`: the file's name, the tool's own when not given
 * @returns {Promise<string>} its path
 */
export async function buildGoTool(tool, { arch = hostArch(), output = tool.name } = {}) {
    const cwd = moduleDir(tool);
    const go = await requireGo(cwd);
    const target = join(ensureDir(binDir), output);
    const temporary = `${target}.${process.pid}`;
    // Set even where it is the default: an empty GOFLAGS would let the user's `go env -w` in.
    const env = {
        ...process.env,
        GOFLAGS: "-mod=readonly",
        GOWORK: "off",
        CGO_ENABLED: "0",
        GOOS: "linux",
        GOARCH: arch,
    };
    const flags = ["-trimpath", "-buildvcs=false", "-ldflags", linkerFlags(tool)];
    try {
        await step(
            `building ${output} ${tool.version}`,
            () =>
                run([go, "build", ...flags, "-o", temporary, tool.package], {
                    cwd,
                    env,
                    logFile: join(logDir, `build-${output}.log`),
                }),
            { expect: tool.expect },
        );
        renameSync(temporary, target);
    } finally {
        rmSync(temporary, { force: true });
    }
    writeStamp(output, { built: recipeHash(tool, arch) });
    return target;
}

/**
 * What a file in the bin folder was made from: `built` is the hash of a recipe, `own` a tool of the user's.
 * @param {string} name
 * @returns {{ built?: string, own?: string, version?: string, size?: number, changed?: number } | undefined}
 */
export function stampOf(name) {
    return readJson(join(stampDir, `${name}.json`));
}

/**
 * @param {string} name
 * @param {NonNullable<ReturnType<typeof stampOf>>} stamp
 */
export function writeStamp(name, stamp) {
    writeJson(join(stampDir, `${name}.json`), stamp);
}

/** The user's Go: on PATH, or where its own installer puts it. */
export function findGo() {
    return findOnPath("go") ?? findOnPath("go", { path: "/usr/local/go/bin" });
}

/**
 * Finds a Go that accepts the module; one that fetches a newer toolchain by itself counts.
 * @param {string} cwd
 * @returns {Promise<string>}
 */
async function requireGo(cwd) {
    const go = findGo();
    const wanted = /^go (\S+)$/m.exec(readFileSync(join(cwd, "go.mod"), "utf8"))?.[1] ?? "";
    if (go === undefined) {
        throw new SetupError(`Go ${wanted} or newer is missing`, { hint: GO_HINT });
    }
    const { exitCode, output } = await capture([go, "version"], { cwd });
    const found = findVersion(output) ?? "";
    if (exitCode !== 0 || !atLeast(found, wanted)) {
        throw new SetupError(`Go ${wanted} or newer is needed; ${go} says: ${output.trim()}`, { hint: GO_HINT });
    }
    return go;
}

/** @param {GoTool} tool */
function moduleDir(tool) {
    return join(repoRoot, "tools", "go", tool.module);
}

/** @param {GoTool} tool */
function linkerFlags(tool) {
    return ["-s", "-w", ...tool.variables.map((name) => `-X ${name}=${tool.version}`)].join(" ");
}

/**
 * @param {GoTool} tool
 * @param {Arch} arch
 */
function recipeHash(tool, arch) {
    const pins = ["go.mod", "go.sum"].map((name) => readFileSync(join(moduleDir(tool), name)));
    return hashOf([...pins, tool.package, linkerFlags(tool), arch]);
}
