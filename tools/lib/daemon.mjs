import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./console.mjs";
import { tailOf } from "./exec.mjs";
import { ensureDir } from "./paths.mjs";
import { processesWith, startTimeOf } from "./processes.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";

const POLL_MS = 50;
const READY_SECONDS = 30;
const STOP_SECONDS = 10;

/**
 * A process that goes on after the one that started it.
 * @typedef {object} Daemon
 * @property {string} name
 * @property {number} pid
 * @property {string} logFile
 * @property {() => boolean} isRunning
 * @property {() => Promise<void>} stop asks it to end, and ends it if it does not
 */

/**
 * @typedef {object} DaemonOptions
 * @property {string} name names the log and the pid file
 * @property {string} dir where these two are
 * @property {string[]} argv
 * @property {NodeJS.ProcessEnv} [env] the whole environment; that of this process when not given
 * @property {string} [netns] a network namespace to run in
 * @property {string} [configuration] what it runs with beyond argv: a running one with another is replaced
 * @property {() => void} [beforeStart] writes what the new process reads; not called for one that runs on
 * @property {(pid: number) => boolean | Promise<boolean>} isReady asked again and again until true
 * @property {number} [readySeconds] how long it may take; 30 when not given
 */

/**
 * Starts a daemon and waits until it is ready. One that runs already with the same command and configuration is taken
 * as it is; one that runs with others is replaced.
 * @param {DaemonOptions} options
 * @returns {Promise<Daemon & { reused: boolean }>}
 */
export async function startDaemon(options) {
    const { name, dir, argv, env, netns, configuration = "", beforeStart, isReady, readySeconds } = options;
    // Not `ip netns exec`: it mounts a /sys of its own, without the cgroups that containers need.
    const command = netns === undefined ? argv : ["nsenter", `--net=/run/netns/${netns}`, ...argv];
    const fingerprint = hashOf([...command, configuration]);
    const running = findDaemon({ name, dir });
    if (running !== undefined && running.fingerprint === fingerprint && (await isReady(running.pid))) {
        return { ...running, reused: true };
    }
    await running?.stop();

    beforeStart?.();
    const pid = spawnDetached(command, { env, logFile: logFileOf(dir, name) });
    const startTime = startTimeOf(pid);
    writeJson(pidFileOf(dir, name), { pid, startTime, fingerprint });
    const daemon = describe({ name, dir, pid, startTime });
    try {
        await waitUntilReady(daemon, isReady, readySeconds ?? READY_SECONDS);
    } catch (error) {
        await daemon.stop();
        throw error;
    }
    return { ...daemon, reused: false };
}

/**
 * Finds a daemon by its pid file, or by its configuration file where that is missing or names another process.
 * Undefined when it does not run any more. Stopping it stops all that run with this configuration file.
 * @param {{ name: string, dir: string }} where
 * @returns {(Daemon & { fingerprint?: string }) | undefined}
 */
export function findDaemon({ name, dir }) {
    const record = readJson(pidFileOf(dir, name));
    const strays = processesWithConfig({ name, dir }).map((pid) => ({ pid, startTime: startTimeOf(pid) }));
    const others = strays.filter(({ pid }) => pid !== record?.pid);
    const running = [...(record ? [record] : []), ...others]
        .map(({ pid, startTime, fingerprint }) => ({ ...describe({ name, dir, pid, startTime }), fingerprint }))
        .filter((daemon) => daemon.isRunning());
    const [first] = running;
    const stop = async () => void (await Promise.all(running.map((daemon) => daemon.stop())));
    return first && { ...first, stop };
}

/**
 * The processes that were started as `registry serve FILE` or `buildkitd --config FILE` with the file of this daemon.
 * @param {{ name: string, dir: string }} where
 */
function processesWithConfig({ name, dir }) {
    return [
        ...processesWith(["serve", join(dir, `${name}.json`)]),
        ...processesWith(["--config", join(dir, `${name}.toml`)]),
    ];
}

/**
 * Waits until a condition holds. Returns false when it still does not after so many seconds.
 * @param {() => boolean | Promise<boolean>} condition
 * @param {number} seconds
 */
export async function waitFor(condition, seconds) {
    const deadline = Date.now() + seconds * 1000;
    while (!(await condition())) {
        if (Date.now() > deadline) {
            return false;
        }
        await sleep(POLL_MS);
    }
    return true;
}

/**
 * @param {{ name: string, dir: string, pid: number, startTime: string | undefined }} process
 * @returns {Daemon}
 */
function describe({ name, dir, pid, startTime }) {
    const isRunning = () => startTime !== undefined && startTimeOf(pid) === startTime;
    const stop = async () => {
        // A group of its own, see spawnDetached: what it started ends with it when it does not listen.
        for (const [signal, target] of /** @type {const} */ ([
            ["SIGTERM", pid],
            ["SIGKILL", -pid],
        ])) {
            if (isRunning()) {
                process.kill(target, signal);
                await waitFor(() => !isRunning(), STOP_SECONDS);
            }
        }
        // By now the file may be that of another process.
        if (readJson(pidFileOf(dir, name))?.pid === pid) {
            rmSync(pidFileOf(dir, name), { force: true });
        }
    };
    return { name, pid, logFile: logFileOf(dir, name), isRunning, stop };
}

/**
 * @param {Daemon} daemon
 * @param {(pid: number) => boolean | Promise<boolean>} isReady
 * @param {number} seconds
 */
async function waitUntilReady(daemon, isReady, seconds) {
    const isDecided = async () => !daemon.isRunning() || (await isReady(daemon.pid));
    const decided = await waitFor(isDecided, seconds);
    if (decided && daemon.isRunning()) {
        return;
    }
    const reason = decided ? "ended right after its start" : `was not ready after ${seconds} s`;
    throw new SetupError(`${daemon.name} ${reason}:\n${tailOf(daemon.logFile)}`, {
        hint: `Its log: ${daemon.logFile}`,
    });
}

/**
 * @param {string[]} argv
 * @param {{ env: NodeJS.ProcessEnv | undefined, logFile: string }} options
 */
function spawnDetached([command, ...args], { env = process.env, logFile }) {
    ensureDir(join(logFile, ".."));
    const log = openSync(logFile, "w", 0o600);
    try {
        const child = spawn(/** @type {string} */ (command), args, {
            env,
            detached: true,
            stdio: ["ignore", log, log],
        });
        child.on("error", () => undefined);
        child.unref();
        if (child.pid === undefined) {
            throw new SetupError(`${command} could not be started`, { hint: "Is it installed?" });
        }
        return child.pid;
    } finally {
        closeSync(log);
    }
}

/** @param {string} dir @param {string} name */
function logFileOf(dir, name) {
    return join(dir, `${name}.log`);
}

/** @param {string} dir @param {string} name */
function pidFileOf(dir, name) {
    return join(dir, `${name}.pid`);
}
