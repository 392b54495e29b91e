import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SetupError, step } from "./console.mjs";
import { capture, run } from "./exec.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, ensureDir, logDir } from "./paths.mjs";
import { readJson, writeJson } from "./stamp.mjs";
import { findOnPath } from "./system.mjs";

/**
 * A Docker daemon to run in the tests.
 * @typedef {object} Docker
 * @property {string} file the daemon itself
 * @property {NodeJS.ProcessEnv} env what it needs to find its own programs and libraries
 * @property {string | undefined} init the small init of its containers, where the daemon does not know it by itself
 */

// Raised when the way of unpacking changes.
const RECIPE = "1";

const dockerDir = join(cacheDir, "docker");
const root = join(dockerDir, "root");

/**
 * The Docker daemon of this machine. Where there is none, Debian's is unpacked into the cache: installing it would start
 * a service, which changes the machine's own firewall.
 * @returns {Promise<Docker>}
 */
export async function ensureDocker() {
    const installed = findOnPath("dockerd");
    if (installed !== undefined && findOnPath("containerd") !== undefined) {
        return { file: installed, env: {}, init: undefined };
    }
    if (!isUnpacked()) {
        await withLock("docker", async () => {
            if (!isUnpacked()) {
                await step("unpack Debian's docker.io into the cache", unpackDocker);
            }
        });
    }
    const libraries = ["lib", "usr/lib"].flatMap((folder) => listLibraryFolders(join(root, folder)));
    const init = join(root, "usr/bin/tini-static");
    return {
        file: join(root, "usr/sbin/dockerd"),
        env: {
            PATH: `${join(root, "usr/sbin")}:${join(root, "usr/bin")}:${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
            LD_LIBRARY_PATH: libraries.join(":"),
        },
        init: existsSync(init) ? init : undefined,
    };
}

function isUnpacked() {
    return readJson(join(dockerDir, "stamp.json"))?.recipe === RECIPE;
}

/** Downloads what the system lacks for docker.io, with its own package sources and keys, and installs nothing. */
async function unpackDocker() {
    rmSync(dockerDir, { recursive: true, force: true });
    const archives = join(dockerDir, "archives");
    ensureDir(join(archives, "partial"));
    const env = { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
    const options = ["--assume-yes", "--no-install-recommends", "--download-only"];
    const download = ["apt-get", ...options, "-o", `Dir::Cache::archives=${archives}`, "install", "docker.io"];
    let { exitCode, output } = await capture(download, { env });
    if (exitCode !== 0) {
        // Lists that are missing or too old.
        await run(["apt-get", "update"], { env, logFile: join(logDir, "apt-update.log") });
        ({ exitCode, output } = await capture(download, { env }));
    }
    if (exitCode !== 0) {
        const lines = output.split("\n").filter((line) => /^[EW]:/.test(line));
        throw new SetupError(`apt-get could not download docker.io:\n${lines.join("\n")}`, {
            hint: "Install a Docker daemon in the way of your system, and let it be on PATH.",
        });
    }
    for (const archive of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
        await run(["dpkg-deb", "--extract", join(archives, archive), root]);
    }
    rmSync(archives, { recursive: true, force: true });
    writeJson(join(dockerDir, "stamp.json"), { recipe: RECIPE });
}

/** @param {string} folder */
function listLibraryFolders(folder) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.filter((name) => name.endsWith("-linux-gnu")).map((name) => join(folder, name));
}

/**
 * The capabilities, such as `CAP_SYS_RESOURCE`, that no process here can have: a privileged container is refused for
 * each of them.
 */
export function findMissingCapabilities() {
    const status = readFileSync("/proc/self/status", "utf8");
    const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
    return capabilities.filter((_, position) => ((bounding >> BigInt(position)) & 1n) === 0n);
}

// In the order of their numbers, see linux/capability.h.
const capabilities = [
    ...["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"],
    ...["LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER"],
    ...["SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"],
    ...["SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP"],
    ...["MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"],
    ...["CHECKPOINT_RESTORE"],
].map((name) => `CAP_${name}`);
