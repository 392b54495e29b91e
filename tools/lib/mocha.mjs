import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture, passThrough } from "./exec.mjs";
import { repoRoot } from "./paths.mjs";
import { readJson } from "./stamp.mjs";

/**
 * @typedef {object} Suite
 * @property {string} name the folder below tests/
 * @property {number} timeout of one test, in milliseconds; a test that needs more says so itself
 * @property {boolean} engine whether it needs the Go tools and the stand-ins
 *
 * @typedef {{ exitCode: number | null, passed: number, failed: number, output: string }} Outcome
 */

/** @type {readonly Suite[]} */
export const suites = [
    { name: "unit", timeout: 10_000, engine: false },
    { name: "plugin", timeout: 60_000, engine: true },
    { name: "integration", timeout: 600_000, engine: true },
];

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
 * Runs mocha and counts. A run that ends without its totals, such as on a file that does not load, counts as one failure.
 * @param {string[]} args files and mocha's own options
 * @param {{ env: NodeJS.ProcessEnv, timeout: number, quiet?: boolean }} options `quiet`: return the output, print nothing
 * @returns {Promise<Outcome>}
 */
export async function runMocha(args, { env, timeout, quiet = false }) {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-test-"));
    const report = join(folder, "totals.json");
    try {
        const argv = [
            join(repoRoot, "node_modules", ".bin", "mocha"),
            ...["--reporter", join("tools", "lib", "mochaReporter.cjs"), "--timeout", String(timeout)],
            ...args,
        ];
        const options = { cwd: repoRoot, env: { ...env, MULTIARCH_TEST_REPORT: report } };
        const { exitCode, output } = quiet
            ? await capture(argv, options)
            : { exitCode: await passThrough(argv, options), output: "" };
        const { passed = 0, failed = 0 } = readJson(report) ?? {};
        return { exitCode, passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, output };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
