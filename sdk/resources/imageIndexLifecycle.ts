import { findImageIndexProblems } from "../validation/imageIndex";
import { asReplacement, findInputChanges } from "./differences";
import type { DiffAnswer, OperationContext, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { createIndexOutputs, makeIndex, type ImageIndexInputs } from "./imageIndexInputs";
import { describeIndex } from "./imageIndexPreview";
import { readImageIndex } from "./imageIndexRead";
import { verifyAll } from "./imageIndexVerify";
import { withRegistry } from "./registryAccess";
import {
    beforeWriting,
    defaultTags,
    findMovedTags,
    moveTags,
    readKnownTags,
    refuseTagConflicts,
    taggedOutputs,
    untag,
} from "./tags";
import { findSignatureChanges, signIndex, signSecrets } from "./signatures";
import { withinTimeout } from "./timeout";
import type { Properties } from "./values";

/**
 * The index: all images are checked in the registry, the index is pushed by digest, and only then the tags move. Nothing
 * here ever deletes a manifest.
 */
export const imageIndexLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password", ...signSecrets],
    outputsOf: taggedOutputs,

    check(inputs) {
        const added = inputs["tags"] === undefined ? { tags: [...defaultTags] } : {};
        return Promise.resolve({ problems: findImageIndexProblems(inputs), added });
    },

    diff(old, inputs): DiffAnswer {
        const replaced = asReplacement(findInputChanges(old.inputs, inputs, ["repository"]));
        const changes: Record<string, PropertyChange> = {
            ...findInputChanges(old.inputs, inputs, ["images", "tags", "annotations"]),
            ...findSignatureChanges(old, inputs),
            ...findMovedTags(old.outputs, inputs),
            ...replaced,
        };
        return { changed: Object.keys(changes).length > 0, changes, replaces: Object.keys(replaced) };
    },

    previewCreate: (inputs) => describeIndex(inputs, undefined),
    previewUpdate: (old, inputs) => describeIndex(inputs, old),

    async create(inputs, context) {
        const index = inputs as ImageIndexInputs;
        const outputs = await withinTimeout(context, (limited) => publish(index, undefined, limited));
        return { id: index.repository, outputs };
    },

    update(old, inputs, context) {
        return withinTimeout(context, async (limited) => {
            const next = inputs as ImageIndexInputs;
            const outputs = await publish(next, old.outputs, limited);
            const dropped = (old.inputs as ImageIndexInputs).tags.filter((tag) => !next.tags.includes(tag));
            await untag(next, dropped, old.outputs["digest"] as string, limited);
            return outputs;
        });
    },

    read: readImageIndex,

    delete({ inputs, outputs }, context) {
        // The index stays whatever happens: other stacks, deployments and people may use it.
        const index = inputs as ImageIndexInputs;
        return withinTimeout(context, (limited) => untag(index, index.tags, outputs["digest"] as string, limited));
    },
};

function publish(
    inputs: ImageIndexInputs,
    old: Properties | undefined,
    context: OperationContext,
): Promise<Properties> {
    return withRegistry(inputs, context, async (client, where) => {
        context.reporter.status(`checking ${inputs.images.length} images in ${inputs.repository}`);
        const whole = await verifyAll(client, where, inputs);
        const index = makeIndex(whole);
        const { bytes, digest, mediaType } = index;
        if ((await client.headManifest({ ...where, digest }, beforeWriting)) === undefined) {
            context.reporter.status(`pushing index ${digest}`);
            await client.putManifest({ ...where, digest }, bytes, mediaType);
        }
        if (inputs.onTagConflict === "fail") {
            await refuseTagConflicts(client, where, inputs.tags, [digest, old?.["digest"] as string | undefined]);
        }
        const signed = await signIndex(client, where, inputs, { digest, mediaType, size: bytes.length }, context);
        await moveTags(client, where, inputs.tags, index, readKnownTags(old ?? {}), context);
        context.reporter.info(`${inputs.repository}@${digest} is complete, tagged ${inputs.tags.join(", ")}`);
        return { ...createIndexOutputs(whole), ...signed };
    });
}
