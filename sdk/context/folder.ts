import { isUtf8 } from "node:buffer";
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

/** A path below a context. Names need not be UTF-8: one that is not makes the whole path bytes. */
export type EntryPath = string | Buffer;

/** One entry of a folder. */
export interface FolderEntry {
    readonly path: EntryPath;
    readonly kind: EntryKind;
    /** True for a socket: BuildKit sends an empty file in its place. */
    readonly empty: boolean;
}

interface Visit {
    readonly path: EntryPath;
    readonly text: string;
    readonly parent: Visit | undefined;
    readonly ignored: boolean;
    readonly matches: RuleMatches | undefined;
    listed: boolean;
}

/**
 * Lists what BuildKit would send of a folder, sorted by the bytes of the names. An ignored folder is listed only when
 * something below it is. See https://github.com/tonistiigi/fsutil/blob/6d9dc2ebad62/filter.go
 *
 * `progress` gets what was found so far, whenever another folder was read: later calls only add to it.
 *
 * Throws a MultiArchError `context-unreadable` for a folder that may not be read and is not ignored.
 */
export async function walkFolder(
    folder: ContextFolder,
    signal?: AbortSignal,
    progress?: (found: readonly FolderEntry[]) => void,
): Promise<FolderEntry[]> {
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
        const children = await readFolder(folder, visit);
        progress?.(found);
        for (const child of children) {
            const path = visit.parent ? joinPaths(visit.path, child.name) : child.name;
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
        path: "",
        text: "",
        parent: undefined,
        ignored: false,
        matches: undefined,
        listed: true,
    });
    return found;
}

/** Where an entry is on disk. */
export function pathOnDisk(root: string, path: EntryPath): EntryPath {
    return joinPaths(root, path);
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

type Child = Dirent<EntryPath>;

async function readFolder(folder: ContextFolder, visit: Visit): Promise<Child[]> {
    try {
        return await readChildren(pathOnDisk(folder.root, visit.path));
    } catch (error) {
        // It may be deleted meanwhile, and what is ignored need not be readable.
        if (isMissing(error) || (visit.ignored && ["EACCES", "EPERM"].includes(systemCode(error)))) {
            return [];
        }
        throw unreadable(folder, visit.text, error);
    }
}

/** In the order of the bytes of their names. Texts take a third of the memory and time that bytes take. */
async function readChildren(path: EntryPath): Promise<Child[]> {
    const children = await readdir(path, { withFileTypes: true });
    if (!children.some(({ name }) => /[\ud800-\uffff]/.test(name))) {
        return children.sort((one, other) => (one.name < other.name ? -1 : 1));
    }
    // Where characters take two units, units have another order than bytes; and U+FFFD stands for bytes that are none.
    const exact: Child[] = await readdir(path, { withFileTypes: true, encoding: "buffer" });
    exact.sort((one, other) => Buffer.compare(one.name as Buffer, other.name as Buffer));
    for (const child of exact) {
        child.name = isUtf8(child.name as Buffer) ? child.name.toString() : child.name;
    }
    return exact;
}

function joinPaths(folder: EntryPath, path: EntryPath): EntryPath {
    return typeof folder === "string" && typeof path === "string"
        ? `${folder}/${path}`
        : Buffer.concat([toBytes(folder), toBytes("/"), toBytes(path)]);
}

function toBytes(path: EntryPath): Buffer {
    return typeof path === "string" ? Buffer.from(path) : path;
}

function kindOf(child: Child): EntryKind {
    if (child.isSymbolicLink()) {
        return "symlink";
    }
    if (child.isFIFO()) {
        return "fifo";
    }
    return child.isBlockDevice() || child.isCharacterDevice() ? "device" : "file";
}
