import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlClient } from "../../builders/control/client";
import type { BuildRecord } from "../../builders/control/messages";
import { describeTicket, ticketPrefix, type LeasedImage } from "./line";

/** A build request that stays open on a daemon: whoever looks at the daemon's builds sees it. */
export interface Ticket {
    readonly ref: string;
    /** Aborted when the request ends by itself: the connection broke, or the daemon went. */
    readonly ended: AbortSignal;
    /** Ends the request, and takes its record out of the daemon's history. */
    close(): Promise<void>;
}

// A daemon writes its own records; these take milliseconds unless it is very busy.
const visibleTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;
const lookPauseMs = 20;
const sweptAfterSeconds = 10;

/**
 * Opens a ticket, and waits until the daemon lists it. A request without a frontend and without a definition waits on the
 * daemon for a client that says what to build, which never comes here. It takes nothing but a little memory, and ends
 * with its connection, so a runner that dies leaves no ticket.
 * https://github.com/moby/buildkit/blob/v0.31.1/solver/llbsolver/solver.go (gatewayForwarder)
 */
export async function openTicket(client: ControlClient, image: LeasedImage, signal: AbortSignal): Promise<Ticket> {
    const ref = `${ticketPrefix}${randomUUID()}`;
    const hold = new AbortController();
    const ended = new AbortController();
    client.call("Solve", { Ref: ref, FrontendAttrs: describeTicket(image) }, { signal: hold.signal }).then(
        () => ended.abort(new Error("the daemon ended the ticket")),
        (error: unknown) => ended.abort(error),
    );
    const waiting = AbortSignal.any([signal, ended.signal, AbortSignal.timeout(visibleTimeoutMs)]);
    try {
        while ((await listActive(client, waiting, ref)).length === 0) {
            await sleep(lookPauseMs, undefined, { signal: waiting });
        }
    } catch (error) {
        hold.abort();
        throw ended.signal.aborted ? ended.signal.reason : error;
    }
    return {
        ref,
        ended: ended.signal,
        close: async () => {
            hold.abort();
            await forget(client, ref, AbortSignal.timeout(closeTimeoutMs)).catch(() => undefined);
        },
    };
}

/** All builds that a daemon has going on, or one of them. */
export async function listActive(client: ControlClient, signal: AbortSignal, ref = ""): Promise<BuildRecord[]> {
    return listRecords(client, { ActiveOnly: true, Ref: ref }, signal);
}

/**
 * Takes the record of a ticket away, so that the history is one of builds. It is written when the request has ended, and
 * not before. With it go those of runners that were killed. What fails here is done by whoever closes the next ticket.
 */
async function forget(client: ControlClient, ref: string, signal: AbortSignal): Promise<void> {
    while ((await listActive(client, signal, ref)).length > 0) {
        await sleep(lookPauseMs, undefined, { signal });
    }
    const tickets = await listRecords(client, { Filter: [`ref~=^${ticketPrefix}`] }, signal);
    const done = tickets.flatMap(({ Ref, CompletedAt }) => (CompletedAt ? [{ Ref, at: CompletedAt.seconds }] : []));
    const now = done.find(({ Ref }) => Ref === ref)?.at ?? 0;
    for (const { Ref } of done.filter((one) => one.Ref === ref || one.at < now - sweptAfterSeconds)) {
        // Another runner may do the same.
        await client.call("UpdateBuildHistory", { Ref, Delete: true }, { signal }).catch(() => undefined);
    }
}

async function listRecords(
    client: ControlClient,
    request: { ActiveOnly?: boolean; Ref?: string; Filter?: string[] },
    signal: AbortSignal,
): Promise<BuildRecord[]> {
    const records: BuildRecord[] = [];
    const take = ({ record }: { record: BuildRecord | null }): void => {
        records.push(...(record ? [record] : []));
    };
    await client.listen("ListenBuildHistory", { ...request, EarlyExit: true }, take, { signal });
    return records;
}
