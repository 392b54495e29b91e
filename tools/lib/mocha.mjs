import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { say } from "./console.mjs";
import { capture, passThrough } from "./exec.mjs";
import { repoRoot } from "./paths.mjs";
import { keepDurations } from "./shards.mjs";
import { readJson } from "./stamp.mjs";

/**
 * @typedef {object} Suite
 * @property {string} name the folder below tests/
 * @property {number} timeout of one test, in milliseconds; a test that needs more says so itself
 * @property {boolean} engine whether it needs the Go tools and the stand-ins
 * @property {boolean} [splits] whether its files can run in several processes at once
 *
 * @typedef {object} RanTest
 * @property {string} file relative to the repository
 * @property {string} title with those of its suites before it
 * @property {boolean} passed
 *
 * @typedef {object} Outcome
 * @property {number | null} exitCode
 * @property {number} passed
 * @property {number} failed
 * @property {readonly RanTest[]} tests those that have ended, one by one
 * @property {string} output
 * @property {NodeJS.Signals | null} interrupt the signal that this process has got, after which nothing more should run
 */

/** @type {readonly Suite[]} */
export const suites = [
    { name: "unit", timeout: 10_000, engine: false },
    { name: "plugin", timeout: 60_000, engine: true },
    { name: "integration", timeout: 600_000, engine: true, splits: true },
];

/**
 * What is too long for each run of all tests: `npm run test:faults`.
 * @type {Suite}
 */
export const faultSuite = { name: "faults", timeout: 600_000, engine: true };

/**
 * The test files of a suite, relative to the repository.
 * @param {Suite} suite
 */
export function testFilesOf(suite) {
    const folder = join("tests", suite.name);
    if (!existsSync(join(repoRoot, folder))) {
        return [];
    }
    return readdirSync(join(repoRoot, folder), { recursive: true })
        .map((name) => join(folder, String(name)))
        .filter((name) => name.endsWith(".test.ts"))
        .sort();
}

/**
 * Runs mocha and counts. A run that ends without its totals, such as on a file that does not load, counts as one failure
 * and says so.
 * @param {string[]} args files and mocha's own options
 * @param {object} options
 * @param {string} options.name what runs, for that message
 * @param {NodeJS.ProcessEnv} options.env
 * @param {number} options.timeout
 * @param {boolean} [options.quiet] return the output, print nothing
 * @param {boolean} [options.held] print the output when all of it is there, for runs beside others
 * @returns {Promise<Outcome>}
 */
export async function runMocha(args, { name, env, timeout, quiet = false, held = false }) {
    // The tests know by the process id what a run that was killed has left: tests/support/leftovers.ts.
    const folder = mkdtempSync(join(tmpdir(), `multiarch-tests-${process.pid}-`));
    const report = join(folder, "totals.json");
    try {
        const argv = [
            join(repoRoot, "node_modules", ".bin", "mocha"),
            ...["--reporter", join("tools", "lib", "mochaReporter.cjs"), "--timeout", String(timeout)],
            ...args,
        ];
        const options = { cwd: repoRoot, env: { ...env, MULTIARCH_TEST_REPORT: report } };
        const ending = quiet
            ? { ...(await capture(argv, options)), interrupt: null }
            : await passThrough(argv, { ...options, held });
        const { exitCode, signal, output, interrupt } = ending;
        if (held) {
            process.stdout.write(output);
        }
        const totals = readJson(report);
        keepDurations(totals?.durations);
        if (totals !== undefined) {
            const { passed, failed } = totals;
            const tests = totals.tests.map((/** @type {RanTest} */ test) => {
                return { ...test, file: relative(repoRoot, test.file) };
            });
            return { exitCode, passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, tests, output, interrupt };
        }
        const how = signal === null ? `exit ${exitCode}` : `signal ${signal}`;
        const reason = `mocha ended early (${how}) in suite ${name}`;
        if (!quiet) {
            say(reason);
        }
        return { exitCode: exitCode || 1, passed: 0, failed: 1, tests: [], output: `${output}${reason}\n`, interrupt };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
