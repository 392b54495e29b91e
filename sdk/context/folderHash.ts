import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { digestOf } from "./encode";
import type { ContextFolder, FolderEntry } from "./folder";
import { pathOnDisk, unreadable, walkFolder } from "./folder";
import { isMissing } from "./insideRoot";

/** What a folder adds to a context hash. */
export interface FolderHash {
    readonly digest: Buffer;
    readonly files: number;
    readonly bytes: number;
}

// More gain nothing: Node reads with four threads.
const filesAtOnce = 16;
const bufferBytes = 128 * 1024;
const ownerExecutes = 0o100;
const noBytes = createHash("sha256").digest();

/**
 * Hashes what BuildKit would send of a folder: of every entry the path and what it is, of files the bytes and whether
 * their owner may execute them, of symbolic links the target. Owner, time, umask and the place of the folder do not
 * count.
 */
export async function hashFolder(folder: ContextFolder, signal?: AbortSignal): Promise<FolderHash> {
    const entries = await walkFolder(folder, signal);
    const hashes = await hashEntries(folder, entries, signal);
    let files = 0;
    let bytes = 0;
    const fields: (string | Uint8Array)[] = [];
    for (const [index, entry] of entries.entries()) {
        const content = hashes[index];
        if (content) {
            fields.push(entry.kind, entry.path, content.detail, content.value);
            files += entry.kind === "file" ? 1 : 0;
            bytes += content.bytes;
        }
    }
    return { digest: digestOf(fields), files, bytes };
}

interface Content {
    readonly detail: string;
    readonly value: string | Uint8Array;
    readonly bytes: number;
}

/** The content of each entry, in their order; undefined for what is no longer there. */
async function hashEntries(
    folder: ContextFolder,
    entries: readonly FolderEntry[],
    signal: AbortSignal | undefined,
): Promise<(Content | undefined)[]> {
    const contents: (Content | undefined)[] = [];
    let next = 0;
    let failed = false;
    const work = async (): Promise<void> => {
        const buffer = Buffer.allocUnsafe(bufferBytes);
        for (let index = next++; index < entries.length && !failed; index = next++) {
            signal?.throwIfAborted();
            const entry = entries[index];
            if (entry) {
                try {
                    contents[index] = await readContent(folder, entry, buffer, signal);
                } catch (error) {
                    failed = true;
                    throw error;
                }
            }
        }
    };
    // All of them end before this does, so that nothing is open afterwards.
    const results = await Promise.allSettled(Array.from({ length: Math.min(filesAtOnce, entries.length) }, work));
    const failure = results.find((result) => result.status === "rejected");
    if (failure) {
        throw failure.reason;
    }
    return contents;
}

async function readContent(
    folder: ContextFolder,
    entry: FolderEntry,
    buffer: Buffer,
    signal: AbortSignal | undefined,
): Promise<Content | undefined> {
    const path = pathOnDisk(folder.root, entry.path);
    try {
        if (entry.kind === "file" && !entry.empty) {
            return await readFileContent(path, buffer, signal);
        }
        if (entry.kind === "symlink") {
            return { detail: "", value: await readlink(path, { encoding: "buffer" }), bytes: 0 };
        }
        if (entry.kind === "file" || entry.kind === "device") {
            const status = await lstat(path);
            const type = status.isBlockDevice() ? "block" : "character";
            return entry.empty
                ? { detail: describeMode(status.mode), value: noBytes, bytes: 0 }
                : { detail: type, value: String(status.rdev), bytes: 0 };
        }
        return { detail: "", value: "", bytes: 0 };
    } catch (error) {
        signal?.throwIfAborted();
        if (isMissing(error)) {
            return undefined;
        }
        throw unreadable(folder, entry.path.toString(), error);
    }
}

async function readFileContent(path: Buffer, buffer: Buffer, signal: AbortSignal | undefined): Promise<Content> {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
        const { mode } = await file.stat();
        const hash = createHash("sha256");
        let bytes = 0;
        for (;;) {
            signal?.throwIfAborted();
            const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
            hash.update(buffer.subarray(0, bytesRead));
            bytes += bytesRead;
            // Only the end of a file gives less than was asked for.
            if (bytesRead < buffer.length) {
                return { detail: describeMode(mode), value: hash.digest(), bytes };
            }
        }
    } finally {
        await file.close();
    }
}

function describeMode(mode: number): string {
    return (mode & ownerExecutes) === 0 ? "plain" : "executable";
}
