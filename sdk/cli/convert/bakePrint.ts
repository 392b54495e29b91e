import { findBuildx } from "../../build/buildx";
import { runCommand } from "../../build/exec";
import { MultiArchError } from "../../errors";
import type { CommandContext } from "../command";
import type { BakeDocument } from "./bake";

/**
 * Has buildx work out a bake file: HCL, JSON or compose, with variables, functions, matrices and inheritance. Nothing is
 * built, and no builder is needed.
 *
 * Throws a MultiArchError: `buildx-missing`, `buildx-too-old`, or `bake-failed` with what buildx says of the file.
 */
export async function printBake(
    { files, args }: { readonly files: readonly string[]; readonly args: readonly string[] },
    { env, folder }: Pick<CommandContext, "env" | "folder">,
): Promise<BakeDocument> {
    const { file } = await findBuildx(env);
    const { exitCode, stdout, stderrTail } = await runCommand({
        file,
        args: ["bake", "--print", ...files.flatMap((name) => ["--file", name]), ...args],
        // Variables of a bake file come from the environment.
        env: Object.fromEntries(
            Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
        ),
        cwd: folder,
        timeoutMs: 60_000,
        maxOutputBytes: 16 * 1024 * 1024,
    });
    if (exitCode !== 0) {
        const said = stderrTail.split("\n").filter((line) => line.trim() !== "" && !/^#\d+ /.test(line));
        throw new MultiArchError("bake-failed", {
            what: `buildx bake --print ended with ${exitCode ?? "a signal"}: ${said.join("\n")}`,
        });
    }
    return JSON.parse(stdout) as BakeDocument;
}
