import type * as pulumi from "@pulumi/pulumi";

import { buildIndex, type Descriptor, type MadeManifest } from "../registry/manifests";
import type { ImageIndexArgs } from "./imageIndex";
import { toDescriptor } from "./manifest";
import { describeTags } from "./tags";
import type { Properties } from "./values";

/** The inputs of an `ImageIndex` as they are in the state: plain, and with the tag that `check` adds. */
export type ImageIndexInputs = pulumi.Unwrap<ImageIndexArgs> & { readonly tags: string[] };

/** The outputs of an index that is whole. */
export function createIndexOutputs(inputs: ImageIndexInputs): Properties {
    const { repository, tags, images } = inputs;
    return {
        ...describeTags(repository, makeIndex(inputs).digest, tags),
        platformDigests: Object.fromEntries(images.map((image) => [image.platform, image.digest])),
        manifestDigests: Object.fromEntries(
            images.flatMap(({ platform, manifests }) => manifests.slice(0, 1).map(({ digest }) => [platform, digest])),
        ),
    };
}

/** The index itself. Its bytes follow from the inputs alone. */
export function makeIndex({ images, annotations = {} }: ImageIndexInputs): MadeManifest {
    return buildIndex(images.flatMap(listManifests), annotations);
}

/** What the index lists for one platform. Notes are on the entry of the image, not on those of its attestations. */
function listManifests({ manifests, annotations }: ImageIndexInputs["images"][number]): Descriptor[] {
    return manifests.map(toDescriptor).map((descriptor, position) => {
        const notes = { ...descriptor.annotations, ...annotations };
        return position > 0 || Object.keys(notes).length === 0 ? descriptor : { ...descriptor, annotations: notes };
    });
}
