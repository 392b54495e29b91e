import { createHash, hash as hashWhole } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

// This file is also what the threads of `fileThreads.ts` run, so it imports nothing but Node's own modules.

/** What counts of a file. */
export interface FileContent {
    /** Whether its owner may execute it. */
    readonly executable: boolean;
    /** The SHA-256 of its bytes. */
    readonly digest: Buffer;
    readonly bytes: number;
}

/** Files to read and what came of it, in memory that all threads share: nothing is copied from one to the other. */
export interface FileTable {
    /** Their paths, one behind the other. */
    readonly paths: Uint8Array;
    /** Where each path ends in `paths`. */
    readonly ends: Uint32Array;
    /** A record for each file: how it was found, its size as a double, its digest. */
    readonly records: Uint8Array;
    /** The first file that no thread has taken yet. */
    readonly next: Int32Array;
}

/** What a thread says when no file of a table is left for it. */
export interface ReaderAnswer {
    /** Why it could not read one. It has left the rest to others then. */
    readonly failure?: { readonly index: number; readonly code: string; readonly message: string };
}

/** How many bytes of `FileTable.records` each file has. */
export const recordBytes = 1 + 8 + 32;

const found = { missing: 0, plain: 1, executable: 2 } as const;
const filesAtOnce = 32;
const bufferBytes = 256 * 1024;
const ownerExecutes = 0o100;

/** Memory for `readFileContent`, which any number of calls can use one after the other. */
export function createReadBuffer(): Buffer {
    return Buffer.allocUnsafeSlow(bufferBytes);
}

/**
 * Reads a file. It pauses after each piece of a large one, and closes the file when it is not continued. The
 * asynchronous functions of Node take three times the processor's time for small files.
 */
export function* readFileContent(path: string | Buffer, buffer: Buffer): Generator<undefined, FileContent> {
    // Without O_NONBLOCK, a pipe that has taken the place of the file meanwhile would never open.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
        const executable = (fstatSync(file).mode & ownerExecutes) !== 0;
        let last = readSync(file, buffer, 0, buffer.length, null);
        if (last < buffer.length) {
            // Only the end of a file gives less than was asked for.
            return { executable, digest: hashWhole("sha256", buffer.subarray(0, last), "buffer"), bytes: last };
        }
        const hash = createHash("sha256");
        let bytes = 0;
        while (last === buffer.length) {
            hash.update(buffer);
            bytes += last;
            yield;
            last = readSync(file, buffer, 0, buffer.length, null);
        }
        hash.update(buffer.subarray(0, last));
        return { executable, digest: hash.digest(), bytes: bytes + last };
    } finally {
        closeSync(file);
    }
}

/** What was written about a file; undefined when it is no longer there. */
export function readRecord(records: Buffer, index: number): FileContent | undefined {
    const at = index * recordBytes;
    return records[at] === found.missing
        ? undefined
        : {
              executable: records[at] === found.executable,
              bytes: records.readDoubleLE(at + 1),
              digest: records.subarray(at + 9, at + recordBytes),
          };
}

function writeRecord(records: Buffer, index: number, { executable, digest, bytes }: FileContent): void {
    const at = index * recordBytes;
    records[at] = executable ? found.executable : found.plain;
    records.writeDoubleLE(bytes, at + 1);
    records.set(digest, at + 9);
}

/** Reads files of a table until none is left, while other threads do the same. */
function readTable(root: Uint8Array, { paths, ends, next, records }: FileTable, buffer: Buffer): ReaderAnswer {
    const own = Buffer.from(records.buffer);
    for (;;) {
        const first = Atomics.add(next, 0, filesAtOnce);
        for (let index = first; index < first + filesAtOnce; index++) {
            if (index >= ends.length) {
                return {};
            }
            try {
                const path = Buffer.concat([root, paths.subarray(ends[index - 1] ?? 0, ends[index])]);
                const reading = readFileContent(path, buffer);
                let step = reading.next();
                while (!step.done) {
                    step = reading.next();
                }
                writeRecord(own, index, step.value);
            } catch (error) {
                const { code = "", message } = error as NodeJS.ErrnoException;
                if (code !== "ENOENT" && code !== "ENOTDIR") {
                    return { failure: { index, code, message } };
                }
            }
        }
    }
}

const port = parentPort;
if (port && workerData instanceof Uint8Array) {
    // The folder that the files are in, ending with a slash.
    const root = workerData;
    const buffer = createReadBuffer();
    port.on("message", (table: FileTable) => {
        port.postMessage(readTable(root, table, buffer));
    });
}
