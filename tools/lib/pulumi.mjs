import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { say, SetupError } from "./console.mjs";
import { capture, passThrough } from "./exec.mjs";
import { readState, stackName, stateDir, updateState } from "./embeddedState.mjs";
import { dropStaleLocks } from "./stackLocks.mjs";
import { hashOf } from "./stamp.mjs";

/**
 * A project of Pulumi and what is needed to run commands in it.
 * @typedef {{ binary: string, dir: string, env: NodeJS.ProcessEnv }} Project
 *
 * What the programs in examples/ export.
 * @typedef {{ indexDigest: string, ref: string, tagRefs: string[], platformDigests: Record<string, string> }} Outputs
 */

/**
 * Creates the stack where it is missing, and sets its configuration where it has changed.
 * @param {Project} project
 * @param {{ plain: Record<string, string>, secret: Record<string, string> }} values
 */
export async function configureStack(project, { plain, secret }) {
    const stackFile = join(project.dir, `Pulumi.${stackName}.yaml`);
    const hash = hashOf([JSON.stringify([plain, secret])]);
    const { configured = {} } = readState();
    if (existsSync(stackFile) && configured[project.dir] === hash) {
        return;
    }
    if (configured[project.dir] === undefined) {
        // Its secrets are encrypted with a passphrase that is gone.
        rmSync(stackFile, { force: true });
    }
    await runPulumi(project, ["stack", "select", "--create", stackName]);
    const pairs = Object.entries(plain).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await runPulumi(project, ["config", "set-all", "--stack", stackName, ...pairs]);
    for (const [key, value] of Object.entries(secret)) {
        await runPulumi(project, ["config", "set", "--stack", stackName, "--secret", key], value);
    }
    updateState({ configured: { ...configured, [project.dir]: hash } });
}

/**
 * Brings the stack up in front of the user.
 * @param {Project} project
 * @returns {Promise<number>} the exit code
 */
export async function bringUp({ binary, dir, env }) {
    if (dropStaleLocks(stateDir).dropped > 0) {
        say("took away the lock of an update that was killed");
    }
    const options = ["--stack", stackName, "--yes", "--skip-preview", "--non-interactive"];
    const { exitCode } = await passThrough([binary, "up", ...options], { cwd: dir, env });
    const { holders } = dropStaleLocks(stateDir);
    if (exitCode !== 0 && holders.length > 0) {
        const cancel = `source .cache/env && pulumi cancel --stack ${stackName} --yes`;
        say(`a stack is locked by process ${holders.join(", ")}. Wait for it, or: ${cancel}`);
    }
    return exitCode;
}

/**
 * @param {Project} project
 * @returns {Promise<Outputs>}
 */
export async function readOutputs({ binary, dir, env }) {
    const argv = [binary, "stack", "output", "--stack", stackName, "--json", "--non-interactive"];
    const { exitCode, stdout, output } = await capture(argv, { cwd: dir, env });
    if (exitCode !== 0) {
        throw new SetupError(`pulumi stack output failed:\n${output}`);
    }
    return JSON.parse(stdout);
}

/**
 * @param {Project} project
 * @param {string[]} args
 * @param {string} [input] given on standard input, where no other process can read it
 * @returns {Promise<void>}
 */
function runPulumi({ binary, dir, env }, args, input = "") {
    return new Promise((resolve, reject) => {
        const child = spawn(binary, [...args, "--non-interactive"], { cwd: dir, env });
        let output = "";
        child.stdout.on("data", (chunk) => (output += chunk));
        child.stderr.on("data", (chunk) => (output += chunk));
        child.on("error", reject);
        child.on("close", (code) => {
            const what = args.slice(0, 2).join(" ");
            return code === 0 ? resolve() : reject(new SetupError(`pulumi ${what} failed:\n${output.trim()}`));
        });
        child.stdin.on("error", () => undefined);
        child.stdin.end(input);
    });
}
