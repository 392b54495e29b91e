/**
 * Headers of tar archives. All texts are bytes, one character for each (`latin1`): names in layers need not be UTF-8, and
 * attributes such as file capabilities never are. Formats: ustar, PAX and GNU's long names, see
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */

/** What an entry is. */
export type TarKind = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

/** What a tar archive says of one entry. */
export interface TarEntry {
    readonly path: string;
    readonly kind: TarKind;
    /** The permissions, with the bits for set-user-id, set-group-id and sticky. */
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    /** Seconds since 1970. */
    readonly mtime: number;
    /** In bytes; 0 for all but files. */
    readonly size: number;
    /** Where a link points to. */
    readonly link: string;
    readonly uname: string;
    readonly gname: string;
    readonly deviceMajor: number;
    readonly deviceMinor: number;
    /** PAX records that say more than the fields above, such as extended attributes. */
    readonly records: Readonly<Record<string, string>>;
}

/** A header as it is in one block, before what comes in front of it is taken into account. */
export interface RawHeader extends Omit<TarEntry, "kind" | "records"> {
    readonly type: string;
}

/** Everything in a tar archive fills blocks of this many bytes. */
export const blockSize = 512;

const kinds: Readonly<Record<string, TarKind>> = {
    "0": "file",
    "\0": "file",
    "7": "file",
    "1": "hardlink",
    "2": "symlink",
    "3": "character",
    "4": "block",
    "5": "directory",
    "6": "fifo",
};
const types: Readonly<Record<TarKind, string>> = {
    file: "0",
    hardlink: "1",
    symlink: "2",
    character: "3",
    block: "4",
    directory: "5",
    fifo: "6",
};

/** How many bytes fill whole blocks. */
export function padToBlock(size: number): number {
    return Math.ceil(size / blockSize) * blockSize;
}

/** Reads one header block. Undefined for the block of zeros that ends an archive; fails for what is no header. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
    if (block.every((byte) => byte === 0)) {
        return undefined;
    }
    if (readNumber(block, 148, 8) !== checksumOf(block)) {
        throw new TypeError("it is no tar archive, or a damaged one: the checksum of a header is wrong");
    }
    const magic = block.toString("latin1", 257, 263);
    const isUstar = magic === "ustar\0";
    const prefix = isUstar ? readText(block, 345, 155) : "";
    const name = readText(block, 0, 100);
    return {
        path: prefix === "" ? name : `${prefix}/${name}`,
        type: block.toString("latin1", 156, 157),
        mode: readNumber(block, 100, 8) & 0o7777,
        uid: readNumber(block, 108, 8),
        gid: readNumber(block, 116, 8),
        size: readNumber(block, 124, 12),
        mtime: readNumber(block, 136, 12),
        link: readText(block, 157, 100),
        uname: magic.startsWith("ustar") ? readText(block, 265, 32) : "",
        gname: magic.startsWith("ustar") ? readText(block, 297, 32) : "",
        deviceMajor: magic.startsWith("ustar") ? readNumber(block, 329, 8) : 0,
        deviceMinor: magic.startsWith("ustar") ? readNumber(block, 337, 8) : 0,
    };
}

/** Reads PAX records: each is its own length, a space, `key=value` and a line break. */
export function decodeRecords(bytes: Buffer): Record<string, string> {
    const records: Record<string, string> = {};
    for (let start = 0; start < bytes.length;) {
        const space = bytes.indexOf(0x20, start);
        const length = Number(bytes.toString("latin1", start, space));
        const record = bytes.toString("latin1", space + 1, start + length - 1);
        const equals = record.indexOf("=");
        if (space < 0 || !(length > 0) || start + length > bytes.length || equals < 1) {
            throw new TypeError("it has a damaged PAX header");
        }
        records[record.slice(0, equals)] = record.slice(equals + 1);
        start += length;
    }
    return records;
}

/** Puts a header and what stands in front of it together. Fails for what cannot be unpacked here. */
export function createEntry(
    raw: RawHeader,
    long: { readonly path?: string | undefined; readonly link?: string | undefined },
    records: Readonly<Record<string, string>>,
): TarEntry {
    const { type, ...header } = raw;
    const { path: paxPath, linkpath, size, uid, gid, mtime, ...others } = records;
    if (type === "S" || Object.keys(others).some((key) => key.startsWith("GNU.sparse."))) {
        throw new TypeError(`${printable(raw.path)} is a sparse file in GNU's format, which layers do not use`);
    }
    const path = paxPath ?? long.path ?? header.path;
    // Before ustar, a folder was a file whose name ends with a slash.
    const kind = kinds[type] === "file" && path.endsWith("/") ? "directory" : kinds[type];
    if (kind === undefined) {
        throw new TypeError(`${printable(path)} is of the unknown type "${printable(type)}"`);
    }
    return {
        ...header,
        path,
        kind,
        link: linkpath ?? long.link ?? header.link,
        size: kind === "file" ? Number(size ?? header.size) : 0,
        uid: Number(uid ?? header.uid),
        gid: Number(gid ?? header.gid),
        mtime: Math.floor(Number(mtime ?? header.mtime)),
        // A fraction of a second has no other place.
        records: mtime?.includes(".") === true ? { ...others, mtime } : others,
    };
}

/** Writes the header of an entry, with PAX records in front of it where the fields are too small. */
export function encodeEntry(entry: TarEntry): Buffer {
    const records: Record<string, string> = { ...entry.records };
    const note = (key: string, value: string | number, isSmall: boolean): void => {
        if (!isSmall) {
            records[key] = String(value);
        }
    };
    note("path", entry.path, fits(entry.path, 100));
    note("linkpath", entry.link, fits(entry.link, 100));
    note("size", entry.size, entry.size < 8 ** 11);
    note("uid", entry.uid, entry.uid < 8 ** 7);
    note("gid", entry.gid, entry.gid < 8 ** 7);
    if (records["mtime"] === undefined) {
        note("mtime", entry.mtime, entry.mtime >= 0 && entry.mtime < 8 ** 11);
    }
    const header = encodeBlock(entry, types[entry.kind]);
    if (Object.keys(records).length === 0) {
        return header;
    }
    const body = encodeRecords(records);
    const size = body.length;
    const padding = Buffer.alloc(padToBlock(size) - size);
    const extended = encodeBlock({ ...entry, path: "PaxHeaders.0/entry", link: "", size, mode: 0o644 }, "x");
    return Buffer.concat([extended, body, padding, header]);
}

/** A text for people: bytes that are no letters would be cut or misread. */
export function printable(text: string): string {
    return Buffer.from(text, "latin1").toString("utf8");
}

function encodeBlock(entry: Omit<TarEntry, "kind">, type: string): Buffer {
    const block = Buffer.alloc(blockSize);
    const octal = (value: number, offset: number, length: number): void => {
        const most = 8 ** (length - 1) - 1;
        const digits = Math.min(Math.max(value, 0), most)
            .toString(8)
            .padStart(length - 1, "0");
        block.write(digits, offset, "latin1");
    };
    block.write(entry.path.slice(0, 100), 0, "latin1");
    octal(entry.mode, 100, 8);
    octal(entry.uid, 108, 8);
    octal(entry.gid, 116, 8);
    octal(entry.size, 124, 12);
    octal(entry.mtime, 136, 12);
    block.write(type, 156, "latin1");
    block.write(entry.link.slice(0, 100), 157, "latin1");
    block.write("ustar\x0000", 257, "latin1");
    block.write(entry.uname.slice(0, 31), 265, "latin1");
    block.write(entry.gname.slice(0, 31), 297, "latin1");
    octal(entry.deviceMajor, 329, 8);
    octal(entry.deviceMinor, 337, 8);
    block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return block;
}

function encodeRecords(records: Readonly<Record<string, string>>): Buffer {
    const lines = Object.entries(records).map(([key, value]) => {
        const rest = ` ${key}=${value}\n`;
        let length = rest.length;
        // The length counts its own digits.
        while (length !== String(length).length + rest.length) {
            length = String(length).length + rest.length;
        }
        return `${length}${rest}`;
    });
    return Buffer.from(lines.join(""), "latin1");
}

function fits(text: string, length: number): boolean {
    // eslint-disable-next-line no-control-regex -- beyond ASCII, the fields of a header have no agreed meaning
    return text.length <= length && /^[\x00-\x7f]*$/.test(text);
}

/** The sum of all bytes, with spaces in place of the checksum itself. */
function checksumOf(block: Buffer): number {
    let sum = 8 * 0x20;
    for (const [index, byte] of block.entries()) {
        sum += index >= 148 && index < 156 ? 0 : byte;
    }
    return sum;
}

function readText(block: Buffer, offset: number, length: number): string {
    const text = block.toString("latin1", offset, offset + length);
    const end = text.indexOf("\0");
    return end < 0 ? text : text.slice(0, end);
}

/** Octal digits, or with the highest bit set the number itself, as GNU writes what needs more digits. */
function readNumber(block: Buffer, offset: number, length: number): number {
    const first = block[offset] ?? 0;
    if (first < 0x80) {
        const digits = readText(block, offset, length).trim();
        const value = digits === "" ? 0 : Number.parseInt(digits, 8);
        if (Number.isNaN(value)) {
            throw new TypeError("it is no tar archive, or a damaged one: a number in a header is none");
        }
        return value;
    }
    const bytes = block.subarray(offset, offset + length);
    const bits = bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
    return Number(BigInt.asIntN(length * 8 - 1, bits));
}
