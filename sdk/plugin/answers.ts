import * as grpc from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { describeError, messageOf } from "../errors";
import type { DiffAnswer, InputProblem, PropertyChange } from "../resources/lifecycle";
import type { Properties } from "../resources/values";

type JavaScriptStruct = Parameters<typeof Struct.fromJavaScript>[0];

/** Properties as the engine wants them. What is undefined is left out: the wire has no word for it. */
export function toStruct(properties: Properties): Struct {
    return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as JavaScriptStruct);
}

/** Properties as they came, secrets and unknown values still marked. */
export function fromStruct(struct: Struct | undefined): Properties {
    return struct?.toJavaScript() ?? {};
}

/**
 * What is wrong with the inputs. The path of the property is part of the text: given by itself, the engine prints the value
 * beside it, which may hold a secret, and `{<nil>}` for every path below the first level.
 */
export function toCheckFailures(problems: readonly InputProblem[]): proto.CheckFailure[] {
    return problems.map(({ property, reason, code = "input-invalid", next }) => {
        const text = describeError(code, { what: `${property}: ${reason}`, next });
        return new proto.CheckFailure().setReason(text.toWellFormed());
    });
}

const changeKinds: Record<PropertyChange, proto.PropertyDiff.Kind> = {
    add: proto.PropertyDiff.Kind.ADD,
    "add-replace": proto.PropertyDiff.Kind.ADD_REPLACE,
    delete: proto.PropertyDiff.Kind.DELETE,
    "delete-replace": proto.PropertyDiff.Kind.DELETE_REPLACE,
    update: proto.PropertyDiff.Kind.UPDATE,
    "update-replace": proto.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** The answer to `diff`, with each changed property by its path. */
export function toDiffResponse(answer: DiffAnswer): proto.DiffResponse {
    const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
    const response = new proto.DiffResponse()
        .setChanges(answer.changed ? DIFF_SOME : DIFF_NONE)
        .setReplacesList([...answer.replaces])
        .setStablesList([...(answer.stable ?? [])])
        .setDiffsList([...new Set(Object.keys(answer.changes).map((path) => /^[^.[]*/.exec(path)?.[0] ?? path))])
        .setHasdetaileddiff(true);
    for (const [path, change] of Object.entries(answer.changes)) {
        const inputs = new proto.PropertyDiff().setKind(changeKinds[change]).setInputdiff(true);
        response.getDetaileddiffMap().set(path, inputs);
    }
    return response;
}

/** An error as gRPC carries it: the text of ours is made for people, and nothing of any other is hidden. */
export function toServiceError(error: unknown): Partial<grpc.ServiceError> {
    // Output that was cut may end in half a character. gRPC for Node does not survive that: it would end the process,
    // and every other build with it.
    const text = messageOf(error).toWellFormed();
    return { code: grpc.status.UNKNOWN, details: text, message: text };
}
