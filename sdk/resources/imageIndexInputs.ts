import type * as pulumi from "@pulumi/pulumi";

import { buildIndex, type Descriptor } from "../registry/manifests";
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
        ...describeTags(repository, buildIndex(listManifests(inputs)).digest, tags),
        platformDigests: Object.fromEntries(images.map((image) => [image.platform, image.digest])),
        manifestDigests: Object.fromEntries(
            images.flatMap(({ platform, manifests }) => manifests.slice(0, 1).map(({ digest }) => [platform, digest])),
        ),
    };
}

/** What the index lists, in order. */
export function listManifests(inputs: ImageIndexInputs): Descriptor[] {
    return inputs.images.flatMap(({ manifests }) => manifests.map(toDescriptor));
}
