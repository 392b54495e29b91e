import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { ensureDir } from "./paths.mjs";

const TAIL_LINES = 20;
const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** A command that could not be started or ended with something else than 0. */
export class CommandError extends Error {
    /**
     * @param {string} message
     * @param {{ exitCode?: number | null, logFile?: string, cause?: unknown }} [details]
     */
    constructor(message, { exitCode = null, logFile, cause } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.name = "CommandError";
        this.exitCode = exitCode;
        this.logFile = logFile;
    }
}

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] the whole environment; that of this process when not given
 * @property {string} [cwd]
 * @property {string} [logFile] takes the output instead of the terminal
 */

/**
 * Runs a command to its end. Throws a CommandError with the last lines of the log when it fails.
 * @param {string[]} argv
 * @param {RunOptions} [options]
 */
export async function run(argv, { env, cwd, logFile } = {}) {
    const output = logFile === undefined ? "inherit" : openLog(logFile);
    try {
        const { exitCode, signal } = await waitFor(spawnCommand(argv, { env, cwd }, ["ignore", output, output]), argv);
        if (exitCode !== 0) {
            const reason = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
            const tail = logFile === undefined ? "" : `:\n${tailOf(logFile)}\nwhole log: ${logFile}`;
            throw new CommandError(`${nameOf(argv)} ended with ${reason}${tail}`, { exitCode, logFile });
        }
    } finally {
        if (typeof output === "number") {
            closeSync(output);
        }
    }
}

/**
 * Runs a command and returns what it printed; a failing command is an answer, not an exception.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{
 *     exitCode: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string, output: string,
 * }>} `output` is both streams as they came
 */
export async function capture(argv, options = {}) {
    const child = spawnCommand(argv, options, ["ignore", "pipe", "pipe"]);
    const texts = { stdout: "", stderr: "", output: "" };
    for (const name of /** @type {const} */ (["stdout", "stderr"])) {
        child[name]?.setEncoding("utf8").on("data", (chunk) => {
            texts[name] += chunk;
            texts.output += chunk;
        });
    }
    return { ...(await waitFor(child, argv)), ...texts };
}

/**
 * How a command ended that ran in the user's terminal.
 * @typedef {object} Ending
 * @property {number} exitCode as a shell would give it: 128 and the signal's number where one has ended it
 * @property {NodeJS.Signals | null} signal the one that has ended it
 * @property {NodeJS.Signals | null} interrupt the one that this process has got meanwhile
 */

/**
 * Runs a command in the user's terminal, input included. When this process is told to end, the command is, and this
 * process waits until it has ended in its own way.
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, held?: boolean }} [options] `held`: return what it prints
 * @returns {Promise<Ending & { output: string }>} `output` is empty unless it is held
 */
export async function passThrough(argv, { held = false, ...options } = {}) {
    const child = spawnCommand(argv, options, held ? ["ignore", "pipe", "pipe"] : ["inherit", "inherit", "inherit"]);
    const forwarding = forwardSignals(child);
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (chunk) => (printed += chunk));
    }
    try {
        const { exitCode, signal } = await waitFor(child, argv);
        const code = exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]);
        return { exitCode: code, signal, output: printed, interrupt: forwarding.first() };
    } finally {
        forwarding.end();
    }
}

/**
 * Sends a child the signals that this process gets, instead of ending.
 * @param {import("node:child_process").ChildProcess} child
 */
function forwardSignals(child) {
    /** @type {NodeJS.Signals | null} */
    let first = null;
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
        first ??= signal;
        // Ctrl-C reaches the child through the terminal; for many programs a second one means to end at once.
        if (signal !== "SIGINT" || !process.stdin.isTTY) {
            child.kill(signal);
        }
    };
    FORWARDED.forEach((signal) => process.on(signal, forward));
    return { first: () => first, end: () => FORWARDED.forEach((signal) => process.off(signal, forward)) };
}

/**
 * The last lines of a log, for an error message.
 * @param {string} logFile
 */
export function tailOf(logFile) {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}

/**
 * @param {string[]} argv
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} options
 * @param {import("node:child_process").StdioOptions} stdio
 */
function spawnCommand(argv, { env = process.env, cwd }, stdio) {
    const [command, ...args] = argv;
    return spawn(/** @type {string} */ (command), args, { env, cwd, stdio });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {string[]} argv
 * @returns {Promise<{ exitCode: number | null, signal: NodeJS.Signals | null }>}
 */
function waitFor(child, argv) {
    return new Promise((resolve, reject) => {
        child.on("error", (error) => {
            reject(new CommandError(`${nameOf(argv)} could not be started: ${error.message}`, { cause: error }));
        });
        child.on("close", (exitCode, signal) => resolve({ exitCode, signal }));
    });
}

/** @param {string} logFile */
function openLog(logFile) {
    ensureDir(dirname(logFile));
    return openSync(logFile, "w");
}

/**
 * The command without its arguments after the first: enough to know it, too little to show a secret.
 * @param {string[]} argv
 */
function nameOf(argv) {
    return argv.slice(0, 2).join(" ");
}
