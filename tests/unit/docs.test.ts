import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { errorCodes } from "../../sdk";
import { describeFaultMatrix } from "../support/faultMatrix";
import { runTool } from "../support/tools";

/** Titles of tests and where they are, for example: "one title" and "another" in `tests/x.test.ts`. */
const quotedTitles = /("[^"|]+"(?:(?:,| and|, and) "[^"|]+")*) in `(tests\/[^`]+)`/g;

/** The docs say what the code says. */
describe("the docs", () => {
    it("list every error code with its next step, and no other", () => {
        const rows = [...readFileSync("docs/errors.md", "utf8").matchAll(/^\| `([a-z0-9-]+)` *\| (.*?) *\|$/gm)];
        assert.deepEqual(Object.fromEntries(rows.map(([, code, next]) => [code, next])), { ...errorCodes });
    });

    it("name only tests that exist", () => {
        const pages = listPages()
            .map((page) => readFileSync(page, "utf8"))
            .join("\n");
        const named = [...pages.matchAll(/`(tests\/[^`]+)`/g)].map(([, path]) => path ?? "");
        assert.ok(named.length > 8);
        for (const path of named) {
            const pattern = /^(.*)\/([^/]*)\*([^/]*)$/.exec(path);
            const found = pattern
                ? readdirSync(pattern[1] ?? "").some(
                      (name) => name.startsWith(pattern[2] ?? "") && name.endsWith(pattern[3] ?? ""),
                  )
                : existsSync(path);
            assert.ok(found, `${path} is not there`);
        }
    });

    it("quote only titles of tests that exist", () => {
        let count = 0;
        for (const page of listPages()) {
            for (const [, titles = "", file = ""] of readFileSync(page, "utf8").matchAll(quotedTitles)) {
                for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g)) {
                    const found = titlesIn(file).some((known) => known.includes(title));
                    assert.ok(found, `${page}: ${file} has no test "${title}"`);
                    count++;
                }
            }
        }
        assert.ok(count > 50);
    });

    it("name a test for each feature there is, and a reason for each other one", () => {
        const rows = readFileSync("docs/features.md", "utf8")
            .split("\n")
            .filter((line) => /^\| (?!-|lever |feature )/.test(line))
            .map((line) => line.split("|").map((cell) => cell.trim()));
        assert.ok(rows.length > 70);
        const untested = rows.filter(
            ([, , here = "", test = ""]) => !/^(No|Later)\b/.test(here) && !test.includes("`tests/"),
        );
        assert.deepEqual(untested, []);
        const unreasoned = rows.filter(([, , here = ""]) => /^(No|Later)\b/.test(here) && here.length < 25);
        assert.deepEqual(unreasoned, []);
        const loose = rows.filter(([, , , test = ""]) => test.replaceAll(quotedTitles, "").includes('"'));
        assert.deepEqual(loose, [], "each title has its file");
    });

    it("quote the examples of moving over as they are", () => {
        const quoted = readdirSync("docs/migrate").flatMap((page) => {
            const text = readFileSync(join("docs/migrate", page), "utf8");
            return [...text.matchAll(/\]\(\.\.\/\.\.\/(examples\/[^)]+)\):\n[^`]*```\w+\n([^]*?)```\n/g)];
        });
        quoted.forEach(([, file = "", text]) => assert.equal(text, readFileSync(file, "utf8"), file));
        const shown = quoted.map(([, file = ""]) => file);
        const files = readdirSync("examples/migrate", { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile() && !entry.parentPath.startsWith("examples/migrate/app"))
            .map(({ parentPath, name }) => join(parentPath, name));
        assert.deepEqual(shown.sort(), files.sort(), "each file of the examples is on a page");
    });

    it("show the table of faults as it is tested", () => {
        const lines = readFileSync("docs/registry-faults.md", "utf8").split("\n");
        const cells = lines.map((line) =>
            line
                .split("|")
                .slice(1, -1)
                .map((cell) => cell.trim()),
        );
        const start = cells.findIndex((row) => row[0] === "while" && row[1] === "request");
        const shown = cells.slice(start).filter((row) => row.length > 0 && !/^-{3,}$/.test(row[0] ?? ""));
        assert.deepEqual(shown, describeFaultMatrix());
    });

    it("name for each fault of the matrix a test that its row really selects, and every test of tests/faults", async function () {
        // Mocha loads all files that are named.
        this.timeout(60_000);
        const { isNamed, readRows, selectTests } = await import("../../tools/lib/reliability.mjs");
        const rows = readRows();
        assert.ok(rows.length >= 30, `${rows.length} rows`);
        const named = rows.flatMap(({ tests }) => tests);
        for (const { fault, when, seen, afterwards, tests } of rows) {
            const isWhole = [fault, when, seen, afterwards].every((cell) => cell !== "") && tests.length > 0;
            assert.ok(isWhole, `the row of ${fault} lacks a cell or a test`);
        }
        const selected = await listTests(selectTests(named));
        const unselected = named.filter((one) => !selected.some((test) => isNamed(test, one)));
        assert.deepEqual(unselected, [], "each title selects a test");
        const { faultSuite, testFilesOf } = await import("../../tools/lib/mocha.mjs");
        const files = testFilesOf(faultSuite);
        const own = files.length === 0 ? [] : await listTests(files);
        const unlisted = own.filter((test) => !named.some((one) => isNamed(test, one)));
        assert.deepEqual(unlisted, [], "each test of tests/faults is in a row");
    });

    it("link only to files that exist", () => {
        const moving = readdirSync("docs/migrate").map((page) => `docs/migrate/${page}`);
        const pages = [
            "README.md",
            "CONTRIBUTING.md",
            "AGENTS.md",
            "docs/decisions/README.md",
            "docs/buildx-options.md",
            "docs/reliability.md",
        ];
        for (const page of [...pages, ...moving]) {
            for (const [, target = ""] of readFileSync(page, "utf8").matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
                assert.ok(existsSync(join(page, "..", target)), `${page} links to ${target}`);
            }
        }
    });
});

/** The titles of a file of tests: of suites, of tests, and those that are put in from a table. */
function titlesIn(file: string): string[] {
    const calls = /\b(?:it|describe)\(\s*(["`])((?:(?!\1)[^\\]|\\.)*)\1|\btitle: (")([^"]*)"/g;
    return [...readFileSync(file, "utf8").matchAll(calls)].map(([, , title, , inTable]) => title ?? inTable ?? "");
}

/** The tests that mocha would run, without running them. */
async function listTests(args: readonly string[]): Promise<{ file: string; title: string }[]> {
    const argv = [join("node_modules", ".bin", "mocha"), "--dry-run", "--reporter", "json", ...args];
    const printed = await runTool(process.execPath, argv);
    const { tests } = JSON.parse(printed.slice(printed.indexOf("{"))) as {
        tests: { file: string; fullTitle: string }[];
    };
    return tests.map(({ file, fullTitle }) => ({ file: relative(process.cwd(), file), title: fullTitle }));
}

function listPages(): string[] {
    return readdirSync("docs", { recursive: true })
        .map((name) => join("docs", String(name)))
        .filter((name) => name.endsWith(".md"));
}
