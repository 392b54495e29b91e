import { mkdir, realpath, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import type { FetchedManifest } from "../registry/answers";
import type { RegistryClient } from "../registry/client";
import type { Repository } from "../registry/reference";
import { readTree } from "../registry/tree";
import { writeArchive } from "./archive";
import type { BlobSource } from "./download";
import { inPlace } from "./faults";
import { listImages, type PlatformContent } from "./images";
import { describeNames, dockerManifest, formatIndex, identify, layoutMark, listBlobs, sizeOf } from "./layout";
import type { IndexEntry, LayoutFile } from "./layout";
import { writeLayoutFolder } from "./layoutFolder";
import { mergeFolder } from "./mergeFolder";
import { openRootFileSystem, type RootFileSystem } from "./rootFileSystem";
import { finishFolders, finishRoot, writeRootFolder } from "./rootFolder";
import { writeRootTar } from "./rootTar";
import { listTargets, type ExportKind, type ExportTarget } from "./targets";
import { withWorkFolder } from "./workFolder";
import { noteTree, type WrittenTarget } from "./written";

/** What to write, and where. */
export interface ExportRequest {
    readonly kind: ExportKind;
    readonly dest: string;
    /** False writes an OCI layout as a folder. Means nothing for `tar` and `local`. */
    readonly tar: boolean;
    /** The names that the image has in an archive, each with registry and tag. */
    readonly names: readonly string[];
    /** The property that names `dest`, for errors. */
    readonly property: string;
    /** The folder that a relative `dest` starts at. */
    readonly base: string;
    /** What was written before. Entries of it in a layout give way to the new ones. */
    readonly old: readonly WrittenTarget[];
    /** Which of them need not be written again. */
    readonly kept: readonly WrittenTarget[];
}

/** Where the image is, and who hears how it goes. */
export interface ExportSource {
    readonly client: Pick<RegistryClient, "getManifest" | "getBlobJson" | "openBlob">;
    readonly repository: Repository;
    readonly root: FetchedManifest;
    readonly signal?: AbortSignal | undefined;
    readonly sleep?: BlobSource["sleep"];
    readonly onStatus: (text: string) => void;
    readonly onWarning: (text: string) => void;
}

/**
 * Writes an image from the registry into files. Each file or folder takes its place only when all of it is there, and
 * one that fails leaves what was there before.
 *
 * Throws a MultiArchError: `export-failed` for what the disk or the image does not allow, others for the registry.
 */
export async function writeExport(source: ExportSource, request: ExportRequest): Promise<WrittenTarget[]> {
    const { kind, dest, property, kept } = request;
    const { client, repository, root } = source;
    const images = await inPlace({ path: dest, property }, async () => {
        return kind === "oci" ? [] : listImages(client, repository, root);
    });
    const targets = await inPlace({ path: dest, property }, () => {
        return Promise.resolve(
            listTargets(
                kind,
                dest,
                images.map(({ platform }) => platform),
            ),
        );
    });
    const written: WrittenTarget[] = [];
    for (const target of targets) {
        const there = kept.find(({ path }) => path === target.path);
        const image = images.find(({ platform }) => platform === target.platform);
        const place = { path: target.path, property, platform: target.platform };
        written.push(
            there ?? (await inPlace(place, () => writeTarget(source, request, { target, image }), source.signal)),
        );
    }
    return written;
}

interface Work {
    readonly target: ExportTarget;
    readonly image: PlatformContent | undefined;
}

async function writeTarget(source: ExportSource, request: ExportRequest, work: Work): Promise<WrittenTarget> {
    const { kind, tar, base } = request;
    const path = resolve(base, work.target.path);
    if (kind === "tar" || kind === "local") {
        return kind === "tar" ? writeTarTarget(source, work, path) : writeFolderTarget(source, work, path);
    }
    const layout = await planLayout(source, request, work);
    const total = layout.files.reduce((sum, file) => sum + ("blob" in file ? file.blob.size : 0), 0);
    const blobs = toBlobSource(source, work.target.path, total);
    return tar
        ? writeArchiveTarget(blobs, layout, work, path)
        : writeLayoutTarget(blobs, layout, { ...work, old: request.old }, path);
}

interface Layout {
    readonly files: readonly LayoutFile[];
    readonly entries: readonly IndexEntry[];
    readonly digest: string;
}

/** `oci` has everything under the digest of the registry; `docker` the image of one platform, and the list it loads. */
async function planLayout(source: ExportSource, { names }: ExportRequest, { image }: Work): Promise<Layout> {
    const { client, repository, root } = source;
    const top = image?.image ?? root;
    const { manifests, blobs } = await readTree(client, repository, top);
    const extra = image === undefined ? [] : [dockerManifest(image.image, names)];
    return {
        files: [layoutMark, ...extra, ...listBlobs(manifests, blobs)],
        entries: describeNames(top.descriptor, names, image?.described),
        digest: top.descriptor.digest,
    };
}

async function writeArchiveTarget(
    source: BlobSource,
    { files, entries }: Layout,
    { target }: Work,
    path: string,
): Promise<WrittenTarget> {
    await assertNoFolder(path);
    return withWorkFolder(dirname(path), basename(path), async (work) => {
        const part = join(work, "archive");
        const index: LayoutFile = { name: "index.json", bytes: formatIndex(entries) };
        const written = await writeArchive(source, [index, ...files], part);
        await rename(part, path);
        return { ...target, ...written, contents: { kind: "file" } };
    });
}

async function writeLayoutTarget(
    source: BlobSource,
    { files, entries, digest }: Layout,
    { target, old }: Work & { old: readonly WrittenTarget[] },
    path: string,
): Promise<WrittenTarget> {
    const gone = old.flatMap((before) => {
        return before.path === target.path && before.contents.kind === "layout" ? before.contents.entries : [];
    });
    return withWorkFolder(path, "layout", async (work) => {
        await writeLayoutFolder(source, files, entries, gone, { folder: path, work });
        const sizes = files.map((file) => [file.name, sizeOf(file)] as const);
        const size = sizes.reduce((sum, [, each]) => sum + each, 0);
        return {
            ...target,
            digest,
            size,
            contents: { kind: "layout", files: sizes, entries: entries.map(identify) },
        };
    });
}

async function writeTarTarget(source: ExportSource, work: Work, path: string): Promise<WrittenTarget> {
    await assertNoFolder(path);
    return withWorkFolder(dirname(path), basename(path), async (folder) => {
        const part = join(folder, "archive");
        const written = await withRootFileSystem(source, work, folder, (files) => writeRootTar(files, part));
        await rename(part, path);
        return { ...work.target, ...written, contents: { kind: "file" } };
    });
}

async function writeFolderTarget(source: ExportSource, work: Work, path: string): Promise<WrittenTarget> {
    return withWorkFolder(dirname(path), basename(path), async (folder) => {
        const staged = join(folder, "files");
        await mkdir(staged, { mode: 0o700 });
        const { items, skipped, digest, size } = await withRootFileSystem(source, work, folder, (files) =>
            writeRootFolder(files, staged),
        );
        if (skipped.length > 0) {
            const shown = skipped.slice(0, 3).join(", ");
            source.onWarning(`${work.target.path}: ${skipped.length} devices and pipes were left out (${shown})`);
        }
        if ((await stat(path).catch(() => undefined))?.isDirectory() === true) {
            // The folder itself may be a link of the user's to another disk. What is in it is never followed.
            const target = await realpath(path);
            await mergeFolder(items, staged, target);
            await finishFolders(items, target);
        } else {
            await finishFolders(items, staged);
            await finishRoot(staged);
            await rename(staged, path);
        }
        return { ...work.target, digest, size, contents: noteTree(items) };
    });
}

async function withRootFileSystem<Result>(
    source: ExportSource,
    { image, target }: Work,
    folder: string,
    use: (files: RootFileSystem) => Promise<Result>,
): Promise<Result> {
    const manifest = image?.image.manifest;
    if (manifest?.kind !== "image") {
        throw new TypeError("there is no image for it");
    }
    const total = manifest.layers.reduce((sum, { size }) => sum + size, 0);
    const blobs = toBlobSource(source, target.path, total);
    const layers = join(folder, "layers");
    await mkdir(layers, { mode: 0o700 });
    const files = await openRootFileSystem(blobs, manifest, image?.diffIds ?? [], layers);
    try {
        source.onStatus(`${target.path}: writing ${files.items.length} files and folders`);
        return await use(files);
    } finally {
        await files.close();
    }
}

/** `rename` would put a file in the place of an empty folder, or fail with words that help nobody. */
async function assertNoFolder(path: string): Promise<void> {
    if ((await stat(path).catch(() => undefined))?.isDirectory() === true) {
        throw Object.assign(new Error("there is a folder"), { code: "EISDIR", syscall: "rename" });
    }
}

function toBlobSource(source: ExportSource, path: string, total: number): BlobSource {
    const { client, repository, signal, sleep, onStatus } = source;
    let arrived = 0;
    const onBytes = (bytes: number): void => {
        arrived += bytes;
        onStatus(`${path}: ${formatMegabytes(arrived)} of ${formatMegabytes(total)} read`);
    };
    return { client, repository, signal, sleep, onBytes };
}

function formatMegabytes(bytes: number): string {
    return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
