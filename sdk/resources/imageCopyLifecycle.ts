import { parseReference } from "../registry/reference";
import { findImageCopyProblems } from "../validation/imageCopy";
import { asReplacement, findInputChanges } from "./differences";
import { publishCopy, type ImageCopyInputs } from "./imageCopyPublish";
import { readImageCopy } from "./imageCopyRead";
import type { DiffAnswer, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { defaultTags, describeTags, findMovedTags } from "./tags";
import { hasUnknown, unknownValue, type Properties } from "./values";

const outputNames = ["digest", "ref", "tagRefs", "tagDigests", "platformDigests", "sourceDigest"];

/** A copy: everything arrives by digest, and only then the tags move. Nothing here ever deletes a manifest. */
export const imageCopyLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password"],

    check(inputs) {
        const added = inputs["tags"] === undefined ? { tags: [...defaultTags] } : {};
        return Promise.resolve({ problems: findImageCopyProblems(inputs), added });
    },

    diff(old, inputs): DiffAnswer {
        const replaced = asReplacement(findInputChanges(old.inputs, inputs, ["repository"]));
        const changes: Record<string, PropertyChange> = {
            ...findMovedSource(old.outputs),
            ...findInputChanges(old.inputs, inputs, ["source", "tags"]),
            ...findMovedTags(old.outputs, inputs),
            ...replaced,
        };
        return { changed: Object.keys(changes).length > 0, changes, replaces: Object.keys(replaced) };
    },

    previewCreate: (inputs) => describe(inputs, {}),
    previewUpdate: (old, inputs) => describe(inputs, old.outputs),

    async create(inputs, context) {
        const copy = inputs as ImageCopyInputs;
        return { id: copy.repository, outputs: await publishCopy(copy, undefined, context) };
    },

    update: (old, inputs, context) => publishCopy(inputs as ImageCopyInputs, old, context),

    read: readImageCopy,

    delete() {
        // The copy and its tags stay: deployments and people may use them.
        return Promise.resolve();
    },
};

/** What the copy will be. A digest is kept by copying, so it is known before; what a tag points to then is not. */
function describe(inputs: Properties, old: Properties): Properties {
    const unknown = Object.fromEntries(outputNames.map((name) => [name, unknownValue]));
    if (["source", "repository", "tags"].some((name) => hasUnknown(inputs[name]))) {
        return unknown;
    }
    const { source, repository, tags } = inputs as ImageCopyInputs;
    const { digest } = parseReference(source);
    if (digest === undefined) {
        return unknown;
    }
    const platformDigests = old["digest"] === digest ? old["platformDigests"] : unknownValue;
    return { ...describeTags(repository, digest, tags), platformDigests, sourceDigest: digest };
}

/** The tag that is copied points elsewhere than to the copy, as refresh found it. The next `up` copies again. */
function findMovedSource(outputs: Properties): Record<string, PropertyChange> {
    const seen = outputs["sourceDigest"];
    return seen === undefined || seen === outputs["digest"] ? {} : { source: "update" };
}
