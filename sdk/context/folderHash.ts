import { createFieldDigest, digestOf } from "./encode";
import type { FileList } from "./fileList";
import { longestList, nameEntry, summarizeEntry } from "./fileList";
import type { ContextFolder, FolderEntry } from "./folder";
import type { EntryContent } from "./folderContents";
import { readFolderContents } from "./folderContents";
import type { EntryKind } from "./request";

/** What a folder adds to a context hash. */
export interface FolderHash {
    readonly digest: Buffer;
    readonly files: number;
    readonly bytes: number;
    /** What was hashed, by path; undefined when that is more than a list can hold. */
    readonly list: FileList | undefined;
}

/**
 * Hashes what BuildKit would send of a folder: of every entry the path and what it is, of files the bytes and whether
 * their owner may execute them, of symbolic links the target. Owner, time, umask and the place of the folder do not
 * count.
 */
export async function hashFolder(folder: ContextFolder, signal?: AbortSignal): Promise<FolderHash> {
    const digest = createFieldDigest();
    let list: Map<string, string> | undefined = new Map<string, string>();
    let files = 0;
    let bytes = 0;
    // A folder is part of the list only when nothing is in it: otherwise that tells of it.
    let above: FolderEntry | undefined;
    const listAbove = (next?: FolderEntry): void => {
        if (above && !isIn(above, next)) {
            list?.set(`${nameEntry(above.path)}/`, summarizeEntry(letters.directory));
        }
        above = undefined;
    };
    for await (const entries of readFolderContents(folder, signal)) {
        for (const [entry, content] of entries) {
            digest.add(entry.kind, entry.path, content.detail, content.value);
            files += entry.kind === "file" ? 1 : 0;
            bytes += content.bytes;
            if (list === undefined) {
                continue;
            }
            listAbove(entry);
            if (entry.kind === "directory") {
                above = entry;
            } else {
                list.set(nameEntry(entry.path), summarize(entry.kind, content));
            }
        }
        if (list !== undefined && list.size > longestList) {
            list = undefined;
        }
    }
    listAbove();
    return { digest: digest.end(), files, bytes, list };
}

const letters: Readonly<Record<EntryKind, string>> = {
    file: "f",
    directory: "d",
    symlink: "l",
    fifo: "p",
    device: "b",
};

function summarize(kind: EntryKind, { detail, value }: EntryContent): string {
    if (kind === "file") {
        return summarizeEntry(detail === "executable" ? "x" : letters.file, value as Buffer);
    }
    return summarizeEntry(letters[kind], kind === "fifo" ? undefined : digestOf([detail, value]));
}

function isIn(folder: FolderEntry, entry: FolderEntry | undefined): boolean {
    return entry?.path.toString().startsWith(`${folder.path.toString()}/`) === true;
}
