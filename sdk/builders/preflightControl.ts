import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import type { MultiArchError } from "../errors";
import { expectedServerName, type BuilderNode, type TcpAddress, type UnixAddress } from "./node";
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

interface ListWorkersResponse {
    readonly record: readonly {
        readonly ID: string;
        readonly Labels: Readonly<Record<string, string>>;
        readonly platforms: readonly { readonly Architecture: string; readonly OS: string; readonly Variant: string }[];
    }[];
}

interface InfoResponse {
    readonly buildkitVersion: { readonly version: string } | null;
}

// The two calls, and of their messages the fields that are read. The numbers are those of
// https://github.com/moby/buildkit/blob/v0.31.1/api/services/control/control.proto and api/types/worker.proto
const descriptor = {
    nested: {
        Platform: {
            fields: {
                Architecture: { type: "string", id: 1 },
                OS: { type: "string", id: 2 },
                Variant: { type: "string", id: 3 },
            },
        },
        BuildkitVersion: { fields: { version: { type: "string", id: 2 } } },
        WorkerRecord: {
            fields: {
                ID: { type: "string", id: 1 },
                Labels: { keyType: "string", type: "string", id: 2 },
                platforms: { rule: "repeated", type: "Platform", id: 3 },
            },
        },
        ListWorkersRequest: { fields: {} },
        ListWorkersResponse: { fields: { record: { rule: "repeated", type: "WorkerRecord", id: 1 } } },
        InfoRequest: { fields: {} },
        InfoResponse: { fields: { buildkitVersion: { type: "BuildkitVersion", id: 1 } } },
        moby: {
            nested: {
                buildkit: {
                    nested: {
                        v1: {
                            nested: {
                                Control: {
                                    methods: {
                                        ListWorkers: {
                                            requestType: "ListWorkersRequest",
                                            responseType: "ListWorkersResponse",
                                        },
                                        Info: { requestType: "InfoRequest", responseType: "InfoResponse" },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
};

/** BuildKit's control service, as far as it is used here, in the form that grpc-js takes. */
export const controlService = fromJSON(descriptor as Parameters<typeof fromJSON>[0], {
    keepCase: true,
    defaults: true,
    arrays: true,
    objects: true,
})["moby.buildkit.v1.Control"] as grpc.ServiceDefinition;

/** Asks a daemon which version it has and which platforms its workers offer. Throws what it is instead. */
export async function askControl(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    budget: Budget,
): Promise<ControlAnswer> {
    const Client = grpc.makeClientConstructor(controlService, "Control");
    const client = new Client(targetOf(address), credentialsOf(node), channelOptions(node));
    try {
        const [workers, info] = await runStage(
            budget,
            Promise.all([
                callControl<ListWorkersResponse>(client, "ListWorkers", budget),
                callControl<InfoResponse>(client, "Info", budget).catch(ignoreUnimplemented),
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
    } finally {
        client.close();
    }
}

function callControl<T>(client: grpc.Client, method: "ListWorkers" | "Info", budget: Budget): Promise<T> {
    const definition = controlService[method] as grpc.MethodDefinition<object, T>;
    return new Promise<T>((resolve, reject) => {
        const call = client.makeUnaryRequest(
            definition.path,
            definition.requestSerialize,
            definition.responseDeserialize,
            {},
            { deadline: Date.now() + budget.left() },
            (error, value) => {
                if (error || value === undefined) {
                    reject(error ?? new Error("no answer"));
                } else {
                    resolve(value);
                }
            },
        );
        const cancel = (): void => {
            call.cancel();
        };
        budget.signal.addEventListener("abort", cancel, { once: true });
        call.on("status", () => {
            budget.signal.removeEventListener("abort", cancel);
        });
    });
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

function targetOf(address: TcpAddress | UnixAddress): string {
    if (address.scheme === "unix") {
        return `unix:${address.path}`;
    }
    return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function credentialsOf(node: BuilderNode): grpc.ChannelCredentials {
    const material = node.tls;
    if (!material) {
        return grpc.credentials.createInsecure();
    }
    const [ca, key, cert] = [material.ca, material.key, material.cert].map((pem) => Buffer.from(pem));
    const name = expectedServerName(node) ?? "";
    return grpc.credentials.createSsl(ca, key, cert, {
        checkServerIdentity: (_asked, certificate) => checkServerIdentity(name, certificate),
    });
}

function channelOptions(node: BuilderNode): grpc.ChannelOptions {
    const name = expectedServerName(node) ?? "";
    // grpc-js would ask for an IP address by the name of a server, which Node warns about. Any name will do: the one in
    // the certificate is checked against the address all the same.
    const asked = isIP(name) === 0 ? name : "buildkitd";
    return {
        // A connection of its own, direct, and only as long as the check: buildx does not use a proxy either.
        "grpc.enable_http_proxy": 0,
        "grpc.use_local_subchannel_pool": 1,
        "grpc.service_config_disable_resolution": 1,
        "grpc.enable_retries": 0,
        ...(node.tls ? { "grpc.ssl_target_name_override": asked, "grpc.default_authority": asked } : {}),
    };
}
