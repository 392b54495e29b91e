import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { run, capture } from "./exec.mjs";
import { say, SetupError, step } from "./console.mjs";
import { cacheDir, logDir } from "./paths.mjs";

/** @typedef {"amd64" | "arm64"} Arch an architecture as Go and container platforms name it */

/** Packages of Debian and its relatives, by the command that we need from them. */
const PACKAGES = /** @type {const} */ ({
    git: { package: "git", why: "git build contexts" },
    ip: { package: "iproute2", why: "the builders' own networks" },
    runc: { package: "runc", why: "running containers" },
});

/**
 * This machine's architecture. Throws when the toolchain does not know it.
 * @returns {Arch}
 */
export function hostArch() {
    const arch = { x64: "amd64", arm64: "arm64" }[/** @type {string} */ (process.arch)];
    if (process.platform !== "linux" || arch === undefined) {
        throw new SetupError(
            `the toolchain runs on Linux on x64 or arm64, this is ${process.platform} on ${process.arch}`,
            {
                hint: "On another system, run it in a Linux machine or container.",
            },
        );
    }
    return /** @type {Arch} */ (arch);
}

/** @returns {boolean} whether this process may install packages, mount and make network namespaces */
export function isRoot() {
    return process.getuid?.() === 0;
}

/** Throws unless this process is root, which the BuildKit daemons of the embedded environment need. */
export function requireRoot() {
    if (!isRoot()) {
        throw new SetupError("the embedded builders need root: they run containers in namespaces of their own", {
            hint: "Run the same command as root, for example with sudo.",
        });
    }
}

/**
 * The absolute path of a command, or nothing. Looks along PATH without our own cache, so that a tool found is the user's.
 * @param {string} name
 * @param {{ path?: string, cache?: boolean }} [options] `cache`: also accept what we built ourselves
 * @returns {string | undefined}
 */
export function findOnPath(name, { path = process.env.PATH ?? "", cache = false } = {}) {
    const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
    return folders
        .filter((folder) => isAbsolute(folder) && (cache || !folder.startsWith(cacheDir)))
        .map((folder) => join(folder, name))
        .find(isExecutable);
}

/**
 * The static QEMU that runs programs of another architecture, or nothing.
 * @param {Arch} arch
 */
export function findQemu(arch) {
    const machine = qemuMachine(arch);
    return findOnPath(`qemu-${machine}-static`) ?? findOnPath(`qemu-${machine}`);
}

/**
 * QEMU's own name of an architecture, also the one that binfmt_misc entries carry: `aarch64`, `x86_64`.
 * @param {Arch} arch
 */
export function qemuMachine(arch) {
    return { amd64: "x86_64", arm64: "aarch64" }[arch];
}

/**
 * Makes sure that the system's commands are there, and installs the Debian packages of those that are not.
 * @param {{ emulate?: Arch[] }} [options] `emulate`: architectures to run; the machine's own needs nothing
 */
export async function ensureSystem({ emulate = ["amd64", "arm64"] } = {}) {
    const host = hostArch();
    const wanted = Object.entries(PACKAGES)
        .filter(([command]) => findOnPath(command) === undefined)
        .map(([, entry]) => ({ ...entry }));
    for (const arch of emulate.filter((one) => one !== host && findQemu(one) === undefined)) {
        wanted.push(/** @type {any} */ ({ package: "qemu-user-static", why: `emulating ${arch}` }));
    }
    if (wanted.length > 0) {
        await installPackages(wanted);
    }
}

/**
 * @param {{ package: string, why: string }[]} wanted
 */
async function installPackages(wanted) {
    const names = wanted.map((entry) => entry.package);
    const list = wanted.map((entry) => `${entry.package} (${entry.why})`).join(", ");
    const command = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
    const apt = findOnPath("apt-get");
    if (apt === undefined) {
        throw new SetupError(`missing system packages, by their Debian names: ${list}`, {
            hint: "Install what your system calls them, then run this again.",
        });
    }
    if (!isRoot()) {
        throw new SetupError(`missing system packages: ${list}`, { hint: `As root: apt-get update && ${command}` });
    }
    say(`installing system packages: ${list}`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const { stdout } = await capture(["apt-cache", "policy", ...names], { env });
    const known = (stdout.match(/Candidate: (?!\(none\))/g) ?? []).length;
    if (known < names.length) {
        await step("apt-get update", () => run([apt, "update"], { env, logFile: join(logDir, "apt-update.log") }));
    }
    const install = [apt, "install", "-y", "--no-install-recommends", ...names];
    const logFile = join(logDir, "apt-install.log");
    await step(command, async () => {
        try {
            await run(install, { env, logFile });
        } catch {
            // Package lists that are too old name files that the mirror has replaced since.
            await run([apt, "update"], { env, logFile: join(logDir, "apt-update.log") });
            await run(install, { env, logFile });
        }
    });
}

/** @param {string} path */
export function isExecutable(path) {
    try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
    } catch {
        return false;
    }
}
