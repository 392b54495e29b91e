import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findOnPath } from "./system.mjs";
import { ensureUnpacked, libraryPath } from "./unpacked.mjs";

/**
 * A Docker daemon to run in the tests.
 * @typedef {object} Docker
 * @property {string} file the daemon itself
 * @property {NodeJS.ProcessEnv} env what it needs to find its own programs and libraries
 * @property {string | undefined} init the small init of its containers, where the daemon does not know it by itself
 */

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
    const hint = "Install a Docker daemon in the way of your system, and let it be on PATH.";
    const root = await ensureUnpacked({ name: "docker", packageName: "docker.io", hint });
    const init = join(root, "usr/bin/tini-static");
    return {
        file: join(root, "usr/sbin/dockerd"),
        env: {
            PATH: `${join(root, "usr/sbin")}:${join(root, "usr/bin")}:${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
            LD_LIBRARY_PATH: libraryPath(root),
        },
        init: existsSync(init) ? init : undefined,
    };
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
