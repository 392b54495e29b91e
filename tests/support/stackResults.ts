import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { OutputMap, Stack, UpdateSummary } from "@pulumi/pulumi/automation";

// https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/resource/sig.go
const secretSignature = '"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"';

/**
 * Takes the outputs and the summary of an operation from where the engine has just written them. The Automation API starts
 * three more commands for them after each `up`, a quarter of what the operation itself takes. Outputs with a secret are
 * still read by the engine, which has the key.
 */
export function readResultsFromState(stack: Stack, project: string): void {
    const { envVars } = stack.workspace;
    const state = join(fileURLToPath(envVars["PULUMI_BACKEND_URL"] ?? ""), ".pulumi");
    const askEngine = stack.outputs.bind(stack);
    stack.outputs = async () =>
        readOutputs(join(state, "stacks", project, `${stack.name}.json`)) ?? (await askEngine());
    stack.info = () => Promise.resolve(readSummary(join(state, "history", project, stack.name)));
}

/** The outputs of the stack, unless one of them is a secret. */
function readOutputs(file: string): OutputMap | undefined {
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
        checkpoint: { latest?: { resources?: { type: string; outputs?: object }[] } };
    };
    const stack = checkpoint.latest?.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
    const outputs = Object.entries(stack?.outputs ?? {});
    if (JSON.stringify(outputs).includes(secretSignature)) {
        return undefined;
    }
    return Object.fromEntries(outputs.map(([name, value]: [string, unknown]) => [name, { value, secret: false }]));
}

/** What the last operation was, in the words of `pulumi stack history`. */
function readSummary(folder: string): UpdateSummary | undefined {
    const last = readdirSync(folder)
        .filter((name) => name.endsWith(".history.json"))
        .sort()
        .at(-1);
    if (last === undefined) {
        return undefined;
    }
    const { startTime, endTime, ...summary } = JSON.parse(readFileSync(join(folder, last), "utf8")) as UpdateSummary & {
        startTime: number;
        endTime: number;
    };
    return { ...summary, startTime: new Date(startTime * 1_000), endTime: new Date(endTime * 1_000) };
}
