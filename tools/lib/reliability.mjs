import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repoRoot } from "./paths.mjs";

/** The page whose rows are the matrix of faults: what it names is what runs. */
export const reliabilityPage = join("docs", "reliability.md");

// "one title" and "another" in `tests/x.test.ts`
const QUOTED = /("[^"|]+"(?:(?:,| and|, and) "[^"|]+")*) in `(tests\/[^`]+)`/g;
const COLUMNS = 5;

/**
 * @typedef {object} NamedTest
 * @property {string} file relative to the repository
 * @property {string} title a part of it, with those of its suites before it
 *
 * @typedef {object} Row one fault of the page
 * @property {string} fault
 * @property {string} when
 * @property {string} seen what the user sees
 * @property {string} afterwards the state
 * @property {NamedTest[]} tests
 */

/**
 * The rows of all tables of the page that begin with `fault`.
 * @param {string} [text]
 * @returns {Row[]}
 */
export function readRows(text = readFileSync(join(repoRoot, reliabilityPage), "utf8")) {
    return text
        .split("\n")
        .filter((line) => /^\| (?!fault |-)/.test(line))
        .map((line) => {
            const cells = line.split("|").slice(1, -1);
            if (cells.length !== COLUMNS) {
                throw new Error(`${reliabilityPage}: a row has ${cells.length} cells: ${line}`);
            }
            const [fault, when, seen, afterwards, tests] = cells.map((cell) => cell.trim());
            return { fault, when, seen, afterwards, tests: readTests(tests) };
        });
}

/**
 * The tests that have not all run and passed: by row, none where it holds.
 * @param {readonly Row[]} rows
 * @param {readonly import("./mocha.mjs").RanTest[]} ran
 * @returns {{ row: Row, reasons: string[] }[]}
 */
export function judgeRows(rows, ran) {
    return rows.map((row) => {
        const reasons = row.tests.flatMap((named) => {
            const found = ran.filter((test) => isNamed(test, named));
            const failed = found.filter(({ passed }) => !passed);
            if (found.length === 0) {
                return [`"${named.title}" in ${named.file} did not run`];
            }
            return failed.map(({ title, file }) => `"${title}" in ${file} failed`);
        });
        return { row, reasons: row.tests.length === 0 ? ["it names no test"] : reasons };
    });
}

/**
 * @param {{ file: string, title: string }} test
 * @param {NamedTest} named
 */
export function isNamed(test, named) {
    return test.file === named.file && test.title.includes(named.title);
}

/**
 * What mocha takes to run these tests, and perhaps a few others of these files.
 * @param {readonly NamedTest[]} tests
 * @returns {string[]}
 */
export function selectTests(tests) {
    const titles = [...new Set(tests.map(({ title }) => title.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")))];
    const files = [...new Set(tests.map(({ file }) => file))];
    return ["--grep", titles.join("|"), ...files.sort()];
}

/**
 * @param {string} cell
 * @returns {NamedTest[]}
 */
function readTests(cell) {
    return [...cell.matchAll(QUOTED)].flatMap(([, titles, file]) => {
        return [...titles.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ file, title }));
    });
}
