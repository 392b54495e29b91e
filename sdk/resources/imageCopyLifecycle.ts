import { parseReference } from "../registry/reference";
import { findImageCopyProblems } from "../validation/imageCopy";
import { asReplacement, findInputChanges } from "./differences";
import { publishCopy, type ImageCopyInputs } from "./imageCopyPublish";
import { readImageCopy } from "./imageCopyRead";
import type { DiffAnswer, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { describeKnown, type Sources } from "./preview";
import { findSignatureChanges } from "./signatures";
import { defaultTags, describeTags, findMovedTags, taggedOutputs, untag } from "./tags";
import { withinTimeout } from "./timeout";
import { hasUnknown, unknownValue, type Properties } from "./values";

/** What each output follows from. */
const sources: Sources = {
    digest: ["source"],
    ref: ["source", "repository"],
    tagRefs: ["repository", "tags"],
    tagDigests: ["source", "tags"],
    platformDigests: ["source"],
    sourceDigest: ["source"],
};

/** A copy: everything arrives by digest, and only then the tags move. Nothing here ever deletes a manifest. */
export const imageCopyLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password"],
    outputsOf: taggedOutputs,

    check(inputs) {
        const added = inputs["tags"] === undefined ? { tags: [...defaultTags] } : {};
        return Promise.resolve({ problems: findImageCopyProblems(inputs), added });
    },

    diff(old, inputs): DiffAnswer {
        const replaced = asReplacement(findInputChanges(old.inputs, inputs, ["repository"]));
        const changes: Record<string, PropertyChange> = {
            ...findMovedSource(old.outputs),
            ...findInputChanges(old.inputs, inputs, ["source", "tags"]),
            ...findSignatureChanges(old, inputs),
            ...findMovedTags(old.outputs, inputs),
            ...replaced,
        };
        return { changed: Object.keys(changes).length > 0, changes, replaces: Object.keys(replaced) };
    },

    previewCreate: (inputs) => describe(inputs, {}),
    previewUpdate: (old, inputs) => describe(inputs, old.outputs),

    async create(inputs, context) {
        const copy = inputs as ImageCopyInputs;
        const outputs = await withinTimeout(context, (limited) => publishCopy(copy, undefined, limited));
        return { id: copy.repository, outputs };
    },

    update(old, inputs, context) {
        return withinTimeout(context, async (limited) => {
            const next = inputs as ImageCopyInputs;
            const outputs = await publishCopy(next, old, limited);
            const dropped = (old.inputs as ImageCopyInputs).tags.filter((tag) => !next.tags.includes(tag));
            await untag(next, dropped, String(old.outputs["digest"]), limited);
            return outputs;
        });
    },

    read: readImageCopy,

    delete({ inputs, outputs }, context) {
        // The copy stays whatever happens: deployments and people may use it.
        const copy = inputs as ImageCopyInputs;
        return withinTimeout(context, (limited) => untag(copy, copy.tags, String(outputs["digest"]), limited));
    },
};

/** What the copy will be. A digest is kept by copying, so it is known before; what a tag points to then is not. */
function describe(inputs: Properties, old: Properties): Properties {
    const digest = hasUnknown(inputs["source"]) ? undefined : parseReference(String(inputs["source"])).digest;
    const source = digest ?? unknownValue;
    const placeholders = { source: "", repository: "", tags: [] };
    const described = describeKnown(sources, { ...inputs, source }, placeholders, (known) => {
        const platformDigests = old["digest"] === digest ? old["platformDigests"] : unknownValue;
        const tagged = describeTags(String(known["repository"]), String(known["source"]), known["tags"] as string[]);
        return { ...tagged, platformDigests, sourceDigest: digest };
    });
    return inputs["verify"] === undefined ? described : { ...described, signature: unknownValue };
}

/** The tag that is copied points elsewhere than to the copy, as refresh found it. The next `up` copies again. */
function findMovedSource(outputs: Properties): Record<string, PropertyChange> {
    const seen = outputs["sourceDigest"];
    return seen === undefined || seen === outputs["digest"] ? {} : { source: "update" };
}
