import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";

import * as grpc from "@grpc/grpc-js";
import type * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as proto from "@pulumi/pulumi/proto/provider_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";

/** The requests a test sends, each with its answer. */
interface Calls {
    attach: [plugin.PluginAttach, Empty];
    cancel: [Empty, Empty];
    check: [proto.CheckRequest, proto.CheckResponse];
    configure: [proto.ConfigureRequest, proto.ConfigureResponse];
    create: [proto.CreateRequest, proto.CreateResponse];
    diff: [proto.DiffRequest, proto.DiffResponse];
    getPluginInfo: [Empty, plugin.PluginInfo];
    getSchema: [proto.GetSchemaRequest, proto.GetSchemaResponse];
    handshake: [proto.ProviderHandshakeRequest, proto.ProviderHandshakeResponse];
}

/** The generated methods have three overloads each, of which this is the one in use. */
type Method<Request, Response> = (
    request: Request,
    callback: (error: grpc.ServiceError | null, response: Response) => void,
) => unknown;

/** The plugin as the engine starts it: a process of its own that prints its port. */
export interface RunningPlugin {
    readonly client: ResourceProviderClient;
    readonly process: ChildProcess;
    /** Everything it has printed. */
    readonly printed: () => string;
    /** Sends a request and waits for the answer. */
    call<Name extends keyof Calls>(name: Name, request: Calls[Name][0]): Promise<Calls[Name][1]>;
    stop(): Promise<void>;
}

/** Starts the plugin without an engine: log lines go nowhere, everything else works. */
export async function startPluginProcess(cwd = process.cwd()): Promise<RunningPlugin> {
    const executable = join(__dirname, "..", "..", "bin", "pulumi-resource-multiarch");
    const child = spawn(executable, [], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const port = await new Promise<string>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => reject(new Error(`the plugin ended with ${code ?? "a signal"}: ${printed}`)));
        createInterface(child.stdout).once("line", resolve);
    });
    printed += `${port}\n`;
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return {
        client,
        process: child,
        printed: () => printed,
        call: (name, request) =>
            new Promise((resolve, reject) => {
                const method = client[name] as unknown as Method<typeof request, Calls[typeof name][1]>;
                method.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
            }),
        async stop() {
            client.close();
            const ended = new Promise((resolve) => child.once("exit", resolve));
            child.kill("SIGTERM");
            await ended;
        },
    };
}
