import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { connectControl, type ControlClient } from "../../builders/control/client";
import { buildEvents } from "../../builders/control/messages";
import { describeNode, type BuilderNode, type TcpAddress, type UnixAddress } from "../../builders/node";
import { parallelismOf } from "../../builders/rendezvous";
import { MultiArchError } from "../../errors";
import { countAhead, countAll, type LeasedImage } from "./line";
import type { BuildQueue, QueueEntry } from "./queue";
import { listActive, openTicket, type Ticket } from "./ticket";

// Two tickets that come at once get their times before either is listed: only after a moment all older ones are.
const settleMs = 200;
// Events say when to look; this is for one that was missed.
const lookAgainMs = 2_000;
const answerTimeoutMs = 10_000;

/** How a builder is watched: how often it is asked, and how long it may take to answer. In milliseconds. */
export interface Heartbeat {
    readonly everyMs: number;
    readonly timeoutMs: number;
}

const defaultHeartbeat: Heartbeat = { everyMs: 10_000, timeoutMs: answerTimeoutMs };

/**
 * The line before a BuildKit daemon, kept by the daemon: each build has a ticket there, and the oldest ones have the
 * places. So all runners that share a builder are in one line, and there is nothing that could be left behind.
 */
export function daemonQueue(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    image: LeasedImage,
    heartbeat = defaultHeartbeat,
): BuildQueue {
    return {
        async look(signal) {
            const client = connectControl(node, address);
            try {
                return countAll(
                    await listActive(client, AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)])),
                );
            } finally {
                client.close();
            }
        },
        async enter(signal) {
            const client = connectControl(node, address);
            try {
                return holdTicket(node, client, await openTicket(client, image, signal), heartbeat);
            } catch (error) {
                client.close();
                throw signal.aborted ? signal.reason : lostError(node, error);
            }
        },
    };
}

function holdTicket(
    node: BuilderNode,
    client: ControlClient,
    ticket: Ticket,
    { everyMs, timeoutMs }: Heartbeat,
): QueueEntry {
    const openedAt = performance.now();
    const lost = new AbortController();
    const lose = (cause: unknown): void => {
        lost.abort(lostError(node, cause));
    };
    const fail = (): void => {
        lose(ticket.ended.reason);
    };
    ticket.ended.addEventListener("abort", fail, { once: true });
    // A connection that is frozen does not end. BuildKit takes no pings of HTTP/2, so something is asked.
    const heartbeat = setInterval(() => {
        client.call("Info", {}, { timeoutMs }).catch((error: unknown) => {
            // A daemon that shuts down takes no more calls, and finishes its builds: their tickets stay open until then.
            if ((error as Partial<grpc.ServiceError>).code === grpc.status.DEADLINE_EXCEEDED) {
                lose(error);
            }
        });
    }, everyMs);
    let released: Promise<void> | undefined;

    const takeTurn: QueueEntry["takeTurn"] = async ({ isPatient, signal, onAhead }) => {
        const stop = new AbortController();
        const stopped = AbortSignal.any([signal, lost.signal, stop.signal]);
        let changes: Changes | undefined;
        let reported: number | undefined;
        try {
            for (;;) {
                const isSettled = performance.now() - openedAt >= settleMs;
                const known = changes?.count() ?? 0;
                const ahead = countAhead(await listActive(client, stopped), ticket.ref);
                if (ahead === undefined) {
                    throw lostError(node, new Error("the daemon does not list the ticket"));
                }
                const hasPlace = ahead < parallelismOf(node);
                if (hasPlace && isSettled) {
                    return true;
                }
                if (!hasPlace && !isPatient) {
                    return false;
                }
                if (!hasPlace && reported !== ahead) {
                    onAhead?.(ahead);
                    reported = ahead;
                }
                if (hasPlace) {
                    await sleep(settleMs, undefined, { signal: stopped });
                } else if (changes) {
                    await changes.after(known, stopped);
                } else {
                    // Look once more now: a build may have ended before the changes were followed.
                    changes = followChanges(client, stopped);
                }
            }
        } catch (error) {
            signal.throwIfAborted();
            lost.signal.throwIfAborted();
            throw error instanceof MultiArchError ? error : lostError(node, error);
        } finally {
            stop.abort();
        }
    };

    return {
        takeTurn,
        lost: lost.signal,
        release: () => {
            released ??= (async () => {
                clearInterval(heartbeat);
                ticket.ended.removeEventListener("abort", fail);
                await ticket.close();
                client.close();
            })();
            return released;
        },
    };
}

/** The ends of builds on a daemon. */
interface Changes {
    count(): number;
    /** Waits until there are more of them than before, or for as long as it is certain that none was missed. */
    after(count: number, signal: AbortSignal): Promise<void>;
}

function followChanges(client: ControlClient, signal: AbortSignal): Changes {
    const target = new EventTarget();
    let seen = 0;
    const tell = ({ type }: { type: number }): void => {
        if (type !== buildEvents.started) {
            seen += 1;
            target.dispatchEvent(new Event("change"));
        }
    };
    // Where it fails, the next look says so.
    client.listen("ListenBuildHistory", { ActiveOnly: true }, tell, { signal }).catch(() => undefined);
    return {
        count: () => seen,
        async after(count, cancel) {
            if (seen > count) {
                return;
            }
            const done = new AbortController();
            const options = { signal: AbortSignal.any([cancel, done.signal]) };
            try {
                await Promise.race([once(target, "change", options), sleep(lookAgainMs, undefined, options)]);
            } finally {
                done.abort();
            }
        },
    };
}

function lostError(node: BuilderNode, cause: unknown): MultiArchError {
    return new MultiArchError("build-lost-connection", {
        what: "the builder does not answer any more",
        platform: node.platform,
        builder: describeNode(node),
        transient: true,
        cause,
    });
}
