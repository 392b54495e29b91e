import { parseReference } from "../registry/reference";
import { findImageCopyProblems } from "../validation/imageCopy";
import { asReplacement, findInputChanges } from "./differences";
import { publishCopy, type ImageCopyInputs } from "./imageCopyPublish";
import { readImageCopy } from "./imageCopyRead";
import type { DiffAnswer, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { defaultTags, describeTags, findMovedTags, untag } from "./tags";
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

    async update(old, inputs, context) {
        const next = inputs as ImageCopyInputs;
        const outputs = await publishCopy(next, old, context);
        const dropped = (old.inputs as ImageCopyInputs).tags.filter((tag) => !next.tags.includes(tag));
        await untag(next, dropped, String(old.outputs["digest"]), context);
        return outputs;
    },

    read: readImageCopy,

    async delete({ inputs, outputs }, context) {
        // The copy stays whatever happens: deployments and people may use it.
        const copy = inputs as ImageCopyInputs;
        await untag(copy, copy.tags, String(outputs["digest"]), context);
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
