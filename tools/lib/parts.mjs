import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatDuration, say } from "./console.mjs";
import { capture } from "./exec.mjs";
import { cacheDir, repoRoot } from "./paths.mjs";

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {() => Promise<{ exitCode: number | null, output: string }>} work
 */

/**
 * What can be told from the files alone: format, lint, types, and a schema.json that says what the sources say.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Part[]}
 */
export function staticParts(env) {
    const command = (/** @type {string[]} */ argv) => () => capture(argv, { cwd: repoRoot, env });
    const npm = (/** @type {string} */ name) => join(repoRoot, "node_modules", ".bin", name);
    const lintCache = ["--cache", "--cache-strategy", "content", "--cache-location", join(cacheDir, "eslint.json")];
    const typesCache = ["--incremental", "--tsBuildInfoFile", join(cacheDir, "types.tsbuildinfo")];
    const parts = [
        { name: "format", work: command([npm("prettier"), "--check", "."]) },
        { name: "lint", work: command([npm("eslint"), "--max-warnings=0", ...lintCache, "."]) },
        { name: "types", work: command([npm("tsc"), "-p", "tsconfig.json", ...typesCache]) },
    ];
    const schema = join("tools", "schema.mjs");
    if (existsSync(join(repoRoot, schema))) {
        parts.push({ name: "schema", work: command(["node", schema, "--check"]) });
    }
    return parts;
}

/**
 * Runs parts side by side; prints a line for each, and the output of those that fail.
 * @param {Part[]} parts
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function runParts(parts) {
    const width = Math.max(...parts.map(({ name }) => name.length));
    const results = await Promise.all(
        parts.map(async ({ name, work }) => {
            const started = Date.now();
            const { exitCode, output } = await work();
            const verdict = exitCode === 0 ? "ok" : "failed";
            say(`${name.padEnd(width)}  ${verdict.padEnd(6)}  ${formatDuration(Date.now() - started)}`);
            return { name, failed: exitCode !== 0, output };
        }),
    );
    const failed = results.filter((result) => result.failed);
    for (const { name, output } of failed) {
        say(`\n${name}:\n${output.trimEnd()}`);
    }
    return failed.map(({ name }) => name);
}
