import { normaliseAddress } from "./accounts";
import type { FetchedManifest } from "./answers";
import { forEachAtOnce } from "./atOnce";
import type { RegistryClient } from "./client";
import type { Descriptor, MadeManifest } from "./manifests";
import type { Repository } from "./reference";
import { readTree } from "./tree";

/** The part of a client that reads what is copied. */
export type CopySource = Pick<RegistryClient, "getManifest" | "openBlob">;

/** The part of a client that writes what is copied. */
export type CopyTarget = Pick<RegistryClient, "headManifest" | "putManifest" | "hasBlob" | "putBlob">;

/** How a copy goes on. */
export interface CopyOptions {
    /** Ends the copy. What has arrived stays, and is not sent again the next time. */
    readonly signal?: AbortSignal | undefined;
    /** Told of each part that was sent, linked or found. */
    readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** How far a copy is. */
export interface CopyProgress {
    readonly blobs: number;
    readonly blobsDone: number;
    /** What was sent so far. A stream that is sent again counts once. */
    readonly bytesCopied: number;
}

/** What was copied: the manifest that stands for all of it, and how it got there. */
export interface CopyResult extends MadeManifest {
    /** The digests of all manifests that are in the target now, children before parents. */
    readonly manifests: readonly string[];
    /** Contents that were sent. */
    readonly blobsCopied: number;
    /** Contents that the registry linked from the other repository. */
    readonly blobsMounted: number;
    /** The bytes of the contents that were sent. */
    readonly bytesCopied: number;
}

const blobsAtOnce = 4;

/**
 * Copies an image or index byte for byte into another repository, with all it refers to: images of all platforms,
 * attestations, configurations and layers. Contents come before manifests and children before parents, so that nothing
 * in the target ever refers to what is not there. No tag is touched, and what is there already is not sent again.
 *
 * Throws a MultiArchError, also when the source lacks a part. The work can then be repeated: it goes on where it ended.
 */
export async function copyImage(
    source: { readonly client: CopySource; readonly repository: Repository; readonly root: FetchedManifest },
    target: { readonly client: CopyTarget; readonly repository: Repository },
    options: CopyOptions = {},
): Promise<CopyResult> {
    const { manifests, blobs } = await readTree(source.client, source.repository, source.root);
    const counts = { blobsCopied: 0, blobsMounted: 0, bytesCopied: 0 };
    let blobsDone = 0;
    const report = (): void =>
        options.onProgress?.({ blobs: blobs.length, blobsDone, bytesCopied: counts.bytesCopied });
    const from = findMountSource(source.repository, target.repository);

    await forEachAtOnce(blobs, blobsAtOnce, options.signal, async (blob, signal) => {
        const placement = await copyBlob(blob, signal);
        counts.blobsCopied += placement === "copied" ? 1 : 0;
        counts.blobsMounted += placement === "mounted" ? 1 : 0;
        blobsDone += 1;
        report();
    });
    for (const { descriptor, bytes } of manifests) {
        const reference = { ...target.repository, digest: descriptor.digest };
        if ((await target.client.headManifest(reference)) === undefined) {
            await target.client.putManifest(reference, bytes, descriptor.mediaType);
        }
    }
    const { descriptor, bytes } = source.root;
    const copied = manifests.map(({ descriptor: { digest } }) => digest);
    return { ...counts, digest: descriptor.digest, mediaType: descriptor.mediaType, bytes, manifests: copied };

    async function copyBlob(blob: Descriptor, signal: AbortSignal): Promise<"found" | "mounted" | "copied"> {
        if (await target.client.hasBlob(target.repository, blob.digest)) {
            return "found";
        }
        let sent = 0;
        const count = (bytes: number): void => {
            sent += bytes;
            counts.bytesCopied += bytes;
            report();
        };
        const open = async (ended: AbortSignal) => {
            count(-sent);
            return countBytes(await source.client.openBlob(source.repository, blob, ended), count);
        };
        return target.client.putBlob(target.repository, blob, open, { from, signal });
    }
}

/** Contents of the same registry need not travel. */
function findMountSource(source: Repository, target: Repository): string | undefined {
    const isSame = normaliseAddress(source.registry) === normaliseAddress(target.registry);
    return isSame && source.repository !== target.repository ? source.repository : undefined;
}

async function* countBytes(
    content: AsyncIterable<Uint8Array>,
    count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
    for await (const part of content) {
        count(part.length);
        yield part;
    }
}
