import { setTimeout as sleep } from "node:timers/promises";
import { MultiArchError } from "../errors";

/** What a builder says of a build: that it works on it, that it does not, or nothing of use. */
export type Pulse = "working" | "idle" | "unknown";

/** How a build is watched, all in milliseconds. */
export interface WatchTimes {
    /** How long a build may be silent before its builder is asked, and between two questions. By default 10000. */
    readonly silentMs?: number | undefined;
    /** How long the builder may take to answer. By default 10000. */
    readonly answerMs?: number | undefined;
    /** The pause after a question without an answer. By default 1000. */
    readonly againMs?: number | undefined;
}

/** The watch over one build. */
export interface Watchdog {
    /** Says that the build gave a sign of life. */
    readonly heard: () => void;
    /** Aborted when the build is lost. The reason is a transient MultiArchError `build-lost-connection`. */
    readonly lost: AbortSignal;
    /** Ends the watch. */
    readonly stop: () => void;
}

/** A builder under load may be late once. */
const missesAllowed = 2;

/**
 * Watches a build, for buildx waits for ever when nothing comes any more. A step may well be silent for hours: silence
 * alone ends nothing, but the builder is asked, over another connection. Twice in a row no answer, and the build is lost; so
 * it is when the builder worked on it and twice says that it does not any more, for then it has given up on the
 * connection that buildx still waits for.
 */
export function watchBuild(ask: (timeoutMs: number) => Promise<Pulse>, times: WatchTimes = {}): Watchdog {
    const { silentMs = 10_000, answerMs = 10_000, againMs = 1_000 } = times;
    const lost = new AbortController();
    const stopped = new AbortController();
    let heardAt = Date.now();

    const pauseUntil = async (time: number): Promise<void> => {
        await sleep(Math.max(1, time - Date.now()), undefined, { signal: stopped.signal, ref: false });
    };
    const watch = async (): Promise<void> => {
        let wasWorking = false;
        let misses = 0;
        let nextAt = heardAt + silentMs;
        for (;;) {
            await pauseUntil(nextAt);
            if (heardAt + silentMs > Date.now() && misses === 0) {
                nextAt = heardAt + silentMs;
                continue;
            }
            const askedAt = Date.now();
            const pulse = await ask(answerMs).catch(() => undefined);
            stopped.signal.throwIfAborted();
            wasWorking ||= pulse === "working";
            const isMiss = heardAt < askedAt && (pulse === undefined || (wasWorking && pulse === "idle"));
            misses = isMiss ? misses + 1 : 0;
            if (misses >= missesAllowed) {
                lost.abort(lostError(pulse, Date.now() - heardAt));
                return;
            }
            nextAt = Date.now() + (isMiss && pulse === undefined ? againMs : silentMs);
        }
    };
    watch().catch(() => undefined);
    return {
        heard: () => {
            heardAt = Date.now();
        },
        lost: lost.signal,
        stop: () => {
            stopped.abort();
        },
    };
}

function lostError(pulse: Pulse | undefined, silentMs: number): MultiArchError {
    const what =
        pulse === undefined
            ? `the builder has said nothing for ${Math.round(silentMs / 1_000)} s, and does not answer`
            : "the builder does not work on the build any more, and its connection is silent";
    return new MultiArchError("build-lost-connection", { what, transient: true });
}
