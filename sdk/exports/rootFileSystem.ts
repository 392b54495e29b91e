import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { messageOf, MultiArchError } from "../errors";
import { forEachAtOnce } from "../registry/atOnce";
import type { ImageManifest } from "../registry/manifests";
import { unpackLayer, type BlobSource } from "./download";
import { applyEntry, createTree, listTree, type LeafInode, type TreeItem } from "./fileTree";
import { printable } from "./tarHeader";
import { readTar } from "./tarReader";

/** The file system of an image, as a container of it would begin with. */
export interface RootFileSystem {
    /** Everything in it: a folder before what is in it, names in the order of their bytes. */
    readonly items: readonly TreeItem[];
    /** The content of a file, in parts. */
    readonly read: (file: LeafInode) => AsyncGenerator<Buffer>;
    close(): Promise<void>;
}

const layersAtOnce = 3;
const partSize = 1024 * 1024;

/**
 * Puts the layers of an image together. They are kept in a folder, without compression, as long as it is open: the
 * memory holds the names of the files, never their contents.
 */
export async function openRootFileSystem(
    source: BlobSource,
    manifest: ImageManifest,
    diffIds: readonly string[],
    folder: string,
): Promise<RootFileSystem> {
    const files: FileHandle[] = [];
    const close = async (): Promise<void> => {
        await Promise.all(files.splice(0).map((file) => file.close()));
    };
    try {
        const layers = manifest.layers.map((layer, index) => ({ layer, index }));
        await forEachAtOnce(layers, layersAtOnce, source.signal, async ({ layer, index }, signal) => {
            await inLayer(layer.digest, async () => {
                assertFileSystem(layer.mediaType);
                const path = join(folder, `layer-${index}`);
                files[index] = await unpackLayer({ ...source, signal }, layer, diffIds[index], path);
            });
        });
        const root = createTree();
        for (const { layer, index } of layers) {
            await inLayer(layer.digest, async () => {
                for await (const { entry, offset } of readTar(layerFile(files, index))) {
                    applyEntry(root, entry, offset, index);
                }
            });
        }
        return { items: listTree(root), read: (file) => readContent(files, file, source.signal), close };
    } catch (error) {
        await close();
        throw error;
    }
}

async function* readContent(
    files: readonly FileHandle[],
    { entry, layer, offset }: LeafInode,
    signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
    const file = layerFile(files, layer);
    for (let done = 0; done < entry.size;) {
        signal?.throwIfAborted();
        const part = Buffer.allocUnsafe(Math.min(partSize, entry.size - done));
        const { bytesRead } = await file.read(part, 0, part.length, offset + done);
        if (bytesRead === 0) {
            throw new TypeError(`${printable(entry.path)} is cut off`);
        }
        done += bytesRead;
        yield part.subarray(0, bytesRead);
    }
}

function layerFile(files: readonly FileHandle[], index: number): FileHandle {
    const file = files[index];
    if (file === undefined) {
        throw new TypeError(`there is no layer ${index}`);
    }
    return file;
}

/** Statements about images, charts and other things have the form of images too. */
function assertFileSystem(mediaType: string): void {
    if (!/[./]tar(?:$|[.+](?:gzip|zstd)$)/.test(mediaType)) {
        throw new TypeError(`its type ${JSON.stringify(mediaType)} is no file system`);
    }
}

/** What is wrong with a layer is told with its digest. Errors of the registry and the disk tell enough themselves. */
async function inLayer(digest: string, work: () => Promise<void>): Promise<void> {
    try {
        await work();
    } catch (error) {
        const isTold = error instanceof MultiArchError || (error instanceof Error && "syscall" in error);
        const isAborted = error instanceof Error && error.name === "AbortError";
        if (isTold || isAborted) {
            throw error;
        }
        throw new MultiArchError("export-failed", {
            what: `the layer ${digest} cannot be unpacked: ${messageOf(error)}`,
            next: "Build the image again. If it stays, export it as oci, which needs no unpacking.",
            cause: error,
        });
    }
}
