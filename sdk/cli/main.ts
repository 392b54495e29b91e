import { text } from "node:stream/consumers";

import { runCli } from "./run";

/** The program behind `npx pulumi-multiarch`. */
void (async () => {
    process.exitCode = await runCli(process.argv.slice(2), {
        folder: process.cwd(),
        env: process.env,
        readInput: () => text(process.stdin),
        write: (output) => process.stdout.write(output),
        say: (line) => process.stderr.write(`${line}\n`),
    });
})();
