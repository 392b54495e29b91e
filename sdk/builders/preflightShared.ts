import { createHash } from "node:crypto";
import type { BuilderNode } from "./node";
import { cancelledCheck } from "./preflightBudget";
import type { BuilderFacts } from "./preflightFacts";

/** What a check depends on beside its builder. */
export interface SharedOptions {
    readonly timeoutMs?: number | undefined;
    readonly registriesConfig?: string | undefined;
    /** The wish of one who waits for it. It stops when nobody waits any more. */
    readonly signal?: AbortSignal | undefined;
}

interface SharedCheck {
    readonly facts: Promise<BuilderFacts>;
    readonly stop: AbortController;
    waiting: number;
}

/** The checks of this process that are under way. */
const underWay = new Map<string, SharedCheck>();

/**
 * Joins the check of a builder that is under way, or begins one. All images of a program begin at once, and each asks
 * after the builder: dozens of checks at the same time make the builder slow, and it would be refused for what they cause.
 */
export async function shareCheck(
    node: BuilderNode,
    { signal, timeoutMs, registriesConfig }: SharedOptions,
    check: (signal: AbortSignal) => Promise<BuilderFacts>,
): Promise<BuilderFacts> {
    const text = JSON.stringify([node, timeoutMs, registriesConfig]);
    const key = createHash("sha256").update(text).digest("hex");
    const shared = underWay.get(key) ?? beginCheck(key, check);
    shared.waiting += 1;
    try {
        return await waitFor(shared.facts, signal);
    } finally {
        shared.waiting -= 1;
        if (shared.waiting === 0) {
            forget(key, shared);
            shared.stop.abort();
        }
    }
}

function beginCheck(key: string, check: (signal: AbortSignal) => Promise<BuilderFacts>): SharedCheck {
    const stop = new AbortController();
    const shared: SharedCheck = { facts: check(stop.signal), stop, waiting: 0 };
    underWay.set(key, shared);
    const end = (): void => {
        forget(key, shared);
    };
    shared.facts.then(end, end);
    return shared;
}

/** One that has ended is no answer to whoever asks afterwards. */
function forget(key: string, shared: SharedCheck): void {
    if (underWay.get(key) === shared) {
        underWay.delete(key);
    }
}

async function waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) {
        return work;
    }
    let stop: () => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => {
        stop = () => {
            reject(cancelledCheck());
        };
        signal.addEventListener("abort", stop, { once: true });
    });
    try {
        if (signal.aborted) {
            stop();
        }
        return await Promise.race([work, cancelled]);
    } finally {
        signal.removeEventListener("abort", stop);
    }
}
