import assert from "node:assert/strict";
import { MultiArchError } from "../../../sdk/errors";
import type { RuleMatches } from "../../../sdk/context/ignoreRules";
import { parseIgnoreFile, readPatterns } from "../../../sdk/context/ignoreRules";

// The expectations were compared with github.com/tonistiigi/fsutil and github.com/moby/patternmatcher, which decide
// what BuildKit sends.

/** Whether a path is ignored, asked as a walk does: from the root down. */
function ignores(text: string, path: string): boolean {
    const rules = parseIgnoreFile(text, ".dockerignore", "context.location");
    const parts = path.split("/");
    let matches: RuleMatches | undefined;
    let ignored = false;
    for (let depth = 1; depth <= parts.length; depth++) {
        const answer = rules?.match(parts.slice(0, depth).join("/"), matches);
        matches = answer?.matches;
        ignored = answer?.ignored ?? false;
    }
    return ignored;
}

interface Case {
    readonly file: string;
    readonly ignored?: readonly string[];
    readonly kept?: readonly string[];
}

const cases: Readonly<Record<string, readonly Case[]>> = {
    "names and folders": [
        { file: "a", ignored: ["a", "a/b", "a/b/c"], kept: ["b/a", "ab", "A"] },
        { file: "a/b", ignored: ["a/b", "a/b/c"], kept: ["a", "b", "x/a/b"] },
        { file: "/a", ignored: ["a", "a/b"], kept: ["b/a"] },
        { file: "a/", ignored: ["a", "a/b"] },
        { file: "./a/./b/../c//d", ignored: ["a/c/d"], kept: ["a/b", "a/c"] },
        { file: "/../a", ignored: ["a"] },
        { file: "..\n../a\n.\n/\n", kept: ["a", "b/a"] },
        { file: "a b", ignored: ["a b"], kept: ["a"] },
    ],
    "wildcards within one name": [
        { file: "*", ignored: ["a", ".hidden", "a/b"] },
        { file: "*.txt", ignored: ["a.txt", ".txt", "d.txt/x"], kept: ["d/a.txt", "a.txtx"] },
        { file: "a/*", ignored: ["a/b", "a/b/c"], kept: ["a", "b"] },
        { file: "*/b", ignored: ["a/b", "a/b/c"], kept: ["b", "a/c/b"] },
        { file: "a?c", ignored: ["abc", "aéc", "a😀c"], kept: ["ac", "a/c", "abbc"] },
        { file: "abc.def*", ignored: ["abc.def"], kept: ["abcZdef"] },
    ],
    "two asterisks": [
        { file: "**", ignored: ["a", "a/b"] },
        { file: "**/", ignored: ["a", "a/b"] },
        { file: "**/a", ignored: ["a", "b/a", "b/c/a", "b/a/c"], kept: ["ba"] },
        { file: "**a", ignored: ["a", "ba", "c/ba"] },
        { file: "**a*", ignored: ["a", "ab", "c/ab"], kept: ["ba"] },
        { file: "a/**", ignored: ["a/b", "a/b/c"], kept: ["a", "ab"] },
        { file: "a**", ignored: ["a", "ab", "ab/c"] },
        { file: "**/*.txt", ignored: ["a.txt", "b/c/a.txt"], kept: ["b/c"] },
        { file: "a/**/b", ignored: ["a/b", "a/c/b", "a/c/d/b/e"], kept: ["b", "a/c"] },
        { file: "**/**/*.txt", ignored: ["a.txt", "b/a.txt"] },
        { file: "a**/*.txt", ignored: ["a/x.txt", "a/b/x.txt"], kept: ["b/x.txt"] },
    ],
    "sets in brackets": [
        { file: "a[b-d]e", ignored: ["ace"], kept: ["aae", "ae"] },
        { file: "a[^b-d]e", ignored: ["aze"], kept: ["ace"] },
        { file: "[!a]b", ignored: ["!b", "ab"], kept: ["cb"] },
        { file: "[\\]a]", ignored: ["]", "a"] },
        { file: "[\\-x]", ignored: ["-", "x"], kept: ["a"] },
        { file: "[a-ζ]*", ignored: ["α"], kept: ["A"] },
        { file: "[.+(]b", ignored: [".b", "+b", "(b"], kept: ["\\b"] },
    ],
    "escaped characters": [
        { file: "a\\*b", ignored: ["a*b"], kept: ["axb"] },
        { file: "\\!a", ignored: ["!a"], kept: ["a"] },
        { file: "\\#a", ignored: ["#a"] },
        { file: "a\\\\", ignored: ["a\\"] },
    ],
    "exceptions, of which the last one counts": [
        { file: "*\n!a", ignored: ["b"], kept: ["a", "a/b"] },
        { file: "!a\n*", ignored: ["a", "b"] },
        { file: "*.md\n!README.md\nREADME.md", ignored: ["README.md"] },
        { file: "docs\n!docs/README.md", ignored: ["docs", "docs/x"], kept: ["docs/README.md"] },
        { file: "docs/*\n!docs/README.md", ignored: ["docs/x"], kept: ["docs", "docs/README.md"] },
        { file: "**\n!a/b", ignored: ["a", "a/c"], kept: ["a/b", "a/b/c"] },
        { file: "**\n!a/b\na/b/c", ignored: ["a/b/c"], kept: ["a/b/d"] },
        { file: "**\n!**/*.go", ignored: ["a/b.txt"], kept: ["a/b.go", "b.go"] },
        { file: "a\n! a/b", kept: ["a/b"], ignored: ["a/c"] },
        { file: "a\n!/a/b/", kept: ["a/b"] },
        { file: "!!a\n", kept: ["a", "!a"] },
        { file: "*\n!!a\n", kept: ["!a"], ignored: ["a"] },
        // An exception that comes too late: the folder was kept when it was asked, so it does not match below either.
        { file: "a/b\n!a", ignored: ["a/b", "a/b/c"], kept: ["a"] },
        { file: "a\n!a/b\na", ignored: ["a/c"], kept: ["a/b"] },
    ],
    "lines that are no patterns": [
        { file: "\ufeffa", ignored: ["a"], kept: ["\ufeffa"] },
        { file: "\ufeff# a\nb", ignored: ["b"] },
        { file: "# a\n#b\n\n   \nc", ignored: ["c"], kept: ["#b", "a"] },
        { file: " #a", ignored: ["#a"] },
        { file: "  a  \r\n\tb\t\r\n", ignored: ["a", "b"] },
        { file: "a\u0085\u00a0\u2003", ignored: ["a"] },
    ],
    "what Go's regular expressions make of a pattern with wildcards": [
        { file: "*.{js,ts}", ignored: ["a.{js,ts}"], kept: ["a.js"] },
        { file: "a{2}*", ignored: ["aab"], kept: ["a{2}"] },
        { file: "a{2}", ignored: ["a{2}"], kept: ["aa"] },
        { file: "a|b*", ignored: ["ax", "a|c"], kept: ["xa"] },
        { file: "x|b?", ignored: ["x", "xy", "zzbc"] },
        { file: "a$*", ignored: ["a$b"] },
        { file: "a^*", kept: ["a^", "a^b"] },
        { file: "(a)+*", ignored: ["(a)+b"], kept: ["aa"] },
        { file: "a\\d", ignored: ["a1"], kept: ["ad"] },
        { file: "a\\x62", ignored: ["ab"] },
        { file: "a\\Qb", ignored: ["ab$", "ab$c"], kept: ["ab"] },
        { file: "[?]", ignored: ["^]", "/]"], kept: ["?"] },
    ],
};

describe("ignore rules", () => {
    for (const [title, list] of Object.entries(cases)) {
        describe(title, () => {
            for (const { file, ignored = [], kept = [] } of list) {
                it(`${JSON.stringify(file)} ignores ${ignored.join(", ") || "none"}, not ${kept.join(", ")}`, () => {
                    const paths = [...ignored, ...kept];
                    assert.deepEqual(
                        paths.filter((path) => ignores(file, path)),
                        ignored,
                    );
                });
            }
        });
    }

    it("are none for a file without patterns", () => {
        assert.equal(parseIgnoreFile("# nothing\n\n", ".dockerignore", "context.location"), undefined);
    });

    it("keep the line of each pattern", () => {
        assert.deepEqual(readPatterns("# a\n\n/b/\n!./c\n"), [
            { pattern: "b", line: 3 },
            { pattern: "!c", line: 4 },
        ]);
    });

    for (const pattern of ["[", "[]a]", "[a-]", "[-a]", "[^", "a\\", "!", "!/", "a\\e*", "*{2}", "[z-a]", "*\\pL"]) {
        it(`refuse ${pattern} and say where it is`, () => {
            assert.throws(
                () => parseIgnoreFile(`a\n${pattern}\n`, ".dockerignore", "context.location"),
                (error) =>
                    error instanceof MultiArchError &&
                    error.code === "context-ignore-invalid" &&
                    error.fields.property === "context.location" &&
                    error.fields.what.startsWith("line 2 of .dockerignore "),
            );
        });
    }

    describe("say when nothing below an ignored folder can be kept", () => {
        const endsAt = (text: string, folder: string): boolean | undefined =>
            parseIgnoreFile(text, ".dockerignore", "context.location")?.endsAt(folder);

        it("because there are no exceptions", () => {
            assert.equal(endsAt("a", "a"), true);
        });

        it("because all exceptions are elsewhere", () => {
            assert.equal(endsAt("*\n!b/c", "a"), true);
            assert.equal(endsAt("*\n!b/c", "b"), false);
            assert.equal(endsAt("*\n!b/c/**", "b/c"), false);
            assert.equal(endsAt("*\n!b/c", "b/cd"), true);
        });

        it("but not when an exception has wildcards", () => {
            assert.equal(endsAt("*\n!**/*.go", "a"), false);
        });
    });
});
