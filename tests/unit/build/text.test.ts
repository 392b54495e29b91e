import assert from "node:assert/strict";
import fc from "fast-check";
import { csvRecord } from "../../../sdk/build/csv";
import { createLineSplitter } from "../../../sdk/build/lines";
import { createRedactor } from "../../../sdk/build/redact";
import { createStepLogs } from "../../../sdk/build/stepLogs";

/** Reads a record of CSV by the rules of Go's encoding/csv with its defaults. */
function readCsv(record: string): string[] {
    const fields: string[] = [];
    let rest = record;
    for (;;) {
        if (!rest.startsWith('"')) {
            const comma = rest.indexOf(",");
            const field = comma < 0 ? rest : rest.slice(0, comma);
            assert.ok(!field.includes('"'), "a bare quote");
            fields.push(field);
            if (comma < 0) {
                return fields;
            }
            rest = rest.slice(comma + 1);
            continue;
        }
        const quoted = /^"((?:[^"]|"")*)"(,?)/.exec(rest);
        assert.ok(quoted, "an open quote");
        const [all, text = "", comma] = quoted;
        fields.push(text.replaceAll('""', '"'));
        rest = rest.slice(all.length);
        if (comma === "") {
            assert.equal(rest, "");
            return fields;
        }
    }
}

describe("a record of CSV", () => {
    it("is plain where it can be", () => {
        assert.equal(csvRecord(["type=image", "name=a/b", "push=true"]), "type=image,name=a/b,push=true");
    });

    it("quotes commas and quotes", () => {
        assert.equal(csvRecord(["id=a,b", 'src=/x"y']), '"id=a,b","src=/x""y"');
    });

    it("gives back any fields when Go reads it", () => {
        const field = fc.string({ minLength: 1, unit: fc.constantFrom("a", "=", ",", '"', " ", "\n", "\r", "é", "/") });
        fc.assert(
            fc.property(fc.array(field, { minLength: 1 }), (fields) => {
                assert.deepEqual(readCsv(csvRecord(fields)), fields);
            }),
        );
    });
});

describe("lines of a stream", () => {
    it("are the same however the bytes are cut", () => {
        const text = "eins\nzwei ä€😀\r\n\n\nlast";
        fc.assert(
            fc.property(fc.array(fc.nat({ max: 40 })), (cuts) => {
                const bytes = Buffer.from(text);
                const lines: string[] = [];
                const splitter = createLineSplitter((line) => lines.push(line));
                let from = 0;
                for (const to of [...cuts, bytes.length]
                    .map((cut) => Math.min(cut, bytes.length))
                    .sort((a, b) => a - b)) {
                    splitter.push(bytes.subarray(from, to));
                    from = to;
                }
                splitter.end();
                assert.deepEqual(lines, ["eins", "zwei ä€😀", "", "", "last"]);
            }),
        );
    });

    it("are handed out in parts when they are very long", () => {
        const lines: string[] = [];
        const splitter = createLineSplitter((line) => lines.push(line), 4);
        splitter.push(Buffer.from("aaaaa"));
        splitter.push(Buffer.from("bb\n"));
        assert.deepEqual(lines, ["aaaaa", "bb"]);
    });
});

describe("the redactor", () => {
    it("replaces the longest secret first, and every line of a long one", () => {
        const redact = createRedactor(["hunter", "hunter22", "-----BEGIN KEY-----\nabcdefgh\n}"]);
        assert.equal(redact("hunter22 hunter x"), "[secret] [secret] x");
        assert.equal(redact("abcdefgh }"), "[secret] }");
    });

    it("does not count white space around a secret", () => {
        const redact = createRedactor(["abc\n", " pin42\r\n", "\n   \n"]);
        assert.equal(redact("abc   pin42"), "[secret]   [secret]");
        assert.equal(redact("abc\n"), "[secret]\n");
    });

    it("leaves short lines of a secret with several lines alone", () => {
        const redact = createRedactor(["first12\nsecond-line\n"]);
        assert.equal(redact("first12 second-line"), "first12 [secret]");
        assert.equal(redact("first12\nsecond-line"), "[secret]");
    });

    it("leaves text alone when a secret is too short to hide", () => {
        assert.equal(createRedactor(["", "a", "ab", "ab\n"])("a bad cab"), "a bad cab");
    });
});

describe("the log of a step", () => {
    const encode = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

    it("ends with its last twenty lines, without colours and overwritten text", () => {
        const logs = createStepLogs();
        for (let line = 1; line <= 30; line += 1) {
            logs.add("v", encode(`line ${line}\n`));
        }
        logs.add("v", encode("10%\r50%\r\u001b[32m100%\u001b[0m\r\n\n"));
        const tail = logs.tail("v");
        assert.equal(tail.length, 20);
        assert.deepEqual(tail.slice(-2), ["line 30", "100%"]);
    });

    it("joins a character that came in two pieces", () => {
        const logs = createStepLogs();
        const bytes = Buffer.from("ä");
        logs.add("v", encode(bytes.subarray(0, 1)));
        logs.add("v", encode(bytes.subarray(1)));
        assert.deepEqual(logs.tail("v"), ["ä"]);
    });

    it("keeps whole lines only, however much there is", () => {
        const logs = createStepLogs();
        logs.add("v", encode(`${"x".repeat(70_000)}hunter22\nlast\n`));
        assert.deepEqual(logs.tail("v"), ["last"]);
        assert.deepEqual(logs.tail("other"), []);
    });
});
