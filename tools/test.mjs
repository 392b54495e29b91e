import { runMain, say } from "./lib/console.mjs";
import { faultSuite, runMocha, suites, testFilesOf } from "./lib/mocha.mjs";
import { runParts, staticParts } from "./lib/parts.mjs";
import { prepareTests } from "./lib/prepareTests.mjs";
import { splitEvenly } from "./lib/shards.mjs";

const HELP = `npm test [-- <test files and options of mocha>]

Prepares the toolchain, then runs npm run check's parts and all tests, also against the real engine.

    npm test
    npm test -- tests/unit/registry/reference.test.ts
    npm test -- --grep "moves no tag"

With files or options, only mocha runs; with unit tests alone, no tool is built.
tests/faults/ is left out unless its files are named: npm run test:faults runs it, and takes longer.
The last line counts the tests: "N passed, N failed".`;

await runMain(async () => {
    const args = process.argv.slice(2);
    if (args.includes("--help") || args.includes("-h")) {
        say(HELP);
        return 0;
    }
    const named = [...suites, faultSuite].filter(({ name }) => args.some((arg) => arg.startsWith(`tests/${name}`)));
    const chosen = named.length > 0 ? named : suites;
    const env = await prepareTests(chosen.some(({ engine }) => engine));
    const failedParts = args.length === 0 ? await runParts(staticParts(env)) : [];

    const total = { passed: 0, failed: 0 };
    for (const runs of args.length === 0 ? planAll() : [[planChosen(chosen, args, named.length > 0)]]) {
        const outcomes = await Promise.all(
            runs.map((run, position) => runMocha(run.args, { ...run, env, held: position > 0 })),
        );
        for (const { passed, failed, exitCode, interrupt } of outcomes) {
            if (interrupt !== null) {
                say(`interrupted by ${interrupt}: what the tests had started has been ended`);
                return exitCode ?? 1;
            }
            total.passed += passed;
            total.failed += failed;
        }
    }
    if (failedParts.length > 0) {
        say(`failed beside the tests: ${failedParts.join(", ")}`);
    }
    if (total.passed + total.failed === 0) {
        say("no test ran");
    }
    say(`${total.passed} passed, ${total.failed} failed`);
    return failedParts.length > 0 || total.failed > 0 || total.passed === 0 ? 1 : 0;
});

/** Suites one after the other, because each has its own time limit; where files can be split, in several runs at once. */
function planAll() {
    return suites.map((suite) => {
        const files = testFilesOf(suite);
        const groups = suite.splits ? splitEvenly(files) : [files];
        return groups
            .filter((args) => args.length > 0)
            .map((args, position) => ({
                name: groups.length > 1 ? `${suite.name} ${position + 1} of ${groups.length}` : suite.name,
                args,
                timeout: suite.timeout,
            }));
    });
}

/**
 * @param {readonly import("./lib/mocha.mjs").Suite[]} chosen
 * @param {string[]} args
 * @param {boolean} hasFiles
 */
function planChosen(chosen, args, hasFiles) {
    const files = hasFiles ? [] : chosen.flatMap(testFilesOf);
    const name = chosen.map((suite) => suite.name).join(" and ");
    return { name, args: [...args, ...files], timeout: Math.max(...chosen.map(({ timeout }) => timeout)) };
}
