import { passThrough } from "./lib/exec.mjs";
import { runMain, say } from "./lib/console.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

const HELP = `node tools/run.mjs -- <command> [arguments]

Runs a command with the toolchain first on PATH, and builds what is missing of it before.

    node tools/run.mjs -- pulumi version
    node tools/run.mjs -- npx mocha tests/unit/registry/reference.test.ts`;

await runMain(async () => {
    const args = process.argv.slice(2);
    const command = args[0] === "--" ? args.slice(1) : args;
    if (command.length === 0 || args[0] === "--help") {
        say(HELP);
        return command.length === 0 ? 2 : 0;
    }
    const { env } = await ensureToolchain({ system: false });
    return (await passThrough(command, { env })).exitCode;
});
