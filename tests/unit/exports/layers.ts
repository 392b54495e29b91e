import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { MultiArchError } from "../../../sdk/errors";
import { openRootFileSystem, type RootFileSystem } from "../../../sdk/exports/rootFileSystem";
import { encodeEntry, padToBlock, type TarEntry } from "../../../sdk/exports/tarHeader";
import { digestOf, mediaTypes, type Descriptor } from "../../../sdk/registry/manifests";

/** An entry of a layer: what is not said is that of a plain file. */
export type LayerEntry = Partial<TarEntry> & { readonly path: string; readonly text?: string };

/** Bytes of a tar archive. */
export function packLayer(entries: readonly LayerEntry[]): Buffer {
    const parts = entries.flatMap(({ text = "", ...given }) => {
        const content = Buffer.from(text, "latin1");
        const kind = given.kind ?? (given.path.endsWith("/") ? "directory" : "file");
        const plain = { mode: kind === "directory" ? 0o755 : 0o644, uid: 0, gid: 0, mtime: 1_000_000, link: "" };
        const others = { uname: "", gname: "", deviceMajor: 0, deviceMinor: 0, records: {} };
        const header = encodeEntry({ ...plain, ...others, ...given, kind, size: content.length });
        return [header, content, Buffer.alloc(padToBlock(content.length) - content.length)];
    });
    return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Contents by their digests, served as a registry does. Fails as often as it is told to, in the middle. */
export function serve(blobs: readonly Buffer[], failures = 0) {
    let left = failures;
    const known = new Map(blobs.map((blob) => [digestOf(blob), blob]));
    return {
        client: {
            openBlob: (_where: unknown, { digest }: { digest: string }) => {
                const blob = known.get(digest) ?? Buffer.alloc(0);
                return Promise.resolve(send(blob, left-- > 0));
            },
        },
        repository: { registry: "registry.example.com", repository: "app" },
        sleep: () => Promise.resolve(),
    };
}

async function* send(blob: Buffer, fails: boolean): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    for (let start = 0; start < blob.length; start += 100) {
        if (fails && start > blob.length / 2) {
            throw new MultiArchError("registry-unreachable", { what: "the connection was lost", transient: true });
        }
        yield blob.subarray(start, start + 100);
    }
}

/** Puts layers together; each is compressed with gzip unless it comes with bytes of its own. */
export async function openLayers(
    layers: readonly { readonly tar: Buffer; readonly blob?: Buffer; readonly mediaType?: string }[],
    options: { failures?: number; diffIds?: string[] } = {},
): Promise<RootFileSystem & { readonly folder: string; remove(): Promise<void> }> {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-layers-"));
    const blobs = layers.map(({ tar, blob = gzipSync(tar) }) => blob);
    const descriptors = blobs.map((blob, index): Descriptor => {
        const mediaType = layers[index]?.mediaType ?? "application/vnd.oci.image.layer.v1.tar+gzip";
        return { mediaType, digest: digestOf(blob), size: blob.length };
    });
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(emptyConfig), size: 2 };
    const manifest = { kind: "image", mediaType: mediaTypes.ociManifest, config, layers: descriptors } as const;
    const diffIds = layers.map(({ tar }) => `sha256:${createHash("sha256").update(tar).digest("hex")}`);
    const remove = async (): Promise<void> => {
        rmSync(folder, { recursive: true, force: true });
        return Promise.resolve();
    };
    try {
        const source = serve(blobs, options.failures);
        const files = await openRootFileSystem(source, manifest, options.diffIds ?? diffIds, folder);
        return { ...files, folder, remove: () => files.close().then(remove) };
    } catch (error) {
        await remove();
        throw error;
    }
}

const emptyConfig = Buffer.from("{}");

/** Paths with their contents, links and permissions, one line each. */
export async function describeFiles({ items, read }: RootFileSystem): Promise<string[]> {
    const lines: string[] = [];
    for (const { path, inode, sameAs } of items) {
        if (inode.kind === "directory") {
            lines.push(`${path}/`);
        } else if (sameAs !== undefined) {
            lines.push(`${path} = ${sameAs}`);
        } else if (inode.kind === "symlink") {
            lines.push(`${path} -> ${inode.entry.link}`);
        } else if (inode.kind === "file") {
            const parts: Buffer[] = [];
            for await (const part of read(inode)) {
                parts.push(part);
            }
            lines.push(`${path}: ${Buffer.concat(parts).toString("latin1")}`);
        } else {
            lines.push(`${path} (${inode.kind})`);
        }
    }
    return lines;
}
