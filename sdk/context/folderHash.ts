import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { digestOf } from "./encode";
import type { FileList } from "./fileList";
import { nameEntry, summarizeEntry } from "./fileList";
import type { FileContent } from "./fileReader";
import { createReadBuffer, readFileContent } from "./fileReader";
import { readInThreads } from "./fileThreads";
import type { ContextFolder, FolderEntry } from "./folder";
import { pathOnDisk, unreadable, walkFolder } from "./folder";
import { isMissing } from "./insideRoot";
import type { EntryKind } from "./request";

/** What a folder adds to a context hash. */
export interface FolderHash {
    readonly digest: Buffer;
    readonly files: number;
    readonly bytes: number;
    /** What was hashed, by path. */
    readonly list: FileList;
}

/** What counts of an entry, beside its path and kind. */
interface Content {
    readonly detail: string;
    readonly value: string | Uint8Array;
    readonly bytes: number;
}

/** Threads are worth their start only for what takes longer than this. */
const aloneMs = 50;
/** How long other work of this process may have to wait. */
const turnMs = 10;
const ownerExecutes = 0o100;
const noBytes = createHash("sha256").digest();

/**
 * Hashes what BuildKit would send of a folder: of every entry the path and what it is, of files the bytes and whether
 * their owner may execute them, of symbolic links the target. Owner, time, umask and the place of the folder do not
 * count.
 */
export async function hashFolder(folder: ContextFolder, signal?: AbortSignal): Promise<FolderHash> {
    const entries = await walkFolder(folder, signal);
    const contentOf = await readContents(folder, entries, signal);
    const list = new Map<string, string>();
    let files = 0;
    let bytes = 0;
    const fieldsOf = function* (): Generator<string | Uint8Array> {
        for (const [index, entry] of entries.entries()) {
            const content = contentOf(index);
            if (!content) {
                continue;
            }
            yield* [entry.kind, entry.path, content.detail, content.value];
            files += entry.kind === "file" ? 1 : 0;
            bytes += content.bytes;
            // A folder with something in it is told of by that.
            if (entry.kind !== "directory") {
                list.set(nameEntry(entry.path), summarize(entry.kind, content));
            } else if (!isAbove(entry, entries[index + 1])) {
                list.set(`${nameEntry(entry.path)}/`, summarize(entry.kind, content));
            }
        }
    };
    return { digest: digestOf(fieldsOf()), files, bytes, list };
}

/** The content of each entry, by its place in the list; undefined for what is no longer there. */
async function readContents(
    folder: ContextFolder,
    entries: readonly FolderEntry[],
    signal: AbortSignal | undefined,
): Promise<(index: number) => Content | undefined> {
    const contents = new Map<number, Content>();
    const left: number[] = [];
    const buffer = createReadBuffer();
    const end = performance.now() + aloneMs;
    let pause = performance.now() + turnMs;
    for (const [index, entry] of entries.entries()) {
        try {
            const isFile = entry.kind === "file" && !entry.empty;
            const content = isFile ? readUntil(end, folder, entry, buffer) : readEntry(folder, entry);
            if (content) {
                contents.set(index, content);
            } else {
                left.push(index);
            }
        } catch (error) {
            if (!isMissing(error)) {
                throw unreadable(folder, entry.path.toString(), error);
            }
        }
        if (performance.now() > pause) {
            await nextTurn();
            signal?.throwIfAborted();
            pause = performance.now() + turnMs;
        }
    }
    const paths = left.map((index) => entries[index]?.path ?? "");
    const read = await readInThreads(folder.root, paths, {
        explain: (path, cause) => unreadable(folder, path.toString(), cause),
        signal,
    });
    const places = new Map(left.map((index, place) => [index, place]));
    return (index) => {
        const place = places.get(index);
        const content = place === undefined ? undefined : read(place);
        return content ? describeFile(content) : contents.get(index);
    };
}

/** Reads a file here and now, or gives up when that would take too long. */
function readUntil(end: number, folder: ContextFolder, entry: FolderEntry, buffer: Buffer): Content | undefined {
    if (performance.now() > end) {
        return undefined;
    }
    const reading = readFileContent(pathOnDisk(folder.root, entry.path), buffer);
    for (let step = reading.next(); ; step = reading.next()) {
        if (step.done) {
            return describeFile(step.value);
        }
        if (performance.now() > end) {
            reading.return(undefined as never);
            return undefined;
        }
    }
}

function describeFile({ executable, digest, bytes }: FileContent): Content {
    return { detail: executable ? "executable" : "plain", value: digest, bytes };
}

/** What an entry is whose bytes do not count. */
function readEntry(folder: ContextFolder, entry: FolderEntry): Content {
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

const letters: Readonly<Record<EntryKind, string>> = {
    file: "f",
    directory: "d",
    symlink: "l",
    fifo: "p",
    device: "b",
};

function summarize(kind: EntryKind, { detail, value }: Content): string {
    const letter = detail === "executable" ? "x" : letters[kind];
    if (kind === "file") {
        return summarizeEntry(letter, value as Uint8Array);
    }
    return summarizeEntry(letter, kind === "symlink" || kind === "device" ? digestOf([detail, value]) : undefined);
}

function isAbove(folder: FolderEntry, entry: FolderEntry | undefined): boolean {
    return entry?.path.toString().startsWith(`${folder.path.toString()}/`) === true;
}
