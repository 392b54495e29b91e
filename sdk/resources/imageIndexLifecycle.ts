import { MultiArchError } from "../errors";
import { parsePlatform } from "../platform";
import type { RegistryClient } from "../registry/client";
import { isAttestation } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { verifyImage } from "../registry/verify";
import { findImageIndexProblems } from "../validation/imageIndex";
import { asReplacement, findInputChanges } from "./differences";
import type { DiffAnswer, OperationContext, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { createIndexOutputs, makeIndex, type ImageIndexInputs } from "./imageIndexInputs";
import { readImageIndex } from "./imageIndexRead";
import { toDescriptor } from "./manifest";
import { describeKnown, type Sources } from "./preview";
import { withRegistry } from "./registryAccess";
import { beforeWriting, defaultTags, findMovedTags, moveTags, readKnownTags, refuseTagConflicts, untag } from "./tags";
import { describeSignature, findSignatureChanges, signIndex, signSecrets, type State } from "./signatures";
import { withinTimeout } from "./timeout";
import type { Properties } from "./values";

/**
 * The index: all images are checked in the registry, the index is pushed by digest, and only then the tags move. Nothing
 * here ever deletes a manifest.
 */
export const imageIndexLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password", ...signSecrets],

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

    previewCreate: (inputs) => describe(inputs, undefined),
    previewUpdate: (old, inputs) => describe(inputs, old),

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

/** What the index will be. */
function describe(inputs: Properties, old: State | undefined): Properties {
    const placeholders = { repository: "", images: [], tags: [], annotations: {} };
    const create = (known: Properties): Properties => createIndexOutputs(known as ImageIndexInputs);
    const outputs = describeKnown(sources, inputs, placeholders, create);
    return { ...outputs, ...describeSignature(outputs["digest"], old, inputs) };
}

function publish(
    inputs: ImageIndexInputs,
    old: Properties | undefined,
    context: OperationContext,
): Promise<Properties> {
    return withRegistry(inputs, context, async (client, where) => {
        context.reporter.status(`checking ${inputs.images.length} images in ${inputs.repository}`);
        await verifyAll(client, where, inputs);
        const index = makeIndex(inputs);
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
        return { ...createIndexOutputs(inputs), ...signed };
    });
}

/** A tag must never point at less than everything: each image is looked at again, down to its layers. */
async function verifyAll(client: RegistryClient, where: Repository, inputs: ImageIndexInputs): Promise<void> {
    const results = await Promise.all(
        inputs.images.map(async ({ platform, digest, manifests }) => {
            const also = manifests.map(toDescriptor).filter(isAttestation);
            const options = { absentOn: [404], also } as const;
            const result = await verifyImage(client, where, digest, parsePlatform(platform), options);
            return result.complete ? [] : result.problems.map(({ text }) => `${platform}: ${text}`);
        }),
    );
    const missing = results.flat();
    if (missing.length > 0) {
        throw new MultiArchError("index-incomplete", {
            what: `${inputs.repository} does not have the images of all platforms, so no tag was moved`,
            lines: missing,
        });
    }
}
