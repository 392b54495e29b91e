import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { findDaemon, startDaemon, waitFor } from "./daemon.mjs";
import { ensureDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";
import { containersBelow, listensOn, mountsBelow } from "./processes.mjs";
import { hashOf } from "./stamp.mjs";
import { findOnPath, hostArch } from "./system.mjs";

/** Tells the provider that a builder runs its platform by emulation, which is refused unless the user allows it. */
export const EMULATED_LABEL = "dev.pulumi-multiarch.emulated";

// A path of a Unix socket holds 107 bytes and a zero, see unix(7).
const MAX_SOCKET_PATH = 107;
const CONTAINERS_END_SECONDS = 5;

/**
 * @typedef {object} BuildkitdOptions
 * @property {string} binary
 * @property {string} [name] names the process, its log and its pid file; `buildkitd` when not given
 * @property {string} dir what the daemon keeps; created when missing
 * @property {string} platform the only one it builds for, such as `linux/arm64`
 * @property {string} address where it listens: `tcp://ip:port` or `unix:///path`
 * @property {{ caFile: string, certFile: string, keyFile: string }} [tls] clients need a certificate of this CA
 * @property {Record<string, { caFile: string }>} [registries] the CA of each registry, by `host:port`
 * @property {string} [mirror] a registry that is asked before Docker Hub, as `host:port`
 * @property {string} [netns] a network namespace to run in
 * @property {Record<string, string>} [labels] of its worker
 * @property {string[]} [entitlements] what builds may ask for, such as `security.insecure`; nothing when not given
 */

/**
 * A BuildKit daemon that runs.
 * @typedef {import("./daemon.mjs").Daemon & { address: string, platform: string, emulated: boolean, reused: boolean }}
 *     Buildkitd
 */

/**
 * Starts a BuildKit daemon for one platform.
 * @param {BuildkitdOptions} options
 * @returns {Promise<Buildkitd>}
 */
export async function startBuildkitd(options) {
    const { binary, name = "buildkitd", platform, address, tls, netns } = options;
    const dir = ensureDir(resolve(options.dir));
    const emulated = isEmulated(platform);
    const labels = { ...(emulated ? { [EMULATED_LABEL]: "true" } : {}), ...options.labels };
    const config = describeBuildkitd({ ...options, dir, labels });
    const configFile = join(dir, `${name}.toml`);
    const daemon = await startDaemon({
        name,
        dir,
        argv: [binary, "--config", configFile],
        // buildkitd reads its certificates only once.
        configuration: hashOf([
            config,
            ...[tls?.caFile, tls?.certFile].map((file) => (file ? readFileSync(file) : "")),
        ]),
        beforeStart: () => writePrivate(configFile, config),
        netns,
        isReady: (pid) => isListening(pid, address),
    });
    return { ...daemon, address, platform, emulated, stop: () => stopBuildkitd({ name, dir }) };
}

/**
 * Stops a daemon, also one that another process started, and ends what it left behind: containers and mounts. What it
 * built stays on the disk.
 * @param {{ name?: string, dir: string }} where
 */
export async function stopBuildkitd({ name = "buildkitd", dir }) {
    const root = resolve(dir);
    await findDaemon({ name, dir: root })?.stop();
    await waitFor(() => {
        const left = containersBelow(root);
        left.forEach(kill);
        return left.length === 0;
    }, CONTAINERS_END_SECONDS);
    for (const path of mountsBelow(root)) {
        spawnSync("umount", ["--lazy", path]);
    }
    rmSync(socketPath(root), { force: true });
}

/**
 * True when this machine runs a platform only by emulation.
 * @param {string} platform
 */
export function isEmulated(platform) {
    const native = { amd64: ["amd64", "386"], arm64: ["arm64", "arm"] }[hostArch()];
    return !native.includes(platform.split("/")[1] ?? "");
}

/**
 * The configuration of a daemon. See https://docs.docker.com/build/buildkit/toml-configuration/
 * @param {BuildkitdOptions} options
 */
function describeBuildkitd({ dir, platform, address, tls, registries = {}, mirror, labels = {}, entitlements = [] }) {
    const lines = [
        line("root", join(dir, "root")),
        line("insecure-entitlements", entitlements),
        "[grpc]",
        line("address", [address]),
        ...(tls === undefined
            ? []
            : ["[grpc.tls]", line("ca", tls.caFile), line("cert", tls.certFile), line("key", tls.keyFile)]),
        // By default all daemons of a machine share one socket.
        "[otel]",
        line("socketPath", socketPath(dir)),
        "[cdi]",
        line("disabled", true),
        "[worker.containerd]",
        line("enabled", false),
        "[worker.oci]",
        line("enabled", true),
        line("binary", findOnPath("runc") ?? "runc"),
        line("platforms", [platform]),
        line("networkMode", "host"),
        line("gc", true),
        line("reservedSpace", "1GB"),
        line("maxUsedSpace", "10GB"),
        "[worker.oci.labels]",
        ...Object.entries(labels).map(([key, value]) => line(JSON.stringify(key), value)),
        ...(mirror === undefined ? [] : ['[registry."docker.io"]', line("mirrors", [mirror])]),
        ...Object.entries(registries).flatMap(([host, { caFile }]) => [
            `[registry.${JSON.stringify(host)}]`,
            // An address on this machine would be taken for plain HTTP.
            line("http", false),
            line("ca", [caFile]),
        ]),
    ];
    return `${lines.join("\n")}\n`;
}

/**
 * One line of TOML, whose strings, lists and booleans are written as in JSON.
 * @param {string} key
 * @param {string | string[] | boolean} value
 */
function line(key, value) {
    return `${key} = ${JSON.stringify(value)}`;
}

/** @param {string} dir */
function socketPath(dir) {
    const path = join(dir, "otel.sock");
    return Buffer.byteLength(path) <= MAX_SOCKET_PATH ? path : `/run/multiarch-${hashOf([dir]).slice(0, 12)}.sock`;
}

/**
 * @param {number} pid
 * @param {string} address
 */
function isListening(pid, address) {
    const url = new URL(address);
    return url.protocol === "unix:" ? existsSync(url.pathname) : listensOn(pid, Number(url.port));
}

/** @param {number} pid */
function kill(pid) {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has just ended by itself.
    }
}
