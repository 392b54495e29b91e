import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { run, capture } from "./exec.mjs";
import { say, SetupError, step } from "./console.mjs";
import { cacheDir, logDir } from "./paths.mjs";

/** @typedef {"amd64" | "arm64"} Arch an architecture as Go and container platforms name it */

/** Packages of Debian and its relatives, by the command that we need from them. */
const PACKAGES = /** @type {const} */ ({
    curl: { package: "curl", why: "looking into the registry from outside" },
    git: { package: "git", why: "git build contexts" },
    ip: { package: "iproute2", why: "the builders' own networks" },
    runc: { package: "runc", why: "running containers" },
    "ssh-agent": { package: "openssh-client", why: "agents and keys for build steps, builders behind ssh" },
    "mkfs.ext4": { package: "e2fsprogs", why: "small disks in tests" },
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
 * @param {{ path?: string }} [options]
 * @returns {string | undefined}
 */
export function findOnPath(name, { path = process.env.PATH ?? "" } = {}) {
    const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
    return folders
        .filter((folder) => isAbsolute(folder) && !folder.startsWith(cacheDir))
        .map((folder) => join(folder, name))
        .find(isExecutable);
}

/**
 * The static QEMU that runs programs of another architecture, or nothing.
 * @param {Arch} arch
 */
export function findQemu(arch) {
    const machine = qemuMachine(arch);
    return [`qemu-${machine}-static`, `qemu-${machine}`]
        .map((name) => findOnPath(name))
        .find((path) => path !== undefined && isStatic(path));
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
    const missing = findMissing(emulate);
    if (missing.length > 0) {
        await installPackages(missing);
        const still = findMissing(emulate);
        if (still.length > 0) {
            throw new SetupError(`installed, but still not found on PATH: ${listOf(still)}`);
        }
    }
}

/**
 * Makes sure that commands are there which only a part of the tests needs, and installs the packages of those that are not.
 * @param {Record<string, Missing>} wanted by the name of the command
 */
export async function ensureCommands(wanted) {
    const missing = Object.entries(wanted).filter(([command]) => findOnPath(command) === undefined);
    if (missing.length > 0) {
        await installPackages(missing.map(([, entry]) => entry));
    }
}

/**
 * @typedef {{ package: string, why: string }} Missing
 *
 * @param {Arch[]} emulate
 * @returns {Missing[]}
 */
function findMissing(emulate) {
    const host = hostArch();
    const commands = Object.entries(PACKAGES).filter(([command]) => findOnPath(command) === undefined);
    const foreign = emulate.filter((arch) => arch !== host && findQemu(arch) === undefined);
    return [
        ...commands.map(([, missing]) => missing),
        ...foreign.map((arch) => ({ package: "qemu-user-static", why: `emulating ${arch}` })),
    ];
}

/** @param {Missing[]} missing */
function listOf(missing) {
    return missing.map((entry) => `${entry.package} (${entry.why})`).join(", ");
}

/** @param {Missing[]} missing */
async function installPackages(missing) {
    const names = missing.map((entry) => entry.package);
    const list = listOf(missing);
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
    const env = { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
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

/**
 * Whether a program needs no dynamic loader: one that does cannot interpret programs inside a container. The loader's path
 * stands near the start of the file.
 * @param {string} path
 */
function isStatic(path) {
    const head = Buffer.alloc(4096);
    const file = openSync(path, "r");
    try {
        readSync(file, head);
    } finally {
        closeSync(file);
    }
    return !head.includes("/ld-linux");
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
