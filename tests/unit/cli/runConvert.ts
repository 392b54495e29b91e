import { runCli } from "../../../sdk/cli/run";

/** What a run of the command gave. */
export interface CliResult {
    readonly status: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs `pulumi-multiarch` in this process. */
export async function runIn(folder: string, args: readonly string[], input = ""): Promise<CliResult> {
    let [stdout, stderr] = ["", ""];
    const status = await runCli(args, {
        folder,
        env: process.env,
        readInput: () => Promise.resolve(input),
        write: (text) => (stdout += text),
        say: (line) => (stderr += `${line}\n`),
    });
    return { status, stdout, stderr };
}

/** Converts a command that is given as in a shell. */
export function convertText(command: string, options: readonly string[] = []): Promise<CliResult> {
    return runIn("/program", ["convert", ...options], command);
}

/** Converts a command with what every build needs, and something more. */
export function convertMore(more: string): Promise<CliResult> {
    return convertText(`docker buildx build --platform linux/amd64 -t r.example.com/app --push ${more} .`);
}
