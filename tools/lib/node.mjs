import {
    chmodSync,
    cpSync,
    existsSync,
    mkdirSync,
    readFileSync,
    realpathSync,
    renameSync,
    rmSync,
    symlinkSync,
} from "node:fs";
import { join, relative } from "node:path";
import { run } from "./exec.mjs";
import { step, SetupError } from "./console.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, logDir, nodeDir, repoRoot } from "./paths.mjs";
import { findOnPath, hostArch } from "./system.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";
import { atLeast } from "./version.mjs";

/** What @pulumi/pulumi and execa ask for. */
const NEEDED = "22.19.0";

/** What these scripts themselves run on. */
const NEEDED_HERE = "20.0.0";

const pinDir = join(repoRoot, "tools", "node");

/**
 * Makes `<cache>/node/bin/node` a Node.js that runs the SDK: a link to the running one where it is new enough, else the
 * pinned one from npm. npm keeps being the system's, and runs on whichever node comes first on PATH.
 * @returns {Promise<string>} the folder to put first on PATH
 */
export async function ensureNode() {
    if (!atLeast(process.versions.node, NEEDED_HERE)) {
        throw new SetupError(`Node.js ${process.versions.node} is too old, ${NEEDED_HERE} or newer is needed`, {
            hint: "See https://nodejs.org/en/download",
        });
    }
    if (!isReady()) {
        await withLock("node", async () => {
            if (!isReady()) {
                await (ownNode() === undefined ? installNode() : linkNode(/** @type {string} */ (ownNode())));
            }
        });
    }
    return join(nodeDir, "bin");
}

/** The user's Node.js, if this process runs on it and it is new enough for the SDK. */
function ownNode() {
    return !isCached() && atLeast(process.versions.node, NEEDED) ? process.execPath : undefined;
}

/** Whether this process runs on the Node.js of the cache, also where the cache folder is a link to another one. */
function isCached() {
    return process.execPath.startsWith(existsSync(cacheDir) ? realpathSync(cacheDir) : cacheDir);
}

function isReady() {
    const stamp = readJson(join(nodeDir, "stamp.json"));
    const fits =
        stamp?.link === undefined
            ? stamp?.pin === pinHash() && ownNode() === undefined
            : stamp.link === ownNode() || isCached();
    return fits && existsSync(join(nodeDir, "bin", "node"));
}

function pinHash() {
    return hashOf([readFileSync(join(pinDir, "package-lock.json"))]);
}

/** @param {string} target */
function linkNode(target) {
    const temporary = newFolder();
    symlinkSync(target, join(temporary, "bin", "node"));
    moveIntoPlace(temporary, { link: target });
}

async function installNode() {
    const name = `node-linux-${{ amd64: "x64", arm64: "arm64" }[hostArch()]}`;
    const version = readJson(join(pinDir, "package.json")).optionalDependencies[name];
    const temporary = newFolder();
    for (const file of ["package.json", "package-lock.json"]) {
        cpSync(join(pinDir, file), join(temporary, file));
    }
    await step(`installing Node.js ${version} (this one, ${process.versions.node}, is older than ${NEEDED})`, () =>
        run([requireNpm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
            cwd: temporary,
            logFile: join(logDir, "node.log"),
        }),
    );
    const binary = join(temporary, "node_modules", name, "bin", "node");
    chmodSync(binary, 0o755);
    symlinkSync(relative(join(temporary, "bin"), binary), join(temporary, "bin", "node"));
    moveIntoPlace(temporary, { pin: pinHash() });
}

/** @returns {string} the system's npm */
export function requireNpm() {
    const npm = findOnPath("npm");
    if (npm === undefined) {
        throw new SetupError("npm is missing", { hint: "It comes with Node.js; Debian has it as the package npm." });
    }
    return npm;
}

function newFolder() {
    const path = `${nodeDir}.${process.pid}`;
    rmSync(path, { recursive: true, force: true });
    mkdirSync(join(path, "bin"), { recursive: true });
    return path;
}

/**
 * @param {string} temporary
 * @param {{ link?: string, pin?: string }} stamp
 */
function moveIntoPlace(temporary, stamp) {
    writeJson(join(temporary, "stamp.json"), stamp);
    rmSync(nodeDir, { recursive: true, force: true });
    renameSync(temporary, nodeDir);
}
