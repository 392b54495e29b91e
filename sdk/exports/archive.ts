import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";

import { forEachAtOnce } from "../registry/atOnce";
import { downloadInto, writeAll, type BlobSource } from "./download";
import { type LayoutFile, sizeOf } from "./layout";
import { blockSize, encodeEntry, padToBlock, type TarEntry, type TarKind } from "./tarHeader";

/** A file that was written, as it is on the disk. */
export interface WrittenFile {
    readonly digest: string;
    readonly size: number;
}

const blobsAtOnce = 4;

/**
 * Writes an OCI layout as a tar archive. The same contents give the same bytes on every machine. Every place is known
 * beforehand, so contents arrive side by side, and one that is lost on the way starts again where it began.
 */
export async function writeArchive(
    source: BlobSource,
    files: readonly LayoutFile[],
    path: string,
): Promise<WrittenFile> {
    const file = await open(path, "wx+");
    try {
        let end = 0;
        const place = (header: Buffer, size: number): { header: Buffer; start: number; content: number } => {
            const start = end;
            end = start + header.length + padToBlock(size);
            return { header, start, content: start + header.length };
        };
        const folders = listFolders(files).map((name) => place(encodeEntry(plainEntry(name, "directory", 0)), 0));
        const placed = files.map((content) => {
            const size = sizeOf(content);
            return { ...place(encodeEntry(plainEntry(content.name, "file", size)), size), file: content };
        });
        // What is between contents, and the two blocks at the end, are zeros.
        await file.truncate(end + 2 * blockSize);
        for (const { header, start } of [...folders, ...placed]) {
            await writeAll(file, header, start);
        }
        await forEachAtOnce(
            placed,
            blobsAtOnce,
            source.signal,
            async ({ file: content, content: position }, signal) => {
                await ("bytes" in content
                    ? writeAll(file, content.bytes, position)
                    : downloadInto({ ...source, signal }, content.blob, file, position));
            },
        );
        await file.sync();
        return await readBack(file);
    } finally {
        await file.close();
    }
}

/** The digest of a file as it is on the disk. */
export async function readBack(file: FileHandle): Promise<WrittenFile> {
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(1024 * 1024);
    let size = 0;
    for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, size);
        if (bytesRead === 0) {
            return { digest: `sha256:${hash.digest("hex")}`, size };
        }
        hash.update(buffer.subarray(0, bytesRead));
        size += bytesRead;
    }
}

function listFolders(files: readonly LayoutFile[]): string[] {
    const folders = files.flatMap(({ name }) => {
        const parts = name.split("/").slice(0, -1);
        return parts.map((_part, index) => `${parts.slice(0, index + 1).join("/")}/`);
    });
    return [...new Set(folders)].sort();
}

function plainEntry(path: string, kind: TarKind, size: number): TarEntry {
    const mode = kind === "directory" ? 0o755 : 0o644;
    const nobody = { uid: 0, gid: 0, uname: "", gname: "", deviceMajor: 0, deviceMinor: 0 };
    return { path, kind, mode, size, ...nobody, mtime: 0, link: "", records: {} };
}
