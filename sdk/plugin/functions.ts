import * as proto from "@pulumi/pulumi/proto/provider_pb";

import type { Connections, ConnectRequest } from "../dockerBuild/connections";
import { connectToken, releaseToken, startToken } from "../dockerBuild/tokens";
import { findSecrets, reveal, withoutNulls, type Properties } from "../resources/values";
import { fromStruct, toStruct } from "./answers";
import type { EngineLog } from "./engineLog";

/** What a function of the plugin needs beside its request. */
export interface Invocation {
    readonly connections: Connections;
    readonly log: EngineLog;
    readonly signal: AbortSignal;
}

const secretInputs = ["registries.*.password", "nodes.*.tls.key"];

/** Runs a function of the plugin. */
export async function invoke(
    { connections, log, signal }: Invocation,
    request: proto.InvokeRequest,
): Promise<proto.InvokeResponse> {
    const raw = fromStruct(request.getArgs());
    const args = withoutNulls(reveal(raw)) as Properties;
    const secrets = findSecrets(raw, secretInputs);
    switch (request.getTok()) {
        case startToken:
            break;
        case connectToken: {
            const urn = String(args["urn"]);
            const context = { urn, reporter: log.reporterFor(urn, secrets), signal, secrets };
            await connections.connect(args as unknown as ConnectRequest, context);
            break;
        }
        case releaseToken:
            await connections.release(String(args["name"]));
            break;
        default:
            throw new Error(`${request.getTok()} is not a function of this package`);
    }
    return new proto.InvokeResponse().setReturn(toStruct({}));
}
