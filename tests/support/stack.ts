import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LocalWorkspace, type OutputMap, type PulumiFn, type Stack, type UpResult } from "@pulumi/pulumi/automation";

import { separateEngineConnections } from "./engineConnections";
import { readResultsFromState } from "./stackResults";
import { inheritedEnv } from "./tools";
import type { World } from "./world";

separateEngineConnections();

const repository = join(__dirname, "..", "..");

/** A stack with a folder, a state and a home of its own. */
export interface TestStack {
    readonly stack: Stack;
    /** The name of its project. */
    readonly project: string;
    /** The folder of the program: contexts are relative to it. */
    readonly folder: string;
    readonly env: Record<string, string>;
    /** Everything the engine and the provider printed, in order. */
    readonly output: () => string;
    /** Takes what is printed by an operation that a test starts itself. */
    readonly listen: (text: string) => void;
    up(): Promise<UpResult>;
    /** Runs `up`, which has to fail, and gives what was printed. */
    upFails(): Promise<string>;
    /** Ends the stack, and takes its folder away. */
    remove(): Promise<void>;
}

let stacks = 0;

/** Creates a stack from a program that runs in this process. The provider runs as its own process, as for users. */
export async function createStack(
    world: World,
    program: (folder: string) => Promise<OutputMap | object>,
): Promise<TestStack> {
    const root = mkdtempSync(join(tmpdir(), "multiarch-stack-"));
    const [folder, state, home] = ["program", "state", "home"].map((name) => join(root, name)) as [
        string,
        string,
        string,
    ];
    [folder, state, home].forEach((path) => mkdirSync(path));
    const env = stackEnv(world, state, home);
    const projectName = `project${++stacks}`;
    let output = "";
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: "test", projectName, program: (() => program(folder)) as PulumiFn },
        {
            workDir: folder,
            envVars: env,
            // Paths in a program are relative to its own folder, which for one in this process has to be said.
            projectSettings: { name: projectName, runtime: "nodejs", main: folder },
        },
    );
    readResultsFromState(stack, projectName);
    const listen = (text: string): void => void (output += text);
    const options = { onOutput: listen, onError: listen };
    return {
        stack,
        project: projectName,
        folder,
        env,
        output: () => output,
        listen,
        up: () => stack.up(options),
        async upFails() {
            const before = output.length;
            let result: UpResult | undefined;
            try {
                result = await stack.up(options);
            } catch {
                return output.slice(before);
            }
            throw new Error(`up should have failed, and gave ${JSON.stringify(result.outputs)}`);
        },
        async remove() {
            try {
                await stack.destroy();
            } finally {
                rmSync(root, { recursive: true, force: true });
            }
        },
    };
}

/** The environment of the engine: nothing of the user's own configuration takes part. */
export function stackEnv(world: World, state: string, home: string): Record<string, string> {
    const docker = join(home, ".pulumi-tests-docker");
    mkdirSync(docker, { recursive: true });
    const path = [join(repository, "bin"), inheritedEnv()["PATH"] ?? ""].join(":");
    return {
        PATH: path,
        HOME: home,
        DOCKER_CONFIG: docker,
        PULUMI_HOME: join(home, ".pulumi"),
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "only for tests",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        SSL_CERT_FILE: world.caFile,
        XDG_RUNTIME_DIR: home,
    };
}
