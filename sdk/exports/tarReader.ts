import type { FileHandle } from "node:fs/promises";

import { blockSize, createEntry, decodeHeader, decodeRecords, padToBlock, type TarEntry } from "./tarHeader";

/** An entry, and where its content is in the archive. */
export interface PlacedEntry {
    readonly entry: TarEntry;
    readonly offset: number;
}

const windowSize = 256 * 1024;

// Names and attributes are far smaller; what says otherwise would only fill the memory.
const largestExtension = 4 * 1024 * 1024;

/** Lists the entries of an archive that is a file, without reading their contents. Fails for what is no archive. */
export async function* readTar(file: FileHandle): AsyncGenerator<PlacedEntry> {
    const { size: end } = await file.stat();
    const read = createWindow(file);
    let long: { path?: string; link?: string } = {};
    let records: Record<string, string> = {};
    for (let position = 0; position + blockSize <= end;) {
        const raw = decodeHeader(await read(position, blockSize));
        if (raw === undefined) {
            return;
        }
        const offset = position + blockSize;
        const extends_ = ["x", "g", "L", "K"].includes(raw.type);
        if (extends_) {
            if (raw.size > largestExtension || offset + raw.size > end) {
                throw new TypeError("it is damaged: the header of an entry has no end");
            }
            const body = await read(offset, raw.size);
            const name = (): string => body.toString("latin1").replace(/\0[^]*$/, "");
            // Records for the whole archive ("g") say nothing about its files in practice, and containerd skips them too.
            records = raw.type === "x" ? { ...records, ...decodeRecords(body) } : records;
            long = raw.type === "L" ? { ...long, path: name() } : raw.type === "K" ? { ...long, link: name() } : long;
            position = offset + padToBlock(raw.size);
            continue;
        }
        const entry = createEntry(raw, long, records);
        [long, records] = [{}, {}];
        if (!(entry.size >= 0) || offset + entry.size > end) {
            throw new TypeError("it ends in the middle of a file");
        }
        yield { entry, offset };
        position = offset + padToBlock(entry.size);
    }
}

/** Reads a part of the file with few calls: headers of small files lie close together. */
function createWindow(file: FileHandle): (position: number, length: number) => Promise<Buffer> {
    let start = 0;
    let held = Buffer.alloc(0);
    return async (position, length) => {
        if (position < start || position + length > start + held.length) {
            const wanted = Buffer.alloc(Math.max(windowSize, length));
            const { bytesRead } = await file.read(wanted, 0, wanted.length, position);
            [start, held] = [position, wanted.subarray(0, bytesRead)];
        }
        const part = held.subarray(position - start, position - start + length);
        if (part.length < length) {
            throw new TypeError("it ends in the middle of a header");
        }
        return part;
    };
}
