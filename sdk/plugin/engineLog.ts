import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

import { createRedactor } from "../build/redact";
import type { Reporter } from "../resources/lifecycle";

/** Sends lines to the engine, which shows them on the row of a resource. */
export interface EngineLog {
    /** The reporter of one operation. What it sends never holds one of the secrets. */
    reporterFor(urn: string, secrets: readonly string[]): Reporter;
    /** Waits until every line has arrived, two seconds at most. */
    flush(): Promise<void>;
    close(): void;
}

/** A build prints more lines than a terminal can show: the first one is sent at once, then the last of each interval. */
const statusIntervalMs = 150;

const flushLimitMs = 2_000;

/** Connects to the engine. Without an address, as in a test of the bare plugin, lines go nowhere. */
export function connectEngineLog(address: string | undefined): EngineLog {
    const client = address === undefined ? undefined : new EngineClient(address, grpc.credentials.createInsecure());
    const pending = new Set<Promise<void>>();

    const send = (urn: string, severity: LogSeverity, message: string, ephemeral: boolean): void => {
        if (client === undefined) {
            return;
        }
        const request = new LogRequest()
            .setUrn(urn)
            .setSeverity(severity)
            .setMessage(message.toWellFormed())
            .setEphemeral(ephemeral);
        // A line that does not arrive must not fail a build.
        const sent = new Promise<void>((resolve) => client.log(request, () => resolve()));
        pending.add(sent);
        void sent.then(() => pending.delete(sent));
    };

    return {
        reporterFor(urn, secrets) {
            const redact = createRedactor(secrets);
            let waiting: string | undefined;
            let timer: NodeJS.Timeout | undefined;
            const sendWaiting = (): void => {
                timer = undefined;
                if (waiting !== undefined) {
                    send(urn, LogSeverity.INFO, redact(waiting), true);
                    waiting = undefined;
                    timer = setTimeout(sendWaiting, statusIntervalMs).unref();
                }
            };
            return {
                status(text) {
                    waiting = text;
                    if (timer === undefined) {
                        sendWaiting();
                    }
                },
                info: (text) => send(urn, LogSeverity.INFO, redact(text), false),
                warn: (text) => send(urn, LogSeverity.WARNING, redact(text), false),
            };
        },
        async flush() {
            const limit = new Promise((resolve) => setTimeout(resolve, flushLimitMs).unref());
            await Promise.race([Promise.all(pending), limit]);
        },
        close: () => client?.close(),
    };
}
