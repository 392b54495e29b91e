const HEARTBEAT_MS = 15_000;

/** A problem the reader can solve: `message` says what is missing, `hint` how to get it. No stack is shown. */
export class SetupError extends Error {
    /**
     * @param {string} message
     * @param {{ hint?: string, cause?: unknown }} [options]
     */
    constructor(message, { hint, cause } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.name = "SetupError";
        this.hint = hint;
    }
}

/**
 * Prints one progress line.
 * @param {string} text
 */
export function say(text) {
    process.stdout.write(`${text}\n`);
}

/**
 * Runs one step: says what starts, says now and then that it still runs, and how long it took.
 * @template T
 * @param {string} label what is done, such as `building pulumi 3.259.0`
 * @param {() => T | Promise<T>} work
 * @param {{ expect?: string }} [options] `expect` tells how long it usually takes
 * @returns {Promise<T>}
 */
export async function step(label, work, { expect } = {}) {
    const started = Date.now();
    const usual = expect === undefined ? "" : `, ${expect}`;
    say(`${label}${expect === undefined ? "" : ` (${expect})`}`);
    const heartbeat = setInterval(() => {
        say(`${label} (${formatDuration(Date.now() - started)}${usual})`);
    }, HEARTBEAT_MS);
    try {
        const result = await work();
        say(`${label}: done in ${formatDuration(Date.now() - started)}`);
        return result;
    } catch (error) {
        say(`${label}: failed after ${formatDuration(Date.now() - started)}`);
        throw error;
    } finally {
        clearInterval(heartbeat);
    }
}

/**
 * Writes a duration as people say it: `0.4s`, `12s`, `1m30s`.
 * @param {number} milliseconds
 */
export function formatDuration(milliseconds) {
    if (milliseconds < 9_950) {
        return `${(milliseconds / 1000).toFixed(1)}s`;
    }
    const seconds = Math.round(milliseconds / 1000);
    return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}

/**
 * Prints an error as a person needs it: a stack only for a mistake of ours.
 * @param {unknown} error
 */
export function showError(error) {
    const plain = error instanceof Error && ["SetupError", "CommandError"].includes(error.name);
    const text = plain ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`\nerror: ${text}\n`);
    if (error instanceof SetupError && error.hint !== undefined) {
        process.stderr.write(`${error.hint}\n`);
    }
}

/**
 * Runs a script's main function: a number it returns is the exit code, an error is shown and exits with 1.
 * @param {() => Promise<number | void>} main
 */
export async function runMain(main) {
    try {
        process.exitCode = (await main()) ?? 0;
    } catch (error) {
        showError(error);
        process.exitCode = 1;
    }
}
