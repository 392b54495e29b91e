import { isDeepStrictEqual } from "node:util";

import { createIndexOutputs, lacksManifests, type ImageIndexInputs, type WholeIndexInputs } from "./imageIndexInputs";
import { describeKnown, type Sources } from "./preview";
import { describeSignature, type State } from "./signatures";
import { hasUnknown, unknownValue, type Properties } from "./values";

/** What each output follows from. The digest follows from the images, so it is known before anything is pushed. */
const sources: Sources = {
    digest: ["images", "annotations"],
    ref: ["repository", "images", "annotations"],
    tagRefs: ["repository", "tags"],
    tagDigests: ["tags", "images", "annotations"],
    platformDigests: ["images"],
    manifestDigests: ["images"],
    attestationDigests: ["images"],
};

/** What follows from the manifests themselves, beside the digests of the images. */
const ofManifests = ["digest", "ref", "tagDigests", "manifestDigests", "attestationDigests"];

/** What the index will be. `old` is what it was, where there is one. */
export function describeIndex(inputs: Properties, old: State | undefined): Properties {
    const outputs = { ...describeManifests(inputs), ...describeSame(inputs, old) };
    return { ...outputs, ...describeSignature(outputs["digest"], old, inputs) };
}

function describeManifests(inputs: Properties): Properties {
    const placeholders = { repository: "", images: [], tags: [], annotations: {} };
    const describe = (given: Properties): Properties => {
        return describeKnown(sources, given, placeholders, (known) => createIndexOutputs(known as WholeIndexInputs));
    };
    if (hasUnknown(inputs["images"]) || !lacksManifests(inputs as ImageIndexInputs)) {
        return describe(inputs);
    }
    const images = (inputs as ImageIndexInputs).images.map((image) => ({ manifests: [], ...image }));
    return {
        ...describe({ ...inputs, images }),
        ...Object.fromEntries(ofManifests.map((name) => [name, unknownValue])),
    };
}

/** The manifests of the same images are in the registry as they were: nothing under a digest ever changes. */
function describeSame(inputs: Properties, old: State | undefined): Properties {
    const same = ["repository", "images", "annotations"].every((name) => {
        return isDeepStrictEqual(old?.inputs[name], inputs[name]);
    });
    if (old === undefined || !same || hasUnknown(inputs["images"]) || !lacksManifests(inputs as ImageIndexInputs)) {
        return {};
    }
    const { digest, ref, manifestDigests, attestationDigests } = old.outputs;
    const tags = inputs["tags"] as ImageIndexInputs["tags"];
    const moved = hasUnknown(tags) ? {} : { tagDigests: Object.fromEntries(tags.map((tag) => [tag, digest])) };
    return { digest, ref, manifestDigests, attestationDigests, ...moved };
}
