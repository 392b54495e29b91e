import { setTimeout as sleep } from "node:timers/promises";

import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

import { sweepPrivateFolders } from "../build/privateFolder";
import { undoBuilderStore } from "../dockerBuild/builderStore";
import { createConnections } from "../dockerBuild/connections";
import { createLifecycles } from "../resources/lifecycles";
import { toServiceError } from "./answers";
import type { ConstructServer } from "./construct";
import { connectEngineLog, type EngineLog } from "./engineLog";
import { watchEngine } from "./engineWatch";
import { invoke } from "./functions";
import { check, create, diff, read, remove, update, type Operations } from "./operations";
import { packageVersion, readSchema } from "../package";

/** The engine gives a plugin a few seconds to end, and then kills it. */
const stopLimitMs = 8_000;

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Answer<Response> = grpc.sendUnaryData<Response>;

/** The provider process: one for all resources of a stack during one operation of the engine. */
export interface Plugin {
    readonly port: number;
    /** Ends running work, tells the engine the last lines, and closes. */
    stop(): Promise<void>;
}

/**
 * Starts the provider on a free loopback port. It implements the engine's own protocol and not the SDK's `Provider`
 * interface, which has no previews, no detailed differences and no log lines. `onEngineGone` is called when the engine
 * that started it was killed.
 */
export async function startPlugin(engineAddress: string | undefined, onEngineGone: () => void): Promise<Plugin> {
    let cancellation = new AbortController();
    let lifecycles = createLifecycles();
    const connections = createConnections();
    let engine = engineAddress;
    let log = connectEngineLog(engine);
    let constructServer: Promise<ConstructServer> | undefined;
    let stopWatch =
        engine === undefined ? undefined : watchEngine({ address: engine, parent: process.ppid }, onEngineGone);

    const running = new Set<Promise<unknown>>();
    /** A handler from a function: what it throws becomes the answer. */
    function answer<Request, Response>(handle: (request: Request) => Promise<Response>) {
        return (call: Call<Request>, callback: Answer<Response>): void => {
            // Called from a promise, so that a handler may throw before it waits for anything.
            const work = Promise.resolve().then(() => handle(call.request));
            running.add(work);
            work.finally(() => running.delete(work)).then(
                (response) => callback(null, response),
                (error: unknown) => callback(toServiceError(error)),
            );
        };
    }

    const operations = (): Operations => ({ lifecycles, log: currentLog(), signal: cancellation.signal });
    const currentLog = (): EngineLog => log;

    const server = new grpc.Server({
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
    });
    server.addService(ResourceProviderService, {
        handshake: answer(() =>
            Promise.resolve(new proto.ProviderHandshakeResponse().setAcceptSecrets(true).setAcceptOutputs(true)),
        ),
        attach: answer((request: plugin.PluginAttach) => {
            engine = request.getAddress();
            log.close();
            log = connectEngineLog(engine);
            // Somebody else has started this process, and the next engine may use it.
            stopWatch?.();
            stopWatch = watchEngine({ address: engine }, () => cancellation.abort());
            return Promise.resolve(new Empty());
        }),
        getPluginInfo: answer(() => Promise.resolve(new plugin.PluginInfo().setVersion(packageVersion))),
        getSchema: answer(async () => new proto.GetSchemaResponse().setSchema(await readSchema())),
        getMapping: answer(() => Promise.resolve(new proto.GetMappingResponse())),
        getMappings: answer(() => Promise.resolve(new proto.GetMappingsResponse())),
        checkConfig: answer((request: proto.CheckRequest) => {
            return Promise.resolve(new proto.CheckResponse().setInputs(request.getNews()));
        }),
        diffConfig: answer(() => Promise.resolve(new proto.DiffResponse())),
        configure: answer(async () => {
            // The engine cancels at the end of every operation, and may begin another one with the same process.
            cancellation = new AbortController();
            lifecycles = createLifecycles();
            // What an earlier run left behind because it was killed: it may hold keys.
            await sweepPrivateFolders(undefined, undoBuilderStore);
            return new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true).setAcceptoutputs(true);
        }),
        check: answer((request: proto.CheckRequest) => check(operations(), request)),
        diff: answer((request: proto.DiffRequest) => diff(operations(), request)),
        create: answer((request: proto.CreateRequest) => create(operations(), request)),
        read: answer((request: proto.ReadRequest) => read(operations(), request)),
        update: answer((request: proto.UpdateRequest) => update(operations(), request)),
        delete: answer(async (request: proto.DeleteRequest) => {
            await remove(operations(), request);
            return new Empty();
        }),
        construct: (call: Call<proto.ConstructRequest>, callback: Answer<proto.ConstructResponse>) => {
            constructServer ??= startConstructs(engine ?? "");
            constructServer.then(
                ({ client }) => client.construct(call.request, callback),
                (error: unknown) => callback(toServiceError(error)),
            );
        },
        cancel: answer(async () => {
            // The engine cancels on Ctrl-C, and also at the end of every normal run.
            cancellation.abort();
            await connections.close();
            await currentLog().flush();
            return new Empty();
        }),
        invoke: answer((request: proto.InvokeRequest) => {
            return invoke({ connections, log: currentLog(), signal: cancellation.signal }, request);
        }),
        ...unsupported("parameterize", "call"),
        list: refuseStream,
    });

    const port = await listen(server);
    return {
        port,
        async stop() {
            stopWatch?.();
            cancellation.abort();
            // A build that is cancelled takes its keys and passwords off the disk: it gets the time for that.
            const ending = [...running, connections.close()];
            await Promise.race([Promise.allSettled(ending), sleep(stopLimitMs, undefined, { ref: false })]);
            await currentLog().flush();
            currentLog().close();
            server.forceShutdown();
        },
    };
}

/** The parts of the protocol this package has no use for. The engine knows this answer and goes on without. */
function unsupported(...names: string[]): grpc.UntypedServiceImplementation {
    const handler = (_call: unknown, callback: Answer<never>): void => callback(nothingOfThisKind);
    return Object.fromEntries(names.map((name) => [name, handler]));
}

/** The same for an answer in many parts, where there is no callback. */
function refuseStream(call: grpc.ServerWritableStream<unknown, unknown>): void {
    call.emit("error", nothingOfThisKind);
}

const nothingOfThisKind = { code: grpc.status.UNIMPLEMENTED, details: "multiarch has nothing of this kind" };

function listen(server: grpc.Server): Promise<number> {
    return new Promise((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
            if (error === null) {
                resolve(port);
            } else {
                reject(error);
            }
        });
    });
}

/** The SDK is loaded with the first component: a program in TypeScript brings its own, and never needs that of the plugin. */
async function startConstructs(engineAddress: string): Promise<ConstructServer> {
    const { startConstructServer } = await import("./construct.js");
    return startConstructServer(engineAddress, packageVersion);
}
