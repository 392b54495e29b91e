import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { decodeFileList, encodeFileList, nameEntry, summarizeEntry } from "../../../sdk/context/fileList";

const names = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.uint8Array({ maxLength: 12 }).map(nameEntry),
    fc.array(fc.constantFrom("src", "a", "node_modules", "é", "\n"), { maxLength: 5 }).map((parts) => parts.join("/")),
);
const summaries = fc.oneof(
    fc.constantFrom("d", "p"),
    fc
        .tuple(fc.constantFrom("f", "x", "l"), fc.uint8Array({ minLength: 4, maxLength: 4 }))
        .map(([letter, digest]) => summarizeEntry(letter, Buffer.from(digest))),
);
const lists = fc.array(fc.tuple(names, summaries), { maxLength: 40 }).map((entries) => new Map(entries));

function manyFiles(count: number): Map<string, string> {
    return new Map(
        Array.from({ length: count }, (_, index) => [
            `src/main/java/com/example/package${index % 50}/Class${index}.java`,
            summarizeEntry("f", createHash("sha256").update(String(index)).digest()),
        ]),
    );
}

describe("a list of files, as text", () => {
    it("gives back whatever it was made from", () => {
        fc.assert(
            fc.property(lists, (list) => {
                const decoded = decodeFileList(encodeFileList(list) ?? "");
                assert.deepEqual(decoded && [...decoded].sort(), [...list].sort());
            }),
        );
    });

    it("is the same whatever the order of the entries", () => {
        fc.assert(
            fc.property(lists, (list) => {
                assert.equal(encodeFileList(new Map([...list].reverse())), encodeFileList(list));
            }),
        );
    });

    it("holds thousands of files, and is left out where it would take more than 64 KiB", () => {
        const text = encodeFileList(manyFiles(7000)) ?? "";
        assert.ok(text.length > 32 * 1024 && text.length <= 64 * 1024, `${text.length} characters`);
        assert.ok(encodeFileList(manyFiles(12_000)) === undefined);
        assert.ok(encodeFileList(manyFiles(50_000)) === undefined);
    });

    it("is printable", () => {
        const list = new Map([["a\nb", "f00000000"]]);
        assert.match(encodeFileList(list) ?? "", /^1[A-Za-z0-9+/=]+$/);
    });

    it("is refused for values that are none of a list", () => {
        assert.throws(() => encodeFileList(new Map([["a", "f123"]])), TypeError);
    });

    it("is not read when it is of another version, cut off, or no such text at all", () => {
        const text = encodeFileList(manyFiles(20)) ?? "";
        const bomb = `1${deflateRawSync(Buffer.alloc(32 * 1024 * 1024)).toString("base64")}`;
        for (const broken of ["", "1", "1AAAA", "nonsense", `2${text.slice(1)}`, text.slice(0, 40), bomb]) {
            assert.equal(decodeFileList(broken), undefined, broken.slice(0, 50));
        }
    });

    it("is never read as more than it says, whatever it holds", () => {
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
                const text = `1${deflateRawSync(bytes).toString("base64")}`;
                const decoded = decodeFileList(text);
                assert.ok(decoded === undefined || decoded.size <= bytes.length);
            }),
        );
    });
});

describe("a name in a list", () => {
    it("is the path, and tells bytes apart that are not UTF-8", () => {
        assert.equal(nameEntry("é\n"), "é\n");
        assert.equal(nameEntry(Buffer.from([0x61, 0xff])), "a\\xff");
        assert.notEqual(nameEntry(Buffer.from([0xfe])), nameEntry(Buffer.from([0xff])));
    });
});
