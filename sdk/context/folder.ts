import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { MultiArchError } from "../errors";
import type { IgnoreRules, RuleMatches } from "./ignoreRules";
import { isMissing, systemCode } from "./insideRoot";
import type { EntryKind } from "./request";

/** A local folder that is a context. */
export interface ContextFolder {
    /** Where it is, all links resolved. */
    readonly root: string;
    /** What its ignore file says. None when nothing is ignored. */
    readonly rules?: IgnoreRules | undefined;
    /** The property that names it, for errors. */
    readonly property: string;
}

/** One entry of a folder, by the bytes of its path: names need not be UTF-8. */
export interface FolderEntry {
    readonly path: Buffer;
    readonly kind: EntryKind;
    /** True for a socket: BuildKit sends an empty file in its place. */
    readonly empty: boolean;
}

interface Visit {
    readonly path: Buffer;
    readonly text: string;
    readonly parent: Visit | undefined;
    readonly ignored: boolean;
    readonly matches: RuleMatches | undefined;
    listed: boolean;
}

const slash = Buffer.from("/");

/**
 * Lists what BuildKit would send of a folder, sorted by the bytes of the names. An ignored folder is listed only when
 * something below it is. See https://github.com/tonistiigi/fsutil/blob/6d9dc2ebad62/filter.go
 *
 * Throws a MultiArchError `context-unreadable` for a folder that may not be read and is not ignored.
 */
export async function walkFolder(folder: ContextFolder, signal?: AbortSignal): Promise<FolderEntry[]> {
    const found: FolderEntry[] = [];
    const list = (visit: Visit): void => {
        if (!visit.listed) {
            visit.listed = true;
            if (visit.parent) {
                list(visit.parent);
            }
            found.push({ path: visit.path, kind: "directory", empty: false });
        }
    };
    const walk = async (visit: Visit): Promise<void> => {
        signal?.throwIfAborted();
        for (const child of await readFolder(folder, visit)) {
            const path = visit.parent ? Buffer.concat([visit.path, slash, child.name]) : child.name;
            const text = path.toString();
            const { ignored, matches } = folder.rules?.match(text, visit.matches) ?? noAnswer;
            if (!child.isDirectory()) {
                if (!ignored) {
                    list(visit);
                    found.push({ path, kind: kindOf(child), empty: child.isSocket() });
                }
                continue;
            }
            const below: Visit = { path, text, parent: visit, ignored, matches, listed: false };
            if (!ignored) {
                list(below);
            }
            if (!ignored || folder.rules?.endsAt(text) === false) {
                await walk(below);
            }
        }
    };
    await walk({
        path: Buffer.alloc(0),
        text: "",
        parent: undefined,
        ignored: false,
        matches: undefined,
        listed: true,
    });
    return found;
}

/** Where an entry is on disk. */
export function pathOnDisk(root: string, path: Buffer): Buffer {
    return Buffer.concat([Buffer.from(root), slash, path]);
}

/** The error for something in a context that cannot be read. */
export function unreadable(folder: ContextFolder, path: string, error: unknown): MultiArchError {
    const code = systemCode(error);
    return new MultiArchError("context-unreadable", {
        what: `${path || "the folder"} in the context cannot be read${code && ` (${code})`}`,
        property: folder.property,
        cause: error,
    });
}

const noAnswer = { ignored: false, matches: undefined };

async function readFolder(folder: ContextFolder, visit: Visit): Promise<Dirent<Buffer>[]> {
    try {
        const children = await readdir(pathOnDisk(folder.root, visit.path), {
            withFileTypes: true,
            encoding: "buffer",
        });
        return children.sort((one, other) => Buffer.compare(one.name, other.name));
    } catch (error) {
        // It may be deleted meanwhile, and what is ignored need not be readable.
        if (isMissing(error) || (visit.ignored && ["EACCES", "EPERM"].includes(systemCode(error)))) {
            return [];
        }
        throw unreadable(folder, visit.text, error);
    }
}

function kindOf(child: Dirent<Buffer>): EntryKind {
    if (child.isSymbolicLink()) {
        return "symlink";
    }
    if (child.isFIFO()) {
        return "fifo";
    }
    return child.isBlockDevice() || child.isCharacterDevice() ? "device" : "file";
}
