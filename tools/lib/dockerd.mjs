import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { findDaemon, startDaemon, waitFor } from "./daemon.mjs";
import { findMissingCapabilities } from "./docker.mjs";
import { ensureDir } from "./paths.mjs";
import { containersBelow, mountsBelow } from "./processes.mjs";
import { findOnPath } from "./system.mjs";

const CONTAINERS_END_SECONDS = 5;

/**
 * @typedef {object} DockerdOptions
 * @property {import("./docker.mjs").Docker} docker
 * @property {string} dir what the daemon keeps; created when missing
 * @property {string} [netns] a network namespace to run in
 * @property {string} [caFile] the CAs of the registries it pulls from
 */

/**
 * Starts a Docker daemon that changes nothing of the network it runs in: it has no bridge, so its containers need the
 * network `host`.
 * @param {DockerdOptions} options
 * @returns {Promise<import("./daemon.mjs").Daemon & { address: string }>}
 */
export async function startDockerd({ docker, dir, netns, caFile }) {
    const root = ensureDir(resolve(dir));
    const socket = join(root, "docker.sock");
    const configFile = join(root, "daemon.json");
    writeFileSync(configFile, JSON.stringify({ runtimes: {} }));
    const network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"];
    const daemon = await startDaemon({
        name: "dockerd",
        dir: root,
        argv: [
            docker.file,
            ...["--config-file", configFile],
            ...["--data-root", join(root, "data")],
            ...["--exec-root", join(root, "exec")],
            ...["--pidfile", join(root, "dockerd.process")],
            ...["--host", `unix://${socket}`],
            ...["--storage-driver", "overlay2"],
            ...["--shutdown-timeout", "5"],
            ...network,
            ...(docker.init === undefined ? [] : ["--init-path", docker.init]),
            ...runtimeOptions(root),
        ],
        env: { ...process.env, ...docker.env, ...(caFile === undefined ? {} : { SSL_CERT_FILE: caFile }) },
        netns,
        isReady: () => answersPing(socket),
    });
    return { ...daemon, address: `unix://${socket}`, stop: () => stopDockerd(root) };
}

/**
 * Stops a daemon and ends what it left behind: containers and mounts.
 * @param {string} dir
 */
export async function stopDockerd(dir) {
    const root = resolve(dir);
    await findDaemon({ name: "dockerd", dir: root })?.stop();
    await waitFor(() => {
        const left = containersBelow(root);
        left.forEach(kill);
        return left.length === 0;
    }, CONTAINERS_END_SECONDS);
    for (const path of mountsBelow(root)) {
        spawnSync("umount", ["--lazy", path]);
    }
}

/**
 * Inside a container or a sandbox there may be less than all capabilities, and a privileged container wants all. There
 * runc is started by a script that takes away those that nobody can have.
 * @param {string} root
 */
function runtimeOptions(root) {
    const missing = findMissingCapabilities();
    const runc = findOnPath("runc");
    if (missing.length === 0 || runc === undefined) {
        return [];
    }
    const edits = missing.flatMap((name) => [`-e 's/"${name}",//g'`, `-e 's/,"${name}"//g'`]).join(" ");
    const script = join(root, "runc");
    writeFileSync(
        script,
        [
            "#!/bin/sh",
            "before=",
            'for argument in "$@"; do',
            "    file=",
            "    case $before in",
            "        --bundle) file=$argument/config.json ;;",
            "        --process) file=$argument ;;",
            "    esac",
            `    [ -z "$file" ] || sed -i ${edits} "$file"`,
            "    before=$argument",
            "done",
            `exec ${runc} "$@"`,
            "",
        ].join("\n"),
    );
    chmodSync(script, 0o700);
    return ["--add-runtime", `limited=${script}`, "--default-runtime", "limited"];
}

/** @param {string} socketPath */
function answersPing(socketPath) {
    return new Promise((answer) => {
        const ping = request({ socketPath, path: "/_ping", timeout: 1_000 }, (response) => {
            response.resume();
            answer(response.statusCode === 200);
        });
        ping.on("timeout", () => ping.destroy());
        ping.on("error", () => answer(false));
        ping.end();
    });
}

/** @param {number} pid */
function kill(pid) {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has just ended by itself.
    }
}
