import * as grpc from "@grpc/grpc-js";
import type { MultiArchError } from "../errors";
import type { ControlClient } from "./control/client";
import type { BuilderNode } from "./node";
import { builderError, runStage, type Budget } from "./preflightBudget";

/** What a BuildKit daemon says of itself. */
export interface ControlAnswer {
    /** Its version; undefined when it is too old to tell. */
    readonly version: string | undefined;
    readonly workers: readonly WorkerRecord[];
}

/** One worker of a daemon: what runs the steps of a build. */
export interface WorkerRecord {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
    /** The platforms it offers, the one of its machine first. */
    readonly platforms: readonly { readonly os: string; readonly architecture: string; readonly variant: string }[];
}

/** Asks a daemon which version it has and which platforms its workers offer. Throws what it is instead. */
export async function askControl(node: BuilderNode, client: ControlClient, budget: Budget): Promise<ControlAnswer> {
    const options = { timeoutMs: budget.left(), signal: budget.signal };
    try {
        const [workers, info] = await runStage(
            budget,
            Promise.all([
                client.call("ListWorkers", {}, options),
                client.call("Info", {}, options).catch(ignoreUnimplemented),
            ]),
            () => silentError(node, budget),
        );
        return {
            version: info?.buildkitVersion?.version,
            workers: workers.record.map((record) => ({
                id: record.ID,
                labels: record.Labels,
                platforms: record.platforms.map((platform) => ({
                    os: platform.OS,
                    architecture: platform.Architecture,
                    variant: platform.Variant,
                })),
            })),
        };
    } catch (error) {
        throw explainStatus(node, error, budget);
    }
}

/** Daemons older than 0.11 cannot be asked for their version. */
function ignoreUnimplemented(error: unknown): undefined {
    if ((error as grpc.ServiceError).code !== grpc.status.UNIMPLEMENTED) {
        throw error;
    }
    return undefined;
}

function explainStatus(node: BuilderNode, error: unknown, budget: Budget): unknown {
    const { code, details } = error as Partial<grpc.ServiceError>;
    if (typeof code !== "number") {
        return error;
    }
    switch (code) {
        case grpc.status.UNIMPLEMENTED:
            return builderError(node, "builder-not-buildkit", "what answers there speaks gRPC, but is not BuildKit");
        case grpc.status.DEADLINE_EXCEEDED:
            return silentError(node, budget);
        case grpc.status.UNAVAILABLE:
            return builderError(node, "builder-unhealthy", "the builder closed the connection instead of answering", {
                transient: true,
                cause: error,
            });
        default: {
            const name = grpc.status[code];
            const what = `what answers there does not answer as BuildKit does (${name}: ${details ?? ""})`;
            return builderError(node, "builder-not-buildkit", what, { cause: error });
        }
    }
}

function silentError(node: BuilderNode, budget: Budget): MultiArchError {
    const what = `the builder accepts connections, but did not answer within ${budget.timeoutMs / 1000} s`;
    return builderError(node, "builder-unhealthy", what, { transient: true });
}
