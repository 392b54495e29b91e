import { randomBytes, randomUUID } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import type { MultiArchError } from "../errors";
import type { ControlClient } from "./control/client";
import { defineFileStep } from "./control/llb";
import type { StatusResponse } from "./control/messages";
import type { BuilderNode } from "./node";
import { builderError, cancelledCheck, type Budget } from "./preflightBudget";
import { explainDisk, isOutOfSpace } from "./preflightDiskErrors";
import { findFull, lowSpaceBytes, probeName, tidyAfter } from "./preflightDiskSpace";

/** Enough to need blocks of its own on every file system, little enough for a slow connection. In bytes. */
export const probeBytes = 256 * 1024;

const slotMs = 1_500;
const slowMs = 300;
const marginMs = 100;

/**
 * Writes a small file on the builder, as a step of a build does, and removes it: nothing that BuildKit tells of itself
 * says whether its disk is full, read-only or frozen. Gives notes; throws what is wrong with the disk.
 *
 * The step has to wait like any other while all that the builder may run at once is running. Then the disk works, or
 * those builds will say that it does not: here it is only a note.
 */
export async function checkDisk(node: BuilderNode, client: ControlClient, budget: Budget): Promise<readonly string[]> {
    const begun = performance.now();
    const probe = await runProbe(client, budget);
    if (budget.isCancelled()) {
        throw cancelledCheck();
    }
    if (probe.error === undefined) {
        const isLow = await tidyAfter(client, probe.name, budget);
        return isLow ? [`has less than ${lowSpaceBytes / 2 ** 30} GiB of free space on its disk`] : [];
    }
    if (probe.isWaiting) {
        return [
            "could not run a step for a while, as when all that it may run at once is running: its disk was not checked",
        ];
    }
    if (probe.isLate) {
        return judgeSlow(node, client, performance.now() - begun);
    }
    throw explainDisk(node, probe.error, isOutOfSpace(probe.error) ? await findFull(client, budget) : undefined);
}

interface Probe {
    /** What its step is called. */
    readonly name: string;
    /** What it failed with; undefined when it did not. */
    readonly error?: unknown;
    /** True when it did not begin in time. */
    readonly isWaiting: boolean;
    /** True when it did not end in time. */
    readonly isLate: boolean;
}

async function runProbe(client: ControlClient, budget: Budget): Promise<Probe> {
    const id = randomUUID();
    const Ref = `pulumi-multiarch-check-${id}`;
    const name = `${probeName} ${id}`;
    const data = randomBytes(probeBytes);
    const Definition = defineFileStep(name, [
        { mkfile: { path: "/file", mode: 0o600, data } },
        { rm: { path: "/file" } },
    ]);
    const watch = new AbortController();
    const signal = AbortSignal.any([budget.signal, watch.signal]);
    let [isRunning, isWaiting] = [false, false];
    const onStatus = ({ vertexes }: StatusResponse): void => {
        isRunning = vertexes.reduce((_, { started, completed }) => started !== null && completed === null, isRunning);
    };
    const status = client.listen("Status", { Ref }, onStatus, { signal }).catch(() => undefined);
    const timer = setTimeout(() => {
        if (!isRunning) {
            isWaiting = true;
            watch.abort();
        }
    }, slotMs);
    try {
        const timeoutMs = Math.max(1, budget.left() - slowMs - marginMs);
        await client.call("Solve", { Ref, Definition, Internal: true }, { signal, timeoutMs });
        return { name, isWaiting: false, isLate: false };
    } catch (error) {
        const { code } = error as Partial<grpc.ServiceError>;
        const isLate = code === grpc.status.DEADLINE_EXCEEDED || code === grpc.status.CANCELLED;
        return { name, error, isWaiting, isLate };
    } finally {
        clearTimeout(timer);
        watch.abort();
        await status;
    }
}

/** A disk that is busy with the builds of others is slow; one that writes nothing while nobody builds is broken. */
async function judgeSlow(node: BuilderNode, client: ControlClient, elapsedMs: number): Promise<readonly string[]> {
    let builds = 0;
    const seconds = (elapsedMs / 1000).toFixed(1);
    const request = { ActiveOnly: true, EarlyExit: true };
    await client
        .listen("ListenBuildHistory", request, ({ record }) => (builds += record ? 1 : 0), { timeoutMs: slowMs })
        .catch(() => undefined);
    if (builds > 0) {
        return [
            `wrote no file within ${seconds} s while ${builds === 1 ? "a build runs" : `${builds} builds run`} there`,
        ];
    }
    throw frozen(node, seconds);
}

function frozen(node: BuilderNode, seconds: string): MultiArchError {
    const what = `the builder answers, but wrote no file within ${seconds} s, though nothing is built there`;
    return builderError(node, "builder-unhealthy", what, {
        next: "Look at the disk of the builder: it hangs, or is very slow. Then at the builder's log.",
        transient: true,
    });
}
