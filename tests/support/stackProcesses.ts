import assert from "node:assert/strict";

import { findByEnvironment } from "./processes";

/** The process id of the engine of a stack that runs an operation. */
export function findEngine(env: Readonly<Record<string, string>>): number {
    return findProcess(env, "pulumi up");
}

/** The process id of the provider of a stack that runs an operation. */
export function findProvider(env: Readonly<Record<string, string>>): number {
    return findProcess(env, "dist/plugin/main.js");
}

/** The programs of a stack have its own home. */
function findProcess(env: Readonly<Record<string, string>>, part: string): number {
    const [first] = findByEnvironment(`HOME=${env["HOME"] ?? ""}`)
        .filter(({ argv }) => argv.includes(part))
        // A child it is about to start looks like it for a moment; the oldest one is the program itself.
        .sort((one, other) => one.pid - other.pid);
    return first?.pid ?? assert.fail(`${part} does not run`);
}
