import { mkdir, open, readFile, rename, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { MultiArchError } from "../errors";
import { forEachAtOnce } from "../registry/atOnce";
import { readBack } from "./archive";
import { downloadInto, writeAll, type BlobSource } from "./download";
import { formatIndex, type IndexEntry, type LayoutFile, mergeIndex, sizeOf } from "./layout";

const blobsAtOnce = 4;

/**
 * Writes an OCI layout into a folder. Contents that are there already are read and kept; `index.json`, which makes the
 * image part of the layout, comes last. What others have put into the layout stays.
 */
export async function writeLayoutFolder(
    source: BlobSource,
    files: readonly LayoutFile[],
    entries: readonly IndexEntry[],
    gone: string[],
    place: { readonly folder: string; readonly work: string },
): Promise<void> {
    const known = await readIndex(place.folder);
    await mkdir(join(place.folder, "blobs", "sha256"), { recursive: true });
    await forEachAtOnce(files, blobsAtOnce, source.signal, async (file, signal) => {
        if (!(await isThere(join(place.folder, file.name), file))) {
            await writeFileAtOnce({ ...source, signal }, file, place);
        }
    });
    const index = { name: "index.json", bytes: formatIndex(mergeIndex(known ?? [], entries, gone)) };
    await writeFileAtOnce(source, index, place);
}

/** The entries of an `index.json`. Undefined where there is none; throws where it cannot be understood. */
export async function readIndex(folder: string): Promise<IndexEntry[] | undefined> {
    let text: string;
    try {
        text = await readFile(join(folder, "index.json"), "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return undefined;
        }
        throw error;
    }
    try {
        const { manifests } = JSON.parse(text) as { manifests?: unknown };
        if (Array.isArray(manifests)) {
            return manifests as IndexEntry[];
        }
    } catch {
        // Told below.
    }
    throw new MultiArchError("export-failed", {
        what: "the index.json in the folder is not that of an OCI layout",
        next: "Choose another dest: what is in this folder would be lost.",
    });
}

async function writeFileAtOnce(
    source: BlobSource,
    file: LayoutFile,
    { folder, work }: { readonly folder: string; readonly work: string },
): Promise<void> {
    const path = join(work, file.name.replaceAll("/", "-"));
    const handle = await open(path, "wx+");
    try {
        await ("bytes" in file ? writeAll(handle, file.bytes, 0) : downloadInto(source, file.blob, handle, 0));
        await handle.sync();
    } finally {
        await handle.close();
    }
    await rename(path, join(folder, file.name));
}

async function isThere(path: string, file: LayoutFile): Promise<boolean> {
    let handle: FileHandle;
    try {
        handle = await open(path, "r");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return false;
        }
        throw error;
    }
    try {
        if ((await handle.stat()).size !== sizeOf(file)) {
            return false;
        }
        return "bytes" in file
            ? (await handle.readFile()).equals(file.bytes)
            : (await readBack(handle)).digest === file.blob.digest;
    } finally {
        await handle.close();
    }
}
