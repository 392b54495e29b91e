import assert from "node:assert/strict";

// An ES module: only import() reaches it from here.
const load = () => import("../../../tools/lib/reliability.mjs");

const page = [
    "| fault | when | what the user sees | state afterwards | test |",
    "| ----- | ---- | ------------------ | ---------------- | ---- |",
    '| one | now | a | b | "first (of two)" and "second" in `tests/x.test.ts` |',
    '| other | later | a | b | "third" in `tests/y.test.ts` |',
    "| lonely | never | a | b | none |",
].join("\n");

describe("the matrix of faults", () => {
    const ran = (...names: string[]) =>
        names.map((name) => {
            const [title = "", file = "", verdict = "passed"] = name.split(" @ ");
            return { title, file, passed: verdict === "passed" };
        });

    it("is read from the page", async () => {
        const { readRows, selectTests } = await load();
        const rows = readRows(page);
        assert.deepEqual(
            rows.map(({ fault, tests }) => [fault, tests.map(({ title }) => title)]),
            [
                ["one", ["first (of two)", "second"]],
                ["other", ["third"]],
                ["lonely", []],
            ],
        );
        const tests = rows.flatMap((row) => row.tests);
        const expected = ["--grep", "first \\(of two\\)|second|third", "tests/x.test.ts", "tests/y.test.ts"];
        assert.deepEqual(selectTests(tests), expected);
    });

    it("holds where every test of a row has run and passed", async () => {
        const { judgeRows, readRows } = await load();
        const judge = (...names: string[]) => judgeRows(readRows(page), ran(...names)).map(({ reasons }) => reasons);
        const all = ["a suite first (of two) @ tests/x.test.ts", "second @ tests/x.test.ts", "third @ tests/y.test.ts"];
        assert.deepEqual(judge(...all), [[], [], ["it names no test"]]);
        const [, second] = judge(...all, "third again @ tests/y.test.ts @ failed");
        assert.deepEqual(second, ['"third again" in tests/y.test.ts failed']);
    });

    it("does not hold where a test did not run, or one of its name ran in another file", async () => {
        const { judgeRows, readRows } = await load();
        const [one, other] = judgeRows(readRows(page), ran("second @ tests/x.test.ts", "third @ tests/x.test.ts"));
        assert.deepEqual(one?.reasons, ['"first (of two)" in tests/x.test.ts did not run']);
        assert.deepEqual(other?.reasons, ['"third" in tests/y.test.ts did not run']);
    });

    it("has no row that lacks a cell", async () => {
        const { readRows } = await load();
        assert.throws(() => readRows("| one | now | a |"), /a row has 3 cells/);
    });
});
