import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "./daemon.mjs";
import { ensureDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";
import { listensOn } from "./processes.mjs";
import { findOnPath } from "./system.mjs";
import { ensureUnpacked, libraryPath } from "./unpacked.mjs";

const PORT = 22;

/**
 * The ssh server of this machine; where there is none, Debian's, unpacked into the cache: installing it would start it.
 * @returns {Promise<{ file: string, env: NodeJS.ProcessEnv }>} the program, and what it needs to find its libraries
 */
export async function ensureSshd() {
    const installed = findOnPath("sshd");
    if (installed !== undefined) {
        return { file: installed, env: {} };
    }
    const hint = "Install an ssh server in the way of your system.";
    const root = await ensureUnpacked({ name: "sshd", packageName: "openssh-server", hint });
    return { file: join(root, "usr/sbin/sshd"), env: { LD_LIBRARY_PATH: libraryPath(root) } };
}

/**
 * @typedef {object} SshdOptions
 * @property {string} name of the process, its log and its pid file
 * @property {string} dir for what it needs; created when missing
 * @property {string} netns the network namespace it runs in
 * @property {string} user the only user: root by another name, who is known to nobody else
 * @property {string} hostKeyFile the private key of the host
 * @property {string} authorizedKeysFile the keys that the user may log in with
 * @property {string} path where commands of the user are looked for
 */

/**
 * Starts an ssh server on port 22 of a network namespace. It has an /etc/passwd and a /run of its own, for the user it
 * needs and the one who logs in: the system is not changed.
 * @param {SshdOptions} options
 */
export async function startSshd({ name, dir, netns, user, hostKeyFile, authorizedKeysFile, path }) {
    const { file, env } = await ensureSshd();
    ensureDir(dir);
    const known = readFileSync("/etc/passwd", "utf8");
    const own = /^sshd:/m.test(known) ? "" : "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n";
    const passwdFile = join(dir, `${name}.passwd`);
    writePrivate(passwdFile, `${known.trimEnd()}\n${own}${user}:*:0:0::/root:/bin/sh\n`);
    const configFile = join(dir, `${name}.conf`);
    const settings = [
        `Port ${PORT}`,
        `HostKey ${hostKeyFile}`,
        `AuthorizedKeysFile ${authorizedKeysFile}`,
        `AllowUsers ${user}`,
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "StrictModes no",
        "UsePAM no",
        "PidFile none",
        `SetEnv PATH=${path}`,
    ];
    writePrivate(configFile, `${settings.join("\n")}\n`);
    const script = [
        'mount --bind "$1" /etc/passwd',
        "mount -t tmpfs -o mode=755 tmpfs /run",
        "mkdir /run/sshd",
        'exec "$2" -D -e -f "$3"',
    ].join(" && ");
    return startDaemon({
        name,
        dir,
        argv: ["unshare", "--mount", "sh", "-c", script, "sh", passwdFile, file, configFile],
        env: { ...process.env, ...env },
        netns,
        isReady: (pid) => listensOn(pid, PORT),
    });
}
