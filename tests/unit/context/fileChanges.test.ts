import assert from "node:assert/strict";
import fc from "fast-check";
import { compareFileLists, describeFileChanges } from "../../../sdk/context/fileChanges";

const none = { added: [], changed: [], removed: [] };

describe("comparing two lists of files", () => {
    it("tells what is new, other and gone, sorted", () => {
        const old = new Map(Object.entries({ same: "f1", other: "f1", mode: "f1", gone: "f1" }));
        const current = new Map(Object.entries({ same: "f1", z: "f1", other: "f2", mode: "x1", a: "d" }));
        assert.deepEqual(compareFileLists(old, current), {
            added: ["a", "z"],
            changed: ["mode", "other"],
            removed: ["gone"],
        });
    });

    it("finds nothing between equal lists, and the reverse the other way round", () => {
        const lists = fc
            .dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("f1", "f2"))
            .map((entries) => new Map(Object.entries(entries)));
        fc.assert(
            fc.property(lists, lists, (one, other) => {
                assert.deepEqual(compareFileLists(one, new Map(one)), none);
                const forth = compareFileLists(one, other);
                const back = compareFileLists(other, one);
                assert.deepEqual(back, { added: forth.removed, changed: forth.changed, removed: forth.added });
            }),
        );
    });
});

describe("describing changes of files", () => {
    const cases: [title: string, changes: Partial<typeof none> | Record<string, string[]>, text: string][] = [
        ["says nothing of no change", {}, ""],
        ["has one file", { changed: ["main.go"] }, "1 file changed: main.go"],
        [
            "has a part for each kind of change",
            { changed: ["go.mod", "main.go"], added: ["x.txt"], removed: ["y", "z"] },
            "2 files changed: go.mod, main.go; 1 added: x.txt; 2 removed: y, z",
        ],
        ["starts with what there is", { removed: ["y", "z"] }, "2 files removed: y, z"],
        ["quotes names that could be read as two", { added: ["a, b", " c"] }, '2 files added: "a, b", " c"'],
        [
            "shows what a terminal would act on",
            { added: ["\u001b[31m", "a\nb", "\u202etxt"] },
            "3 files added: \\u{1b}[31m, a\\u{a}b, \\u{202e}txt",
        ],
    ];
    for (const [title, changes, text] of cases) {
        it(title, () => {
            assert.equal(describeFileChanges({ ...none, ...changes }), text);
        });
    }

    const many = (prefix: string, count: number): string[] =>
        Array.from({ length: count }, (_, index) => `${prefix}${index}`);

    it("names ten at most, and counts the others", () => {
        assert.equal(
            describeFileChanges({ ...none, changed: many("c", 12) }),
            "12 files changed: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, and 2 more",
        );
    });

    it("shares the names out, so that no kind of change is left without", () => {
        assert.equal(
            describeFileChanges({ changed: many("c", 100), added: ["a"], removed: many("r", 100) }),
            "100 files changed: c0, c1, c2, c3, c4, and 95 more; 1 added: a; 100 removed: r0, r1, r2, r3, and 96 more",
        );
    });

    it("can do without names", () => {
        assert.equal(describeFileChanges({ ...none, changed: ["a"], added: ["b"] }, 0), "1 file changed; 1 added");
    });
});
