import { setTimeout as delay } from "node:timers/promises";
import { MultiArchError } from "../errors";
import type { Answer } from "./transport";

/** How often and after which pauses a request is sent again. */
export interface RetryPolicy {
    /** How often a request is sent in all. */
    readonly tries: number;
    /** The pause before the second try, in milliseconds; it doubles with each further one. */
    readonly firstPauseMs: number;
    /** The longest pause a registry may ask for, in milliseconds. A longer one is reported instead of waited for. */
    readonly longestPauseMs: number;
    /** The time now, in milliseconds. */
    readonly now: () => number;
    /** A number from 0 to 1, below 1. */
    readonly random: () => number;
    /** Waits; fails when the signal aborts. */
    readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Four tries within a few seconds, and two minutes where the registry asks for it. */
export const defaultRetryPolicy: RetryPolicy = {
    tries: 4,
    firstPauseMs: 500,
    longestPauseMs: 120_000,
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => {
        await delay(ms, undefined, signal ? { signal } : {});
    },
};

/**
 * Sends a request until it has an answer that a repetition would not change, or until the tries are used up. Repeated
 * are: errors marked as transient, 429, and 5xx. The last answer or error is handed on as it is.
 */
export async function withRetries(
    send: () => Promise<Answer>,
    policy: RetryPolicy,
    signal?: AbortSignal,
): Promise<Answer> {
    for (let round = 1; ; round += 1) {
        const pause = round < policy.tries ? backoff(round, policy) : undefined;
        try {
            const answer = await send();
            if (pause === undefined || !isTransientStatus(answer.status)) {
                return answer;
            }
            const asked = readRetryAfter(answer.headers["retry-after"], policy.now());
            // Coming back earlier than asked only prolongs a limit.
            if (asked !== undefined && asked > policy.longestPauseMs) {
                return answer;
            }
            await policy.sleep(Math.max(asked ?? 0, pause), signal);
        } catch (error) {
            if (pause === undefined || !(error instanceof MultiArchError && error.transient)) {
                throw error;
            }
            await policy.sleep(pause, signal);
        }
    }
}

/** True for answers that the same request may not get again: too many requests, and faults of the server. */
export function isTransientStatus(status: number): boolean {
    // 501 and 505 say that the server can not do it at all.
    return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * Reads the header Retry-After, seconds or a date, as milliseconds from now. Undefined when there is none or it cannot
 * be read.
 */
export function readRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
    const text = (typeof header === "string" ? header : header?.[0])?.trim();
    if (text === undefined || text === "") {
        return undefined;
    }
    if (/^[0-9]+$/.test(text)) {
        return Number(text) * 1000;
    }
    const date = Date.parse(text);
    return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Half of the pause is left to chance, so that platforms that failed together do not come back together. */
function backoff(round: number, policy: RetryPolicy): number {
    return policy.firstPauseMs * 2 ** (round - 1) * (0.5 + policy.random() / 2);
}
