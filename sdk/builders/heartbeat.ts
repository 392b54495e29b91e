import * as grpc from "@grpc/grpc-js";
import type { Pulse } from "../build/watchdog";
import { connectControl, type ControlClient } from "./control/client";
import type { BuildHistoryEvent } from "./control/messages";
import { parseAddress, type BuilderNode } from "./node";
import { preflight } from "./preflight";

/** Asks a builder whether it works on one of these builds, over a connection of its own. Fails when it does not answer. */
export type Heartbeat = (builds: readonly string[], timeoutMs: number) => Promise<Pulse>;

/** What ssh and kubectl need to connect is part of the time. */
const helperExtraMs = 15_000;

/** How a builder is asked. Undefined for one of which nothing is known but what buildx calls it. */
export function heartbeatOf(node: BuilderNode): Heartbeat | undefined {
    if (node.docker ?? node.named) {
        return undefined;
    }
    const address = parseAddress(node.address);
    if (address.scheme !== "tcp" && address.scheme !== "unix") {
        return async (_builds, timeoutMs) => {
            await preflight(node, { timeoutMs: timeoutMs + helperExtraMs });
            return "unknown";
        };
    }
    return async (builds, timeoutMs) => {
        const client = connectControl(node, address);
        try {
            // This takes no lock and no disk in buildkitd, so that one that is busy answers all the same.
            await client.call("Info", {}, { timeoutMs }).catch(ignoreUnimplemented);
            return builds.length === 0 ? "unknown" : await findBuild(client, builds, timeoutMs);
        } finally {
            client.close();
        }
    };
}

async function findBuild(client: ControlClient, builds: readonly string[], timeoutMs: number): Promise<Pulse> {
    let pulse: Pulse = "idle";
    const take = ({ record }: BuildHistoryEvent): void => {
        pulse = record !== null && builds.includes(record.Ref) ? "working" : pulse;
    };
    try {
        await client.listen("ListenBuildHistory", { ActiveOnly: true, EarlyExit: true }, take, { timeoutMs });
        return pulse;
    } catch {
        // It has just answered. Older daemons keep no such list, and the list waits for the disk.
        return "unknown";
    }
}

/** Daemons older than 0.11 do not know the question, and answer so. */
function ignoreUnimplemented(error: unknown): void {
    if ((error as grpc.ServiceError).code !== grpc.status.UNIMPLEMENTED) {
        throw error;
    }
}
