import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import type { FileContent } from "./fileReader";
import { createReadBuffer, readFileContent } from "./fileReader";
import type { FileContents, FileThreads } from "./fileThreads";
import { startFileThreads } from "./fileThreads";
import type { ContextFolder, FolderEntry } from "./folder";
import { pathOnDisk, unreadable, walkFolder } from "./folder";
import { isMissing } from "./insideRoot";

/** What counts of an entry, beside its path and kind. */
export interface EntryContent {
    readonly detail: string;
    readonly value: string | Uint8Array;
    readonly bytes: number;
}

/** An entry with its content. */
export type ReadEntry = readonly [entry: FolderEntry, content: EntryContent];

/** How many files the threads are given at once: the walk goes on meanwhile, and so does what is done with contents. */
const filesAtOnce = 2000;
/** Threads are worth their start for what takes longer than this, and no longer may other work of this process wait. */
const aloneMs = 50;
const ownerExecutes = 0o100;
const noBytes = createHash("sha256").digest();

/** Reads all that BuildKit would send of a folder, in its order, some at a time. What is gone meanwhile is left out. */
export async function* readFolderContents(
    folder: ContextFolder,
    signal?: AbortSignal,
): AsyncGenerator<readonly ReadEntry[]> {
    const batches: { readonly entries: readonly FolderEntry[]; readonly contents: Promise<FileContents> }[] = [];
    let threads: FileThreads | undefined;
    let start = 0;
    const handOver = (entries: readonly FolderEntry[]): void => {
        threads ??= startFileThreads(folder.root, {
            explain: (path, cause) => unreadable(folder, path.toString(), cause),
            signal,
        });
        const paths = entries.filter(hasBytes).map(({ path }) => path);
        batches.push({ entries, contents: threads.read(paths) });
        start += entries.length;
    };
    try {
        const entries = await walkFolder(folder, signal, (found) => {
            if (found.length - start >= filesAtOnce) {
                handOver(found.slice(start));
            }
        });
        if (batches.length === 0) {
            const { read, count } = readAlone(folder, entries);
            start = count;
            yield read;
            signal?.throwIfAborted();
        }
        if (start < entries.length) {
            handOver(entries.slice(start));
        }
        for (const { entries, contents } of batches) {
            yield joinContents(folder, entries, await contents);
        }
    } finally {
        await threads?.close();
    }
}

/** Reads as many entries as the time allows. */
function readAlone(
    folder: ContextFolder,
    entries: readonly FolderEntry[],
): { readonly read: readonly ReadEntry[]; readonly count: number } {
    const end = performance.now() + aloneMs;
    const buffer = createReadBuffer();
    const read: ReadEntry[] = [];
    for (const [count, entry] of entries.entries()) {
        try {
            const content = hasBytes(entry) ? readUntil(end, folder, entry, buffer) : readEntry(folder, entry);
            if (!content) {
                return { read, count };
            }
            read.push([entry, content]);
        } catch (error) {
            skipMissing(folder, entry, error);
        }
    }
    return { read, count: entries.length };
}

/** Reads a file here and now, or gives up when that would take too long. */
function readUntil(end: number, folder: ContextFolder, entry: FolderEntry, buffer: Buffer): EntryContent | undefined {
    const reading = readFileContent(pathOnDisk(folder.root, entry.path), buffer);
    while (performance.now() < end) {
        const step = reading.next();
        if (step.done) {
            return describeFile(step.value);
        }
    }
    reading.return(undefined as never);
    return undefined;
}

/** Puts what threads have read with what needs none. */
function joinContents(
    folder: ContextFolder,
    entries: readonly FolderEntry[],
    contentOf: FileContents,
): readonly ReadEntry[] {
    const read: ReadEntry[] = [];
    let place = 0;
    for (const entry of entries) {
        try {
            const file = hasBytes(entry) ? contentOf(place++) : undefined;
            const content = file ? describeFile(file) : hasBytes(entry) ? undefined : readEntry(folder, entry);
            if (content) {
                read.push([entry, content]);
            }
        } catch (error) {
            skipMissing(folder, entry, error);
        }
    }
    return read;
}

function hasBytes(entry: FolderEntry): boolean {
    return entry.kind === "file" && !entry.empty;
}

function describeFile({ executable, digest, bytes }: FileContent): EntryContent {
    return { detail: executable ? "executable" : "plain", value: digest, bytes };
}

/** What an entry is that has no bytes. */
function readEntry(folder: ContextFolder, entry: FolderEntry): EntryContent {
    const path = pathOnDisk(folder.root, entry.path);
    if (entry.kind === "symlink") {
        return { detail: "", value: readlinkSync(path, { encoding: "buffer" }), bytes: 0 };
    }
    if (entry.kind === "device") {
        const status = lstatSync(path);
        return { detail: status.isBlockDevice() ? "block" : "character", value: String(status.rdev), bytes: 0 };
    }
    if (entry.kind === "file") {
        const executable = (lstatSync(path).mode & ownerExecutes) !== 0;
        return describeFile({ executable, digest: noBytes, bytes: 0 });
    }
    return { detail: "", value: "", bytes: 0 };
}

function skipMissing(folder: ContextFolder, entry: FolderEntry, error: unknown): void {
    if (!isMissing(error)) {
        throw unreadable(folder, entry.path.toString(), error);
    }
}
