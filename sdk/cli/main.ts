import { text } from "node:stream/consumers";

import { assertNode } from "../nodeVersion";

/** The program behind `npx pulumi-multiarch`. */
async function main(): Promise<void> {
    assertNode();
    const { runCli } = await import("./run.js");
    process.exitCode = await runCli(process.argv.slice(2), {
        folder: process.cwd(),
        env: process.env,
        readInput: () => text(process.stdin),
        write: (output) => process.stdout.write(output),
        say: (line) => process.stderr.write(`${line}\n`),
    });
}

main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
});
