import type { FetchedManifest } from "../registry/answers";
import { type Descriptor, mediaTypes } from "../registry/manifests";
import { formatReference, parseReference } from "../registry/reference";

/** A file of an OCI layout: made here, or content of the registry. */
export type LayoutFile =
    { readonly name: string; readonly bytes: Buffer } | { readonly name: string; readonly blob: Descriptor };

/** An entry of `index.json`. */
export interface IndexEntry {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly platform?: object;
}

// https://github.com/containerd/containerd/blob/v2.1.0/core/images/annotations.go
const imageName = "io.containerd.image.name";
const refName = "org.opencontainers.image.ref.name";

/** The names of an image in the form that archives use: with registry and tag. */
export function normaliseNames(names: readonly string[]): string[] {
    const whole = names.map((name) => {
        const reference = parseReference(name);
        const { registry, repository, tag = "latest" } = reference;
        return formatReference({ registry, repository, tag });
    });
    return [...new Set(whole)];
}

/**
 * The entries of `index.json` that name an image or index, as BuildKit writes them, so that every tool finds the image
 * by its names: one for each name, or one without. https://github.com/moby/buildkit/blob/v0.31.1/exporter/oci/export.go
 */
export function describeNames(root: Descriptor, names: readonly string[], platform?: object): IndexEntry[] {
    const { mediaType, digest, size } = root;
    const entry = { mediaType, digest, size };
    const where = platform === undefined ? {} : { platform };
    return names.length === 0
        ? [{ ...entry, ...where }]
        : names.map((name) => {
              const annotations = { [imageName]: name, [refName]: parseReference(name).tag ?? "latest" };
              return { ...entry, annotations, ...where };
          });
}

/** The text of `index.json`. */
export function formatIndex(manifests: readonly object[]): Buffer {
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

/** The file that says that a folder or archive is an OCI layout. */
export const layoutMark: LayoutFile = {
    name: "oci-layout",
    bytes: Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" })),
};

/** Manifests and the contents they refer to, each once, under their digests. */
export function listBlobs(manifests: readonly FetchedManifest[], blobs: readonly Descriptor[]): LayoutFile[] {
    const documents = manifests.map(({ descriptor, bytes }) => ({ name: blobPath(descriptor.digest), bytes }));
    const contents = blobs.map((blob) => ({ name: blobPath(blob.digest), blob }));
    return [...new Map([...contents, ...documents].map((file) => [file.name, file])).values()].sort((one, other) =>
        one.name < other.name ? -1 : 1,
    );
}

/**
 * The list that `docker load` without the containerd image store reads: one image of one platform.
 * https://github.com/moby/moby/blob/v28.0.0/image/tarexport/load.go
 */
export function dockerManifest({ manifest }: FetchedManifest, names: readonly string[]): LayoutFile {
    if (manifest.kind === "index") {
        throw new TypeError("an index has no place in this list");
    }
    const { config, layers } = manifest;
    const image = {
        Config: blobPath(config.digest),
        RepoTags: names,
        Layers: layers.map(({ digest }) => blobPath(digest)),
    };
    return { name: "manifest.json", bytes: Buffer.from(JSON.stringify([image])) };
}

/** How long a file is. */
export function sizeOf(file: LayoutFile): number {
    return "bytes" in file ? file.bytes.length : file.blob.size;
}

/** Where content is in a layout. */
export function blobPath(digest: string): string {
    return `blobs/${digest.replace(":", "/")}`;
}

/**
 * The entries of an `index.json` that is there already, with those of ours in place of what had the same names. What
 * others have put there stays. `gone` is what this export had put there before.
 */
export function mergeIndex(known: readonly IndexEntry[], entries: readonly IndexEntry[], gone: string[]): IndexEntry[] {
    const nameOf = ({ annotations = {} }: IndexEntry): string => `${annotations[imageName]} ${annotations[refName]}`;
    const isNamed = ({ annotations = {} }: IndexEntry): boolean => annotations[refName] !== undefined;
    const isOurs = (entry: IndexEntry): boolean =>
        entries.some((own) => nameOf(own) === nameOf(entry) && (isNamed(own) || own.digest === entry.digest)) ||
        gone.includes(`${entry.digest} ${nameOf(entry)}`);
    return [...known.filter((entry) => !isOurs(entry)), ...entries];
}

/** How a state remembers entries, for `mergeIndex` and to see whether they are still there. */
export function identify(entry: IndexEntry): string {
    const { annotations = {} } = entry;
    return `${entry.digest} ${annotations[imageName]} ${annotations[refName]}`;
}
