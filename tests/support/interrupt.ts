import { constants } from "node:os";

import { endOwnPrograms, removeLeftovers } from "./leftovers";
import { stopWorld } from "./world";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const parentPollMs = 500;

let ending: Promise<void> | undefined;

/** Makes this process take away everything it has started when it is told to end, and only then end. */
export function cleanUpOnInterrupt(): void {
    for (const signal of signals) {
        process.on(signal, () => void end(signal));
    }
    // npm test names the file for its totals: when it is killed, nobody reads them any more.
    if (process.env["MULTIARCH_TEST_REPORT"]) {
        const parent = process.ppid;
        const watch = setInterval(() => {
            if (process.ppid !== parent) {
                void end("SIGHUP");
            }
        }, parentPollMs);
        watch.unref();
    }
}

/** Ctrl-C reaches this process more than once, from the terminal and from npm: all but the first mean nothing new. */
function end(signal: (typeof signals)[number]): Promise<void> {
    ending ??= cleanUp(signal).finally(() => process.exit(128 + constants.signals[signal]));
    return ending;
}

async function cleanUp(signal: string): Promise<void> {
    try {
        process.stderr.write(`\n${signal}: ending what the tests have started\n`);
        // The world first refuses to start again, then ends once nothing uses it any more.
        const programs = endOwnPrograms();
        await stopWorld(programs);
        await removeLeftovers((pid) => pid === process.pid);
    } catch (error) {
        process.stderr.write(`${String(error)}\nThe next run takes away what is left.\n`);
    }
}
