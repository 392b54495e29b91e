import { createHash } from "node:crypto";
import { fromJSON, type MessageTypeDefinition } from "@grpc/proto-loader";
import type { Definition } from "./messages";

/** A change of the files of a snapshot. It goes on from the one before it. */
export type FileAction =
    /** Writes a new file. */
    | { readonly mkfile: { readonly path: string; readonly mode: number; readonly data: Uint8Array } }
    /** Removes a file. */
    | { readonly rm: { readonly path: string } };

interface Op {
    readonly inputs?: readonly { readonly digest: string; readonly index: number }[];
    readonly file?: { readonly actions: readonly object[] };
}

// Of the messages the fields that are used. The numbers are those of
// https://github.com/moby/buildkit/blob/v0.31.1/solver/pb/ops.proto
const descriptor = {
    nested: {
        Input: { fields: { digest: { type: "string", id: 1 }, index: { type: "int64", id: 2 } } },
        MkFile: {
            fields: {
                path: { type: "string", id: 1 },
                mode: { type: "int32", id: 2 },
                data: { type: "bytes", id: 3 },
                timestamp: { type: "int64", id: 5 },
            },
        },
        Rm: { fields: { path: { type: "string", id: 1 } } },
        FileAction: {
            fields: {
                input: { type: "int64", id: 1 },
                secondaryInput: { type: "int64", id: 2 },
                output: { type: "int64", id: 3 },
                mkfile: { type: "MkFile", id: 5 },
                rm: { type: "Rm", id: 7 },
            },
        },
        FileOp: { fields: { actions: { rule: "repeated", type: "FileAction", id: 2 } } },
        Op: { fields: { inputs: { rule: "repeated", type: "Input", id: 1 }, file: { type: "FileOp", id: 4 } } },
    },
};

const op = fromJSON(descriptor)["Op"] as MessageTypeDefinition<Op, Op>;

/** What stands for no snapshot: an empty one as input, none as output. */
const none = -1;

/**
 * One step that changes files, in an empty snapshot, whatever is known of it; only what is there at its end is kept.
 * `name` is what the daemon calls it: in its log, and as the description of what is kept.
 */
export function defineFileStep(name: string, actions: readonly FileAction[]): Definition {
    const last = actions.length - 1;
    const step = encode({
        file: {
            // The step has no inputs, so that the number of an action is that of its result.
            actions: actions.map((action, index) => ({
                input: index === 0 ? none : index - 1,
                secondaryInput: none,
                output: index === last ? 0 : none,
                ...("mkfile" in action ? { mkfile: { ...action.mkfile, timestamp: none } } : action),
            })),
        },
    });
    const result = encode({ inputs: [{ digest: step.digest, index: 0 }] });
    return {
        def: [step.bytes, result.bytes],
        metadata: { [step.digest]: { ignore_cache: true, description: { "llb.customname": name } } },
    };
}

function encode(value: Op): { bytes: Buffer; digest: string } {
    const bytes = op.serialize(value);
    return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}
