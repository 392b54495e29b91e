import { formatDuration, runMain, say } from "./lib/console.mjs";
import { faultSuite, runMocha, suites, testFilesOf } from "./lib/mocha.mjs";
import { prepareTests } from "./lib/prepareTests.mjs";
import { judgeRows, readRows, reliabilityPage, selectTests } from "./lib/reliability.mjs";

const HELP = `npm run test:faults [-- <part of a fault> ...]

Runs the matrix of faults: every test that a row of ${reliabilityPage} names, and all of tests/faults/, against real
daemons, each on a host of its own in a network namespace. Prepares the same tools as npm test, and takes longer.

    npm run test:faults
    npm run test:faults -- "disk" "frozen"

With arguments, only the rows that hold one of these words count, and only their tests run.
The last line counts rows; a row of which a test failed or did not run does not hold, and the exit code is 1 then:
"fault matrix: N rows, N hold, N fail (time)".`;

await runMain(async () => {
    const args = process.argv.slice(2);
    if (args.includes("--help") || args.includes("-h")) {
        say(HELP);
        return 0;
    }
    const rows = readRows().filter(({ fault, when }) => {
        return args.length === 0 || args.some((word) => `${fault} ${when}`.toLowerCase().includes(word.toLowerCase()));
    });
    const env = await prepareTests(true);
    const started = Date.now();

    const ran = [];
    let failed = 0;
    for (const { args: selection, name, timeout } of planRuns(rows, args.length === 0)) {
        const outcome = await runMocha(selection, { name, env, timeout });
        if (outcome.interrupt !== null) {
            say(`interrupted by ${outcome.interrupt}: what the tests had started has been ended`);
            return outcome.exitCode ?? 1;
        }
        ran.push(...outcome.tests);
        failed += outcome.failed;
    }

    const broken = judgeRows(rows, ran).filter(({ reasons }) => reasons.length > 0);
    for (const { row, reasons } of broken) {
        say(`does not hold: ${row.fault}, ${row.when}: ${reasons.join("; ")}`);
    }
    const counts = `${rows.length} rows, ${rows.length - broken.length} hold, ${broken.length} fail`;
    say(`fault matrix: ${counts} (${formatDuration(Date.now() - started)})`);
    return broken.length > 0 || failed > 0 || rows.length === 0 ? 1 : 0;
});

/**
 * One run after the other: what these tests look at is time, and others beside them would take it.
 * @param {readonly import("./lib/reliability.mjs").Row[]} rows
 * @param {boolean} isWhole
 */
function planRuns(rows, isWhole) {
    return [...suites, faultSuite].flatMap((suite) => {
        const { name, timeout } = suite;
        const tests = rows.flatMap((row) => row.tests).filter(({ file }) => file.startsWith(`tests/${name}/`));
        const own = isWhole && suite === faultSuite ? testFilesOf(suite) : [];
        if (tests.length === 0 && own.length === 0) {
            return [];
        }
        return [{ name, timeout, args: own.length > 0 ? own : selectTests(tests) }];
    });
}
