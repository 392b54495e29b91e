import { deflateRawSync, inflateRawSync } from "node:zlib";

/** What was hashed, as in a `ContextHash`: by name a letter for what it is, and the start of its digest. */
export type FileList = ReadonlyMap<string, string>;

const version = "1";
const maximumText = 64 * 1024;
const maximumDecoded = 16 * 1024 * 1024;
// They look random, so that compression gains nothing on them.
const digestBytes = 4;
const hasDigest = 0x80;
const summaryFormat = /^([a-z])((?:[0-9a-f]{8})?)$/;

/** More entries than this never fit: their digests alone are more. Nobody needs to keep them. */
export const longestList = maximumText / digestBytes;

/** The name of a path in a list. One that is not UTF-8 has its odd bytes as `\xff`. */
export function nameEntry(path: string | Uint8Array): string {
    return typeof path === "string"
        ? path
        : Array.from(path, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join("");
}

/** The value of an entry in a list: enough to tell it from another, too little to say what it was. */
export function summarizeEntry(letter: string, digest?: Buffer): string {
    return letter + (digest?.toString("hex", 0, digestBytes) ?? "");
}

/**
 * Packs a list into a text for the state; undefined when that would be longer than 64 KiB, which holds about seven
 * thousand files. Two texts can differ for one list, when other releases of Node made them: compare what they decode to.
 */
export function encodeFileList(list: FileList): string | undefined {
    if (list.size > longestList) {
        return undefined;
    }
    const entries = Array.from(list, ([name, summary]) => ({ name: Buffer.from(name), summary }));
    entries.sort((one, other) => Buffer.compare(one.name, other.name));
    const names: Buffer[] = [];
    const letters: number[] = [];
    const digests: Buffer[] = [];
    let previous = Buffer.alloc(0);
    for (const { name, summary } of entries) {
        const [, letter = "", digest = ""] = summaryFormat.exec(summary) ?? [];
        if (letter === "") {
            throw new TypeError(`not a value of a file list: ${summary}`);
        }
        const shared = countShared(previous, name);
        names.push(encodeNumber(shared), encodeNumber(name.length - shared), name.subarray(shared));
        letters.push(letter.charCodeAt(0) | (digest ? hasDigest : 0));
        digests.push(Buffer.from(digest, "hex"));
        previous = name;
    }
    const packed = Buffer.concat([encodeNumber(entries.length), ...names, Buffer.from(letters), ...digests]);
    const text = version + deflateRawSync(packed, { level: 9 }).toString("base64");
    return text.length > maximumText ? undefined : text;
}

/** Reads what `encodeFileList` wrote; undefined for anything else. */
export function decodeFileList(text: string): FileList | undefined {
    if (!text.startsWith(version)) {
        return undefined;
    }
    try {
        const packed = inflateRawSync(Buffer.from(text.slice(version.length), "base64"), {
            maxOutputLength: maximumDecoded,
        });
        return unpack(packed);
    } catch (error) {
        if (error instanceof RangeError || (error instanceof Error && "code" in error)) {
            return undefined;
        }
        throw error;
    }
}

function unpack(packed: Buffer): FileList {
    let at = 0;
    const take = (length: number): Buffer => {
        if (at + length > packed.length) {
            throw new RangeError("the list ends too early");
        }
        return packed.subarray(at, (at += length));
    };
    const takeNumber = (): number => {
        let value = 0;
        for (let unit = 1; ; unit *= 0x80) {
            const byte = take(1).readUInt8();
            value += (byte & 0x7f) * unit;
            if (byte < 0x80) {
                return value;
            }
        }
    };
    const names: Buffer[] = [];
    let previous = Buffer.alloc(0);
    for (let left = takeNumber(); left > 0; left--) {
        const shared = previous.subarray(0, takeNumber());
        previous = Buffer.concat([shared, take(takeNumber())]);
        names.push(previous);
    }
    const letters = take(names.length);
    return new Map(
        names.map((name, index) => {
            const letter = letters.readUInt8(index);
            const digest = (letter & hasDigest) === 0 ? undefined : take(digestBytes);
            return [name.toString(), summarizeEntry(String.fromCharCode(letter & ~hasDigest), digest)];
        }),
    );
}

function countShared(one: Buffer, other: Buffer): number {
    let count = 0;
    while (count < one.length && one[count] === other[count]) {
        count++;
    }
    return count;
}

/** Seven bits in each byte, the lowest first; the eighth says that more follow. */
function encodeNumber(value: number): Buffer {
    const bytes: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
        if (rest < 0x80) {
            return Buffer.from([...bytes, rest]);
        }
        bytes.push((rest % 0x80) | 0x80);
    }
}
