import { formatDuration, runMain, say } from "./lib/console.mjs";
import { runMocha, suites, testFilesOf } from "./lib/mocha.mjs";
import { runParts, staticParts } from "./lib/parts.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

const HELP = `npm run check

Format, lint, types, schema and unit tests, side by side; under a minute. Needs Node.js and the npm packages only.
npm test runs the tests against the real engine too.`;

await runMain(async () => {
    if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
        say(HELP);
        return 0;
    }
    const { env } = await ensureToolchain({ only: [], system: false });
    const started = Date.now();
    const parts = staticParts(env);
    let passed = 0;
    for (const suite of suites.filter(({ engine }) => !engine)) {
        const files = testFilesOf(suite);
        if (files.length > 0) {
            const work = async () => {
                const outcome = await runMocha(files, { name: suite.name, env, timeout: suite.timeout, quiet: true });
                passed += outcome.passed;
                return outcome;
            };
            parts.push({ name: suite.name, work });
        }
    }
    const failed = await runParts(parts);
    const verdict = failed.length === 0 ? `check passed with ${passed} tests` : `check failed: ${failed.join(", ")}`;
    say(`${verdict} in ${formatDuration(Date.now() - started)}`);
    return failed.length === 0 ? 0 : 1;
});
