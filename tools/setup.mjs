import { formatDuration, runMain, say } from "./lib/console.mjs";
import { goToolNames, testToolNames } from "./lib/goTools.mjs";
import { binDir } from "./lib/paths.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

const HELP = `node tools/setup.mjs [tool ...]

Prepares what npm start and npm test need, and starts nothing: system packages, Node.js, npm packages, the compiled SDK
and these tools: ${testToolNames.join(", ")}.
With names, only those tools. A tool of your own on PATH is used where its version fits.
The rest goes to .cache, or to the folder that MULTIARCH_CACHE names; deleting that folder undoes it.`;

await runMain(async () => {
    const names = process.argv.slice(2);
    if (names.includes("--help") || names.includes("-h")) {
        say(HELP);
        return;
    }
    const started = Date.now();
    const { bin } = await ensureToolchain(names.length > 0 ? { only: names } : {});
    for (const name of names.length > 0 ? names : goToolNames) {
        say(`${name}: ${bin(name).startsWith(binDir) ? "built here" : bin(name)}`);
    }
    say(`everything is ready (${formatDuration(Date.now() - started)})`);
});
