import assert from "node:assert/strict";
import * as net from "node:net";
import * as grpc from "@grpc/grpc-js";
import {
    buildEvents,
    type BuildHistoryEvent,
    type BuildHistoryRequest,
    type BuildRecord,
    type SolveRequest,
} from "../../../sdk/builders/control/messages";
import { checkNodes, type CheckOptions, type LeasedImage } from "../../../sdk/build/lease";
import type { BuilderNode } from "../../../sdk/builders/node";
import { preflight } from "../../../sdk/builders/preflight";
import { controlService } from "../../../sdk/builders/control/service";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import type { TestAuthority } from "./testCertificates";
import { answerDisk, type TestDisk } from "./testDisk";

/** What a builder of a test says of itself. */
export interface TestBuilder extends TestDisk {
    readonly version?: string;
    readonly platforms?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly workers?: number;
    /** How many builds run there. By default none. */
    readonly builds?: number;
    /** False while it takes calls and says nothing. */
    readonly answers?: () => boolean;
}

/** A server of a test, on a port of its own. */
export interface TestServer {
    readonly port: number;
    readonly close: () => Promise<void>;
}

/** A gRPC server that answers like BuildKit's control service; with an authority, over mutual TLS. */
export async function startBuilder(builder: TestBuilder, authority?: TestAuthority): Promise<TestServer> {
    const server = new grpc.Server();
    const platforms = (builder.platforms ?? ["linux/amd64"]).map((name) => {
        const [OS, Architecture, Variant = ""] = name.split("/");
        return { OS, Architecture, Variant };
    });
    const record = { ID: "worker-1", Labels: builder.labels ?? {}, platforms };
    const history = createHistory(builder.builds);
    server.addService(controlService, {
        ...history,
        ...answerDisk(builder, history.Solve),
        ListWorkers: (_call: unknown, done: grpc.sendUnaryData<unknown>) => {
            done(null, { record: Array.from({ length: builder.workers ?? 1 }, () => record) });
        },
        Info: (_call: unknown, done: grpc.sendUnaryData<unknown>) => {
            if (builder.answers?.() === false) {
                return;
            }
            done(null, { buildkitVersion: { version: builder.version ?? "v0.31.1" } });
        },
    });
    return listenGrpc(server, authority);
}

/** Builds that wait on a daemon, and who listens to them. It keeps no records of those that have ended. */
function createHistory(builds = 0) {
    const active = new Map(
        Array.from({ length: builds }, (_, index) => [`build-${index}`, runningBuild(`build-${index}`)]),
    );
    const listeners = new Set<(event: BuildHistoryEvent) => void>();
    const tell = (event: BuildHistoryEvent): void => {
        listeners.forEach((listener) => {
            listener(event);
        });
    };
    let clock = 0;
    return {
        Solve: (call: grpc.ServerUnaryCall<Required<SolveRequest>, object>) => {
            const CreatedAt = { seconds: (clock += 1), nanos: 0 };
            const record = { ...call.request, CreatedAt, Exporters: [], CompletedAt: null };
            active.set(record.Ref, record);
            tell({ type: buildEvents.started, record });
            call.on("cancelled", () => {
                active.delete(record.Ref);
                tell({ type: buildEvents.complete, record });
            });
        },
        ListenBuildHistory: (call: grpc.ServerWritableStream<BuildHistoryRequest, BuildHistoryEvent>) => {
            const { Ref = "", EarlyExit = false } = call.request;
            const listener = (event: BuildHistoryEvent): void => {
                call.write(event);
            };
            for (const record of active.values()) {
                if (Ref === "" || Ref === record.Ref) {
                    listener({ type: buildEvents.started, record });
                }
            }
            if (EarlyExit) {
                call.end();
                return;
            }
            listeners.add(listener);
            call.on("cancelled", () => listeners.delete(listener));
        },
        UpdateBuildHistory: (_call: unknown, done: grpc.sendUnaryData<object>) => {
            done(null, {});
        },
    };
}

function runningBuild(Ref: string): BuildRecord {
    return { Ref, FrontendAttrs: {}, Exporters: [], CreatedAt: { seconds: 0, nanos: 0 }, CompletedAt: null };
}

/** A gRPC server that knows no service at all. */
export function startOtherGrpc(): Promise<TestServer> {
    return listenGrpc(new grpc.Server());
}

/** A server that does with connections what it is told. */
export async function startServer(server: net.Server): Promise<TestServer> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        port: (server.address() as net.AddressInfo).port,
        close: () =>
            new Promise((resolve) => {
                sockets.forEach((socket) => socket.destroy());
                server.close(() => {
                    resolve();
                });
            }),
    };
}

/** A port nobody listens on. */
export async function findClosedPort(): Promise<number> {
    const { port, close } = await startServer(net.createServer());
    await close();
    return port;
}

/** A node for a port of this machine, without TLS unless more is given. */
export function nodeOn(port: number, more: Partial<BuilderNode> = {}): BuilderNode {
    return {
        name: "test",
        platform: "linux/amd64",
        address: `tcp://127.0.0.1:${port}`,
        emulation: "never",
        property: "builders.endpoints[1]",
        ...(more.tls ? {} : { insecure: true }),
        ...more,
    };
}

/** The error with which all builders of an image are found unfit, which has to have the code. */
export async function failedCheck(
    image: LeasedImage,
    nodes: readonly BuilderNode[],
    code: ErrorCode,
    options: CheckOptions,
): Promise<MultiArchError> {
    const error = await checkNodes(image, nodes, options).then(
        () => assert.fail("a builder was found fit"),
        (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof MultiArchError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
}

/** Checks a node, expects it to be refused for one reason, and gives the error. */
export async function refusalOf(node: BuilderNode, code: ErrorCode, timeoutMs = 3_000): Promise<MultiArchError> {
    try {
        await preflight(node, { timeoutMs });
    } catch (error) {
        assert.ok(error instanceof MultiArchError, String(error));
        assert.equal(error.code, code, error.message);
        assert.equal(error.fields.platform, node.platform);
        assert.ok(error.fields.builder?.includes(node.address));
        assert.ok(error.fields.property?.startsWith(node.property));
        return error;
    }
    return assert.fail("the builder was found fit");
}

/** Starts a gRPC server on a port of its own; with an authority, over mutual TLS. */
export async function listenGrpc(server: grpc.Server, authority?: TestAuthority): Promise<TestServer> {
    const port = await new Promise<number>((resolve, reject) => {
        void credentialsFor(authority).then((credentials) => {
            server.bindAsync("127.0.0.1:0", credentials, (error, bound) => {
                if (error) {
                    reject(error);
                } else {
                    resolve(bound);
                }
            });
        }, reject);
    });
    return {
        port,
        close: () => {
            server.forceShutdown();
            return Promise.resolve();
        },
    };
}

async function credentialsFor(authority?: TestAuthority): Promise<grpc.ServerCredentials> {
    if (!authority) {
        return grpc.ServerCredentials.createInsecure();
    }
    const { cert, key } = await authority.issue({ names: [{ type: "ip", value: "127.0.0.1" }] });
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    return grpc.ServerCredentials.createSsl(Buffer.from(authority.ca), [pair], true);
}
