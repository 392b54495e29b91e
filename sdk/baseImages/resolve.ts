import { type ErrorCode, MultiArchError } from "../errors";
import type { RegistryClient } from "../registry/client";
import { type Descriptor, isIndex } from "../registry/manifests";
import { parseReference, type Reference } from "../registry/reference";
import type { BaseImage } from "./dockerfile";
import { chooseManifest } from "./platformChoice";

/** A base image, and what its reference points to now. */
export interface ResolvedBaseImage extends BaseImage {
    /**
     * The digest of the manifest for the platform, so that a base image that is new only for another platform does not
     * count. It is that of the whole index where the index holds nothing for the platform; the build says so then. For
     * a reference with a digest it is that digest.
     */
    readonly digest: string;
}

type Reader = Pick<RegistryClient, "headManifest" | "getManifest">;

const mostAtOnce = 4;

// What an index holds never changes for its digest, and some registries count how often one is read. All platforms of
// an image, and all images of a program, ask for the same few.
const indexes = new Map<string, readonly Descriptor[]>();
const mostIndexes = 200;

/**
 * Asks the registries what base images point to now. Each reference is asked for once, and one with a digest not at
 * all.
 *
 * Throws the MultiArchError of the first image that cannot be read, with the image in its text.
 */
export async function resolveBaseImages(images: readonly BaseImage[], client: Reader): Promise<ResolvedBaseImage[]> {
    const refs = [...new Set(images.map(({ ref }) => ref))];
    const found = new Map<string, FoundImage | MultiArchError>();
    const waiting = [...refs];
    const work = async (): Promise<void> => {
        for (let ref = waiting.shift(); ref !== undefined; ref = waiting.shift()) {
            found.set(ref, await findImage(ref, client));
        }
    };
    await Promise.all(Array.from({ length: mostAtOnce }, work));
    return images.map((image) => {
        const one = found.get(image.ref);
        if (!one || one instanceof MultiArchError) {
            throw one ?? new TypeError(`${image.ref} was not looked for`);
        }
        const digest = chooseManifest(one.manifests, image.platform)?.digest ?? one.digest;
        return { ...image, digest };
    });
}

interface FoundImage {
    readonly digest: string;
    /** Those of an index. */
    readonly manifests: readonly Descriptor[];
}

async function findImage(ref: string, client: Reader): Promise<FoundImage | MultiArchError> {
    try {
        const reference = parseReference(ref);
        return reference.digest === undefined
            ? await readImage(reference, client)
            : { digest: reference.digest, manifests: [] };
    } catch (error) {
        if (error instanceof MultiArchError) {
            return describe(error, ref);
        }
        throw error;
    }
}

async function readImage(reference: Reference, client: Reader): Promise<FoundImage> {
    const { registry, repository } = reference;
    const head = await client.headManifest(reference);
    if (!head) {
        throw new MultiArchError("registry-not-found", { what: "the registry says that there is no such image" });
    }
    const { digest } = head;
    const known = isIndex(head.mediaType) ? indexes.get(digest) : [];
    if (known) {
        return { digest, manifests: known };
    }
    const { manifest } = await client.getManifest({ registry, repository, digest });
    const manifests = manifest.kind === "index" ? manifest.manifests : [];
    if (indexes.size >= mostIndexes) {
        indexes.clear();
    }
    indexes.set(digest, manifests);
    return { digest, manifests };
}

// The table of errors speaks of the repository that is pushed to.
const nextSteps: Partial<Record<ErrorCode, string>> = {
    "registry-not-found": "Check the name and tag of the image in the Dockerfile.",
    "registry-reference": "Check the name of the image in the Dockerfile.",
    "registry-forbidden": "Give this account the right to pull the image.",
};

function describe(error: MultiArchError, ref: string): MultiArchError {
    const { what, next = nextSteps[error.code] } = error.fields;
    return error.with({ what: `the base image ${ref} cannot be read: ${what}`, next });
}
