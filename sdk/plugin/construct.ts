import * as grpc from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";

import { components } from "./components";

/**
 * Components are constructed by the SDK's own server: it rebuilds inputs, options and the connection to the engine, and
 * offers none of that to others. It runs in this process on a port of its own, and requests are passed on as they are.
 */
export interface ConstructServer {
    readonly client: ResourceProviderClient;
}

/** Starts the SDK's server. It lives as long as the process. */
export async function startConstructServer(engineAddress: string, version: string): Promise<ConstructServer> {
    const port = await capturePort(() => pulumi.provider.main(createProvider(version), [engineAddress]));
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
    });
    return { client };
}

function createProvider(version: string): pulumi.provider.Provider {
    return {
        version,
        construct: async (name, type, inputs, options) => {
            const component = components[type];
            if (component === undefined) {
                throw new Error(`${type} is not a component of this package`);
            }
            return component(name, inputs, options);
        },
    };
}

/**
 * The SDK's server tells its port by printing it: that is the handshake of a plugin. Ours has been made already, so the
 * line is caught and goes no further.
 */
async function capturePort(start: () => Promise<void>): Promise<number> {
    const print = console.log;
    let printed = "";
    console.log = (line: unknown) => {
        printed += String(line);
    };
    try {
        await start();
    } finally {
        console.log = print;
    }
    const port = Number(printed);
    if (!Number.isInteger(port) || port <= 0) {
        throw new Error(`the SDK's provider server printed "${printed}" where its port was expected`);
    }
    return port;
}
