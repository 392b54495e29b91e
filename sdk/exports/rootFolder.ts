import { createHash } from "node:crypto";
import { chmod, link, lutimes, mkdir, open, symlink, utimes } from "node:fs/promises";

import type { WrittenFile } from "./archive";
import { writeAll } from "./download";
import type { TreeItem } from "./fileTree";
import type { RootFileSystem } from "./rootFileSystem";

/** A path as bytes: names in images need not be UTF-8. */
export function joinBytes(folder: Buffer, path: string): Buffer {
    return Buffer.concat([folder, Buffer.from("/"), Buffer.from(path, "latin1")]);
}

/** What was written of a file system. */
export interface WrittenFolder extends WrittenFile {
    /** What is in it, without devices and the like. */
    readonly items: readonly TreeItem[];
    /** Paths of what only root could make: devices, named pipes. */
    readonly skipped: readonly string[];
}

const folderMode = 0o755;

/**
 * Writes a file system into a new folder, as BuildKit's `local` does: with permissions and times, all owned by the user
 * who runs this. Nothing in there is ever followed: every folder was made here before anything is put into it.
 * Folders stay open for writing until `finishFolders`.
 */
export async function writeRootFolder({ items, read }: RootFileSystem, folder: string): Promise<WrittenFolder> {
    const base = Buffer.from(folder);
    const lines = createHash("sha256");
    const written: TreeItem[] = [];
    const skipped: string[] = [];
    let size = 0;
    for (const item of items) {
        const { path, inode, sameAs } = item;
        const place = joinBytes(base, path);
        let content = "";
        if (inode.kind === "directory") {
            await mkdir(place, { mode: 0o700 });
        } else if (inode.kind === "symlink" && sameAs === undefined) {
            await symlink(Buffer.from(inode.entry.link, "latin1"), place);
            await lutimes(place, inode.entry.mtime, inode.entry.mtime);
            content = inode.entry.link;
        } else if ((inode.kind === "file" || inode.kind === "symlink") && sameAs !== undefined) {
            await link(joinBytes(base, sameAs), place);
            content = sameAs;
        } else if (inode.kind === "file") {
            const file = await open(place, "wx", 0o600);
            try {
                const hash = createHash("sha256");
                let position = 0;
                for await (const part of read(inode)) {
                    hash.update(part);
                    position = await writeAll(file, part, position);
                }
                size += position;
                content = hash.digest("hex");
                await file.chmod(inode.entry.mode);
                await file.utimes(inode.entry.mtime, inode.entry.mtime);
            } finally {
                await file.close();
            }
        } else {
            skipped.push(path);
            continue;
        }
        written.push(item);
        lines.update(JSON.stringify([path, inode.kind, modeOf(item), content, sameAs !== undefined]));
    }
    return { digest: `sha256:${lines.digest("hex")}`, size, items: written, skipped };
}

/** Gives folders their permissions and times, the inner ones first: whatever is put into a folder changes its time. */
export async function finishFolders(items: readonly TreeItem[], folder: string): Promise<void> {
    const base = Buffer.from(folder);
    for (const item of [...items].reverse()) {
        const { inode, path } = item;
        if (inode.kind === "directory") {
            const place = joinBytes(base, path);
            await chmod(place, modeOf(item));
            if (inode.entry !== undefined) {
                await utimes(place, inode.entry.mtime, inode.entry.mtime);
            }
        }
    }
}

/** What folders of a platform have in BuildKit. */
export async function finishRoot(folder: string): Promise<void> {
    await chmod(folder, folderMode);
}

function modeOf({ inode }: TreeItem): number {
    return inode.entry?.mode ?? folderMode;
}
