import { open } from "node:fs/promises";

import { readBack, type WrittenFile } from "./archive";
import { writeAll } from "./download";
import type { TreeItem } from "./fileTree";
import type { RootFileSystem } from "./rootFileSystem";
import { blockSize, encodeEntry, padToBlock, type TarEntry } from "./tarHeader";

/** Writes a file system as a tar archive, with owners, devices and extended attributes as the layers have them. */
export async function writeRootTar({ items, read }: RootFileSystem, path: string): Promise<WrittenFile> {
    const file = await open(path, "wx+");
    try {
        let position = 0;
        for (const item of items) {
            position = await writeAll(file, encodeEntry(describeItem(item)), position);
            const { inode, sameAs } = item;
            if (inode.kind === "file" && sameAs === undefined) {
                const start = position;
                for await (const part of read(inode)) {
                    position = await writeAll(file, part, position);
                }
                position = start + padToBlock(inode.entry.size);
            }
        }
        await file.truncate(position + 2 * blockSize);
        await file.sync();
        return await readBack(file);
    } finally {
        await file.close();
    }
}

/** Folders that no layer describes get what `mkdir` would give them. */
const unknownFolder: Omit<TarEntry, "path"> = {
    kind: "directory",
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    size: 0,
    link: "",
    uname: "",
    gname: "",
    deviceMajor: 0,
    deviceMinor: 0,
    records: {},
};

function describeItem({ path, inode, sameAs }: TreeItem): TarEntry {
    if (inode.kind === "directory") {
        return { ...(inode.entry ?? unknownFolder), path: `${path}/` };
    }
    if (sameAs !== undefined) {
        return { ...inode.entry, path, kind: "hardlink", link: sameAs, size: 0 };
    }
    return { ...inode.entry, path, kind: inode.kind };
}
