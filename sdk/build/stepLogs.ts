import { StringDecoder } from "node:string_decoder";

/** Keeps the end of what each step of a build wrote. */
export interface StepLogs {
    /** Takes the next piece of output of a step, in base64. A piece may end in the middle of a character. */
    readonly add: (vertex: string, data: string) => void;
    /** The last lines of a step. */
    readonly tail: (vertex: string) => string[];
}

const linesKept = 20;
const charactersKept = 64 * 1024;
// Colours and movements of the cursor. https://en.wikipedia.org/wiki/ANSI_escape_code#CSI_(Control_Sequence_Introducer)_sequences
// eslint-disable-next-line no-control-regex -- these are control characters
const escapeSequence = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** Starts with nothing. */
export function createStepLogs(): StepLogs {
    const texts = new Map<string, { decoder: StringDecoder; text: string }>();
    return {
        add: (vertex, data) => {
            const log = texts.get(vertex) ?? { decoder: new StringDecoder("utf8"), text: "" };
            texts.set(vertex, log);
            log.text = keepWholeLines(log.text + log.decoder.write(Buffer.from(data, "base64")));
        },
        tail: (vertex) => {
            const lines = (texts.get(vertex)?.text ?? "").replace(escapeSequence, "").split("\n");
            return (
                lines
                    // A carriage return starts the line anew: what stays is what came last.
                    .map((line) => line.replace(/\r+$/, "").split("\r").at(-1) ?? "")
                    .filter((line) => line.trim() !== "")
                    .slice(-linesKept)
            );
        },
    };
}

/** Part of a line could begin in the middle of a secret, and would not be recognised as one. */
function keepWholeLines(text: string): string {
    if (text.length <= charactersKept) {
        return text;
    }
    const kept = text.slice(-charactersKept);
    const lineBreak = kept.indexOf("\n");
    return lineBreak < 0 ? "" : kept.slice(lineBreak + 1);
}
