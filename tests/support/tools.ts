import { runCommand } from "../../sdk/build/exec";

/** Runs a program with this process's environment and gives what it printed. Throws with the end of its output when it fails. */
export async function runTool(
    file: string,
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; input?: string; timeoutMs?: number } = {},
): Promise<string> {
    const { env = {}, ...rest } = options;
    const result = await runCommand({ file, args, env: { ...inheritedEnv(), ...env }, timeoutMs: 120_000, ...rest });
    if (result.exitCode !== 0) {
        const command = [file, ...args].join(" ");
        const printed = `${result.stdout.slice(-4_000)}${result.stderrTail}`;
        throw new Error(`${command} ended with ${result.exitCode ?? result.signal}:\n${printed}`);
    }
    return result.stdout;
}

/** This process's environment. */
export function inheritedEnv(): Record<string, string> {
    return Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}
