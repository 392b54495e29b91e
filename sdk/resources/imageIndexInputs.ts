import type * as pulumi from "@pulumi/pulumi";

import { buildIndex, isAttestation, type Descriptor, type MadeManifest } from "../registry/manifests";
import type { ImageIndexArgs } from "./imageIndex";
import { toDescriptor } from "./manifest";
import { describeTags } from "./tags";
import type { Properties } from "./values";

/** The inputs of an `ImageIndex` as they are in the state: plain, and with the tag that `check` adds. */
export type ImageIndexInputs = pulumi.Unwrap<ImageIndexArgs> & { readonly tags: string[] };

/** The same with the manifests of every image, those of the registry included. */
export type WholeIndexInputs = Omit<ImageIndexInputs, "images"> & { readonly images: WholeIndexedImage[] };

type IndexedImage = ImageIndexInputs["images"][number];
type WholeIndexedImage = Omit<IndexedImage, "manifests"> & Required<Pick<IndexedImage, "manifests">>;

/** True when only the registry knows what the index is to list. */
export function lacksManifests({ images }: Pick<ImageIndexInputs, "images">): boolean {
    return images.some(({ manifests }) => manifests === undefined);
}

/** The outputs of an index that is whole. */
export function createIndexOutputs(inputs: WholeIndexInputs): Properties {
    const { repository, tags, images } = inputs;
    return {
        ...describeTags(repository, makeIndex(inputs).digest, tags),
        platformDigests: Object.fromEntries(images.map((image) => [image.platform, image.digest])),
        manifestDigests: byPlatform(images, (manifests) => manifests.find((entry) => !isAttestation(entry))?.digest),
        attestationDigests: byPlatform(images, (manifests) => {
            const attestations = manifests.filter(isAttestation).map(({ digest }) => digest);
            return attestations.length === 0 ? undefined : attestations;
        }),
    };
}

/** Something of each platform that has it, by platform. */
function byPlatform<T>(
    images: readonly WholeIndexedImage[],
    select: (manifests: Descriptor[]) => T | undefined,
): Record<string, T> {
    return Object.fromEntries(
        images.flatMap(({ platform, manifests }): [string, T][] => {
            const selected = select(manifests.map(toDescriptor));
            return selected === undefined ? [] : [[platform, selected]];
        }),
    );
}

/** The index itself. Its bytes follow from the inputs alone. */
export function makeIndex({ images, annotations = {} }: WholeIndexInputs): MadeManifest {
    return buildIndex(images.flatMap(listManifests), annotations);
}

/** What the index lists for one platform. Notes are on the entry of the image, not on those of its attestations. */
function listManifests({ manifests, annotations }: WholeIndexedImage): Descriptor[] {
    return manifests.map(toDescriptor).map((descriptor) => {
        const notes = { ...descriptor.annotations, ...annotations };
        const isBare = isAttestation(descriptor) || Object.keys(notes).length === 0;
        return isBare ? descriptor : { ...descriptor, annotations: notes };
    });
}
