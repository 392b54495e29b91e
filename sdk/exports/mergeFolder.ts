import type { Stats } from "node:fs";
import { chmod, lstat, readdir, rename, rmdir, unlink } from "node:fs/promises";

import { MultiArchError } from "../errors";
import type { TreeItem } from "./fileTree";
import { joinBytes } from "./rootFolder";
import { printable } from "./tarHeader";

const mostNamed = 5;

/**
 * Moves what was written into a folder that is there already, each file at once. What else is in that folder stays. A
 * link in the place of a folder is replaced and never followed, so nothing is written outside.
 *
 * Where the image has a file, a folder with something in it stays too: then nothing is moved at all, and the error says
 * which folders they are.
 */
export async function mergeFolder(items: readonly TreeItem[], from: string, to: string): Promise<void> {
    const [source, target] = [Buffer.from(from), Buffer.from(to)];
    await assertNothingInTheWay(items, target);
    let moved: string | undefined;
    for (const { path, inode } of items) {
        if (moved !== undefined && path.startsWith(moved)) {
            continue;
        }
        const place = joinBytes(target, path);
        const known = await statOf(place);
        if (inode.kind === "directory") {
            if (known?.isDirectory() === true) {
                await chmod(place, known.mode | 0o700);
                continue;
            }
            if (known !== undefined) {
                await unlink(place);
            }
            moved = `${path}/`;
        } else if (known?.isDirectory() === true) {
            await rmdir(place);
        }
        await rename(joinBytes(source, path), place);
    }
}

/** Looks before anything is moved. Below what is no folder yet, nothing can be in the way. */
async function assertNothingInTheWay(items: readonly TreeItem[], target: Buffer): Promise<void> {
    const blocked: string[] = [];
    let free: string | undefined;
    for (const { path, inode } of items) {
        if (free !== undefined && path.startsWith(free)) {
            continue;
        }
        const place = joinBytes(target, path);
        const isFolder = (await statOf(place))?.isDirectory() === true;
        if (inode.kind === "directory") {
            free = isFolder ? undefined : `${path}/`;
        } else if (isFolder && (await readdir(place)).length > 0) {
            blocked.push(printable(path));
        }
    }
    if (blocked.length > 0) {
        const more = blocked.length > mostNamed ? ` and ${blocked.length - mostNamed} more` : "";
        throw new MultiArchError("export-failed", {
            what: `${blocked.slice(0, mostNamed).join(", ")}${more} would be replaced by a file, and is a folder with files in it`,
            next: "Move the folder away, or choose another dest. Nothing was changed in it.",
        });
    }
}

async function statOf(place: Buffer): Promise<Stats | undefined> {
    try {
        return await lstat(place);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return undefined;
        }
        throw error;
    }
}
