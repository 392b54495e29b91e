import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { cacheDir, repoRoot } from "./paths.mjs";
import { readJson, writeJson } from "./stamp.mjs";

const FILE = join(cacheDir, "test-durations.json");
// Each has a registry and two builders of its own, and what they do is mostly waiting.
const MOST = 4;

/**
 * Splits test files into groups that take about as long as each other, one for each processor.
 * @param {readonly string[]} files
 * @returns {string[][]}
 */
export function splitEvenly(files) {
    const known = readJson(FILE) ?? {};
    // A file that never ran counts by its size: a test of some seconds has about a kilobyte.
    const weigh = (/** @type {string} */ file) => known[file] ?? statSync(join(repoRoot, file)).size;
    const count = Math.max(1, Math.min(MOST, availableParallelism(), files.length));
    const groups = Array.from({ length: count }, () => ({ weight: 0, files: /** @type {string[]} */ ([]) }));
    for (const file of files.toSorted((one, other) => weigh(other) - weigh(one))) {
        const lightest = groups.reduce((least, group) => (group.weight < least.weight ? group : least));
        lightest.weight += weigh(file);
        lightest.files.push(file);
    }
    return groups.map((group) => group.files.sort());
}

/**
 * Remembers how long each file took, for the next time.
 * @param {Record<string, number>} [durations] in milliseconds, by absolute path
 */
export function keepDurations(durations = {}) {
    const known = readJson(FILE) ?? {};
    for (const [file, duration] of Object.entries(durations)) {
        known[relative(repoRoot, file)] = duration;
    }
    writeJson(FILE, known);
}
