import { lstat, open, stat, type FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { readBack } from "./archive";
import type { TreeItem } from "./fileTree";
import { identify } from "./layout";
import { readIndex } from "./layoutFolder";
import { joinBytes } from "./rootFolder";
import { printable } from "./tarHeader";

/** A file or folder that was written. */
export interface WrittenTarget {
    /** Relative to the folder of the program, or absolute, as the program gives it. */
    readonly path: string;
    /** The platform whose image it holds; undefined where it holds all of them. */
    readonly platform?: string | undefined;
    /** Stands for its content. */
    readonly digest: string;
    /** In bytes. */
    readonly size: number;
    readonly contents: TargetContents;
}

/** What has to be there, so that nothing is written again. */
export type TargetContents =
    /** One file with the digest and size of the target. */
    | { readonly kind: "file" }
    /** An OCI layout: files with their sizes, and the entries of its index. */
    | {
          readonly kind: "layout";
          readonly files: readonly (readonly [name: string, size: number])[];
          readonly entries: string[];
      }
    /** A file system: paths, what is there, and the sizes of files. */
    | { readonly kind: "tree"; readonly items: readonly TreeNote[] };

type TreeNote = readonly [path: string, kind: "d" | "f" | "l", size: number];

// States are read and written as a whole at every operation.
const longestList = 48 * 1024;

/** What is remembered of the files of an image. */
export function noteTree(items: readonly TreeItem[]): TargetContents {
    return {
        kind: "tree",
        items: items.map(({ path, inode }): TreeNote => {
            const kind = inode.kind === "directory" ? "d" : inode.kind === "symlink" ? "l" : "f";
            return [path, kind, inode.kind === "file" ? inode.entry.size : 0];
        }),
    };
}

/** Packs what is remembered. Of a file system with very many files, it is the first ones. */
export function packContents(targets: readonly WrittenTarget[]): string {
    const contents = Object.fromEntries(targets.map((target) => [target.path, target.contents]));
    const packed = deflateRawSync(JSON.stringify(contents)).toString("base64");
    if (packed.length <= longestList || !targets.some(({ contents: each }) => isLong(each))) {
        return packed;
    }
    return packContents(
        targets.map((target) => ({
            ...target,
            contents: isLong(target.contents)
                ? { kind: "tree", items: target.contents.items.slice(0, target.contents.items.length >>> 1) }
                : target.contents,
        })),
    );
}

/** Reads what was packed, by path. Nothing where it was not packed by this version. */
export function unpackContents(packed: unknown): Readonly<Record<string, TargetContents>> {
    try {
        const text = inflateRawSync(Buffer.from(String(packed), "base64")).toString("utf8");
        return JSON.parse(text) as Record<string, TargetContents>;
    } catch {
        return {};
    }
}

/** Looks whether a target is as it was written. Says what is wrong with it; undefined when nothing is. */
export async function inspectTarget(target: WrittenTarget, base: string): Promise<string | undefined> {
    const place = resolve(base, target.path);
    try {
        switch (target.contents.kind) {
            case "file":
                return await inspectFile(target, place);
            case "layout":
                return await inspectLayout(target.contents, place);
            case "tree":
                return await inspectTree(target.contents.items, place);
        }
    } catch (error) {
        return isMissing(error) ? "is missing" : "cannot be read";
    }
}

async function inspectFile({ digest, size }: WrittenTarget, place: string): Promise<string | undefined> {
    let file: FileHandle | undefined;
    try {
        // Opening a pipe would wait for somebody to write to it.
        if (!(await stat(place)).isFile()) {
            return "is not a file any more";
        }
        file = await open(place, "r");
        const isSame = (await file.stat()).size === size && (await readBack(file)).digest === digest;
        return isSame ? undefined : "is not what was written";
    } finally {
        await file?.close();
    }
}

async function inspectLayout(
    { files, entries }: Extract<TargetContents, { kind: "layout" }>,
    place: string,
): Promise<string | undefined> {
    const known = (await readIndex(place)) ?? [];
    if (entries.some((entry) => !known.some((other) => identify(other) === entry))) {
        return "has no entry of the image in its index.json";
    }
    for (const [name, size] of files) {
        const found = await stat(join(place, name)).catch(() => undefined);
        if (found?.isFile() !== true || found.size !== size) {
            return `lacks ${name}`;
        }
    }
    return undefined;
}

async function inspectTree(items: readonly TreeNote[], place: string): Promise<string | undefined> {
    const base = Buffer.from(place);
    await stat(base);
    for (const [path, kind, size] of items) {
        const found = await lstat(joinBytes(base, path)).catch(() => undefined);
        if (found === undefined) {
            return `lacks ${printable(path)}`;
        }
        const is = found.isDirectory() ? "d" : found.isSymbolicLink() ? "l" : found.isFile() ? "f" : "";
        if (is !== kind || (kind === "f" && found.size !== size)) {
            return `has another ${printable(path)}`;
        }
    }
    return undefined;
}

function isLong(contents: TargetContents): contents is Extract<TargetContents, { kind: "tree" }> {
    return contents.kind === "tree" && contents.items.length > 1;
}

function isMissing(error: unknown): boolean {
    return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
