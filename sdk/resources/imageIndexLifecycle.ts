import type * as pulumi from "@pulumi/pulumi";

import { MultiArchError } from "../errors";
import { parsePlatform } from "../platform";
import type { RegistryClient } from "../registry/client";
import { buildIndex, type Descriptor } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { verifyImage } from "../registry/verify";
import { findImageIndexProblems } from "../validation/imageIndex";
import { asReplacement, findInputChanges } from "./differences";
import type { ImageIndexArgs } from "./imageIndex";
import type { DiffAnswer, OperationContext, PropertyChange, ResourceLifecycle } from "./lifecycle";
import { toDescriptor } from "./manifest";
import { readOrKeep, withRegistry } from "./registryAccess";
import { hasUnknown, unknownValue, type Properties } from "./values";

type Inputs = pulumi.Unwrap<ImageIndexArgs> & { tags: string[] };

interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/**
 * The index: all images are checked in the registry, the index is pushed by digest, and only then the tags move. Nothing
 * here ever deletes a manifest.
 */
export const imageIndexLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password"],

    check(inputs) {
        const added = inputs["tags"] === undefined ? { tags: ["latest"] } : {};
        return Promise.resolve({ problems: findImageIndexProblems(inputs), added });
    },

    diff(old, inputs): DiffAnswer {
        const replaced = asReplacement(findInputChanges(old.inputs, inputs, ["repository"]));
        const changes: Record<string, PropertyChange> = {
            ...findInputChanges(old.inputs, inputs, ["images", "tags"]),
            ...findMovedTags(old.outputs, inputs),
            ...replaced,
        };
        return { changed: Object.keys(changes).length > 0, changes, replaces: Object.keys(replaced) };
    },

    previewCreate: (inputs) => describe(inputs),
    previewUpdate: (_old, inputs) => describe(inputs),

    async create(inputs, context) {
        const index = inputs as Inputs;
        return { id: index.repository, outputs: await publish(index, context) };
    },

    update: (_old, inputs, context) => publish(inputs as Inputs, context),

    read: (id, state, context) => readOrKeep({ id, outputs: state.outputs }, context, () => look(id, state, context)),

    delete() {
        // Index and tags stay: other stacks, deployments and people may use them.
        return Promise.resolve();
    },
};

/** What the index will be. The digest follows from the images, so it is known before anything is pushed. */
function describe(inputs: Properties): Properties {
    const names = ["digest", "ref", "tagRefs", "tagDigests", "platformDigests", "manifestDigests"];
    if (hasUnknown(inputs["images"]) || hasUnknown(inputs["repository"]) || hasUnknown(inputs["tags"])) {
        return Object.fromEntries(names.map((name) => [name, unknownValue]));
    }
    return createOutputs(inputs as Inputs);
}

function createOutputs(inputs: Inputs): Properties {
    const { repository, tags, images } = inputs;
    const { digest } = buildIndex(listManifests(inputs));
    return {
        digest,
        ref: `${repository}@${digest}`,
        tagRefs: tags.map((tag) => `${repository}:${tag}`),
        tagDigests: Object.fromEntries(tags.map((tag) => [tag, digest])),
        platformDigests: Object.fromEntries(images.map((image) => [image.platform, image.digest])),
        manifestDigests: Object.fromEntries(
            images.flatMap(({ platform, manifests }) => manifests.slice(0, 1).map(({ digest }) => [platform, digest])),
        ),
    };
}

function listManifests(inputs: Inputs): Descriptor[] {
    return inputs.images.flatMap(({ manifests }) => manifests.map(toDescriptor));
}

/** A tag that points elsewhere than to the index, as refresh found it. The next `up` moves it back. */
function findMovedTags(outputs: Properties, inputs: Properties): Record<string, PropertyChange> {
    const tags = Array.isArray(inputs["tags"]) ? (inputs["tags"] as unknown[]) : [];
    const seen = (outputs["tagDigests"] ?? {}) as Record<string, string>;
    const moved = tags.flatMap((tag, position): [string, PropertyChange][] => {
        const digest = typeof tag === "string" ? seen[tag] : undefined;
        return digest === undefined || digest === outputs["digest"] ? [] : [[`tags[${position}]`, "update"]];
    });
    return Object.fromEntries(moved);
}

function publish(inputs: Inputs, context: OperationContext): Promise<Properties> {
    return withRegistry(inputs, context, async (client, where) => {
        context.reporter.status(`checking ${inputs.images.length} images in ${inputs.repository}`);
        await verifyAll(client, where, inputs);
        const { bytes, digest, mediaType } = buildIndex(listManifests(inputs));
        if ((await client.headManifest({ ...where, digest })) === undefined) {
            context.reporter.status(`pushing index ${digest}`);
            await client.putManifest({ ...where, digest }, bytes, mediaType);
        }
        for (const tag of inputs.tags) {
            // An immutable tag refuses even a push of what it points to already.
            const current = await client.headManifest({ ...where, tag });
            if (current?.digest !== digest) {
                context.reporter.status(`moving tag ${tag}`);
                await client.putManifest({ ...where, tag }, bytes, mediaType);
            }
        }
        context.reporter.info(`${inputs.repository}@${digest} is complete, tagged ${inputs.tags.join(", ")}`);
        return createOutputs(inputs);
    });
}

/** A tag must never point at less than everything: each image is looked at again, down to its layers. */
async function verifyAll(client: RegistryClient, where: Repository, inputs: Inputs): Promise<void> {
    const results = await Promise.all(
        inputs.images.map(async ({ platform, digest }) => {
            const result = await verifyImage(client, where, digest, parsePlatform(platform));
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

/** The state as the registry has it. */
async function look(id: string, state: State, context: OperationContext) {
    const inputs = state.inputs as Inputs;
    const digest = String(state.outputs["digest"]);
    const tagDigests = await withRegistry(inputs, context, async (client, where) => {
        if ((await client.headManifest({ ...where, digest })) === undefined) {
            return undefined;
        }
        const found = await Promise.all(
            inputs.tags.map(async (tag) => [tag, (await client.headManifest({ ...where, tag }))?.digest ?? ""]),
        );
        return Object.fromEntries(found) as Record<string, string>;
    });
    if (tagDigests === undefined) {
        context.reporter.warn(`${inputs.repository}@${digest} is lost. The next up pushes the index again.`);
        return undefined;
    }
    for (const [tag, current] of Object.entries(tagDigests).filter(([, current]) => current !== digest)) {
        context.reporter.warn(
            current === ""
                ? `the tag ${tag} is gone. The next up sets it again.`
                : `the tag ${tag} points to ${current} now. The next up moves it back to ${digest}.`,
        );
    }
    return { id, outputs: { ...state.outputs, tagDigests } };
}
