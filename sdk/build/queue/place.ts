import { setTimeout as sleep } from "node:timers/promises";
import { describeNode, parseAddress, type BuilderNode } from "../../builders/node";
import { parallelismOf } from "../../builders/rendezvous";
import { MultiArchError } from "../../errors";
import { daemonQueue } from "./daemonQueue";
import type { LeasedImage } from "./line";
import { localQueue } from "./localQueue";
import type { BuildQueue, QueueEntry, TurnOptions } from "./queue";

/** How a place is waited for. */
export interface PlaceOptions {
    /** Gives up waiting, within milliseconds. */
    readonly signal?: AbortSignal | undefined;
    /** Milliseconds to wait. Defaults to no limit. */
    readonly waitMs?: number | undefined;
    /** Milliseconds to wait for the preferred builder before another one with a free place will do. Defaults to 10000. */
    readonly spillAfterMs?: number | undefined;
    /** Told where the build waits, and how many builds are ahead of it, each time that changes. */
    readonly onWaiting?: ((node: BuilderNode, ahead: number) => void) | undefined;
}

/** A place on a builder. */
export interface Place<Choice> {
    readonly choice: Choice;
    readonly entry: QueueEntry;
}

/** Long enough for a build of which little has changed, and short against one on a builder that has no cache of it. */
const defaultSpillAfterMs = 10_000;
const spillPauseMs = 2_000;
/** What a timer can wait. */
const longestMs = 2_147_483_647;

/**
 * Takes a place on the first builder, where the cache of the image is. When that is full for a while, takes the first of
 * the others that has a free place, and goes on waiting where there is none. Who comes first is served first.
 *
 * Throws a MultiArchError: `build-cancelled`, `builder-full` after the time to wait, or `build-lost-connection` when the
 * builder goes meanwhile, which is transient: the builders have to be checked again.
 */
export async function takePlace<Choice extends { readonly node: BuilderNode }>(
    choices: readonly [Choice, ...Choice[]],
    image: LeasedImage,
    options: PlaceOptions = {},
): Promise<Place<Choice>> {
    const { signal: cancel = new AbortController().signal, waitMs = Infinity, onWaiting } = options;
    const [preferred, ...others] = choices.map((choice) => ({ choice, queue: queueOf(choice.node, image) }));
    if (!preferred) {
        throw new Error("there is no builder to choose from");
    }
    const { node } = preferred.choice;
    const late = AbortSignal.timeout(Math.ceil(Math.min(Math.max(0, waitMs), longestMs)));
    const stop = new AbortController();
    const signal = AbortSignal.any([cancel, late, stop.signal]);
    let ahead = 0;
    const onAhead = (count: number): void => {
        ahead = count;
        onWaiting?.(node, count);
    };
    const tries = [
        enter(preferred, { isPatient: true, signal, onAhead }),
        ...(others.length === 0 ? [] : [spill(others, options.spillAfterMs ?? defaultSpillAfterMs, signal)]),
    ];
    let place: Place<Choice> | undefined;
    try {
        place = await Promise.race(tries);
        return place;
    } catch (error) {
        throw explain(error, { node, cancel, late, ahead, waitMs });
    } finally {
        stop.abort();
        for (const other of tries) {
            const giveBack = async (found: Place<Choice>): Promise<void> => {
                await (found === place ? undefined : found.entry.release());
            };
            other.then(giveBack).catch(() => undefined);
        }
    }
}

interface Line<Choice> {
    readonly choice: Choice;
    readonly queue: BuildQueue;
}

/** Lines up and waits. Whatever comes of it, nothing is held but the place that is given. */
async function enter<Choice>({ choice, queue }: Line<Choice>, options: TurnOptions): Promise<Place<Choice>> {
    const entry = await queue.enter(options.signal);
    let hasPlace = false;
    try {
        hasPlace = await entry.takeTurn(options);
        if (!hasPlace) {
            throw new Error("there is no free place");
        }
        return { choice, entry };
    } finally {
        if (!hasPlace) {
            // Nobody has to wait for it: the daemon goes on by itself once it hears of it.
            void entry.release();
        }
    }
}

/** Looks again and again whether one of the builders has a free place. Never fails but by its signal. */
async function spill<Choice extends { readonly node: BuilderNode }>(
    others: readonly Line<Choice>[],
    afterMs: number,
    signal: AbortSignal,
): Promise<Place<Choice>> {
    await sleep(afterMs, undefined, { signal });
    for (;;) {
        for (const line of others) {
            // One that does not answer is not one to go to.
            const taken = await line.queue.look(signal).catch(() => Infinity);
            const isFree = taken < parallelismOf(line.choice.node);
            const place = isFree && (await enter(line, { isPatient: false, signal }).catch(() => undefined));
            if (place) {
                return place;
            }
        }
        await sleep(spillPauseMs, undefined, { signal });
    }
}

/** Only where the daemon can be asked directly it can keep the line. */
function queueOf(node: BuilderNode, image: LeasedImage): BuildQueue {
    if (node.docker ?? node.named) {
        return localQueue(node);
    }
    const address = parseAddress(node.address);
    return address.scheme === "tcp" || address.scheme === "unix" ? daemonQueue(node, address, image) : localQueue(node);
}

interface Circumstances {
    readonly node: BuilderNode;
    readonly cancel: AbortSignal;
    readonly late: AbortSignal;
    readonly ahead: number;
    readonly waitMs: number;
}

function explain(error: unknown, { node, cancel, late, ahead, waitMs }: Circumstances): unknown {
    const place = { platform: node.platform, builder: describeNode(node) };
    if (cancel.aborted) {
        return new MultiArchError("build-cancelled", {
            what: "cancelled while the build waited for a builder",
            ...place,
        });
    }
    if (late.aborted) {
        const what = `no place became free within ${Math.round(waitMs / 1_000)} s: ${describeAhead(node, ahead)}`;
        return new MultiArchError("builder-full", { what, ...place });
    }
    return error;
}

/** How long a line is, for people. */
export function describeAhead(node: BuilderNode, ahead: number): string {
    const builds = ahead === 1 ? "1 build" : `${ahead} builds`;
    return `${builds} ahead, ${parallelismOf(node)} at once`;
}
