import * as proto from "@pulumi/pulumi/proto/provider_pb";

import type { OperationContext, ResourceLifecycle } from "../resources/lifecycle";
import { findSecrets, protectPaths, reveal, withoutNulls, type Properties } from "../resources/values";
import { fromStruct, toCheckFailures, toDiffResponse, toStruct } from "./answers";
import type { EngineLog } from "./engineLog";
import { hideInId, protectOutputs } from "./secretOutputs";

/** What every operation of the plugin needs beside its request. */
export interface Operations {
    readonly lifecycles: Readonly<Record<string, ResourceLifecycle>>;
    readonly log: EngineLog;
    readonly signal: AbortSignal;
}

/** What requests have in common. */
interface ResourceRequest {
    getUrn(): string;
}

/** Says what is wrong with the inputs of a resource, and adds those that follow from the others. */
export async function check(operations: Operations, request: proto.CheckRequest): Promise<proto.CheckResponse> {
    const lifecycle = findLifecycle(operations, request);
    const news = fromStruct(request.getNews());
    const olds = request.getOlds() === undefined ? undefined : clear(fromStruct(request.getOlds()));
    const context = createContext(operations, request, news);
    const { problems, added } = await lifecycle.check(clear(news), isEmpty(olds) ? undefined : olds, context);
    const inputs = protectPaths({ ...news, ...added }, lifecycle.secretInputs);
    return new proto.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(toCheckFailures(problems));
}

/** Says what has changed. */
export async function diff(operations: Operations, request: proto.DiffRequest): Promise<proto.DiffResponse> {
    const lifecycle = findLifecycle(operations, request);
    const news = fromStruct(request.getNews());
    const answer = await lifecycle.diff(oldState(request), clear(news), createContext(operations, request, news));
    return toDiffResponse(answer);
}

/** Makes a resource, or in a preview says what it would be. */
export async function create(operations: Operations, request: proto.CreateRequest): Promise<proto.CreateResponse> {
    const lifecycle = findLifecycle(operations, request);
    const raw = fromStruct(request.getProperties());
    const inputs = clear(raw);
    const answer = (outputs: Properties): proto.CreateResponse => {
        return new proto.CreateResponse().setProperties(toStruct(protectOutputs(outputs, raw, lifecycle)));
    };
    if (request.getPreview()) {
        return answer(lifecycle.previewCreate(inputs));
    }
    const context = createContext(operations, request, raw, request.getTimeout());
    const { id, outputs } = await lifecycle.create(inputs, context);
    return answer(outputs).setId(hideInId(id, raw));
}

/** Looks a resource up, for `refresh`. An answer without an id says that it is gone. */
export async function read(operations: Operations, request: proto.ReadRequest): Promise<proto.ReadResponse> {
    const lifecycle = findLifecycle(operations, request);
    const rawInputs = fromStruct(request.getInputs());
    const state = { inputs: clear(rawInputs), outputs: clear(fromStruct(request.getProperties())) };
    const found = await lifecycle.read(request.getId(), state, createContext(operations, request, rawInputs));
    if (found === undefined) {
        return new proto.ReadResponse();
    }
    return new proto.ReadResponse()
        .setId(found.id)
        .setInputs(toStruct(protectPaths(found.inputs ?? rawInputs, lifecycle.secretInputs)))
        .setProperties(toStruct(protectOutputs(found.outputs, rawInputs, lifecycle)));
}

/** Changes a resource, or in a preview says what it would be. */
export async function update(operations: Operations, request: proto.UpdateRequest): Promise<proto.UpdateResponse> {
    const lifecycle = findLifecycle(operations, request);
    const raw = fromStruct(request.getNews());
    const old = oldState(request);
    const inputs = clear(raw);
    const answer = (outputs: Properties): proto.UpdateResponse => {
        return new proto.UpdateResponse().setProperties(toStruct(protectOutputs(outputs, raw, lifecycle)));
    };
    if (request.getPreview()) {
        return answer(lifecycle.previewUpdate(old, inputs));
    }
    const context = createContext(operations, request, raw, request.getTimeout());
    return answer(await lifecycle.update(old, inputs, context));
}

/** Takes a resource away. */
export async function remove(operations: Operations, request: proto.DeleteRequest): Promise<void> {
    const lifecycle = findLifecycle(operations, request);
    const rawInputs = fromStruct(request.getOldInputs());
    const state = { inputs: clear(rawInputs), outputs: clear(fromStruct(request.getProperties())) };
    await lifecycle.delete(state, createContext(operations, request, rawInputs, request.getTimeout()));
}

function findLifecycle(operations: Operations, request: ResourceRequest): ResourceLifecycle {
    // Older engines send no type of its own. The last part of a URN's type chain is the type of the resource.
    const type = request.getUrn().split("::")[2]?.split("$").pop() ?? "";
    const lifecycle = operations.lifecycles[type];
    if (lifecycle === undefined) {
        throw new Error(`${type} is not a resource of this package`);
    }
    return lifecycle;
}

function createContext(
    operations: Operations,
    request: ResourceRequest,
    inputs: Properties,
    timeoutSeconds = 0,
): OperationContext {
    const secrets = findSecrets(inputs, findLifecycle(operations, request).secretInputs);
    return {
        urn: request.getUrn(),
        reporter: operations.log.reporterFor(request.getUrn(), secrets),
        signal: operations.signal,
        secrets,
        timeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : undefined,
    };
}

function oldState(request: proto.DiffRequest | proto.UpdateRequest): { inputs: Properties; outputs: Properties } {
    return { inputs: clear(fromStruct(request.getOldInputs())), outputs: clear(fromStruct(request.getOlds())) };
}

/** Properties in clear text. What is null was not given: not every language tells the two apart. */
function clear(properties: Properties): Properties {
    return withoutNulls(reveal(properties)) as Properties;
}

function isEmpty(properties: Properties | undefined): boolean {
    return properties === undefined || Object.keys(properties).length === 0;
}
