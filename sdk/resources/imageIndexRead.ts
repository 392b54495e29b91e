import { MultiArchError } from "../errors";
import { formatPlatform } from "../platform";
import { isAbout, isAttestation, type Descriptor } from "../registry/manifests";
import { createIndexOutputs, lacksManifests, type ImageIndexInputs, type WholeIndexInputs } from "./imageIndexInputs";
import type { OperationContext, ResourceState } from "./lifecycle";
import { fromDescriptor } from "./manifest";
import { findManifests } from "./imageIndexVerify";
import { readOrKeep, withImported, withRegistry } from "./registryAccess";
import { lookAtSignature } from "./signatures";
import { lookAtTags, warnOfMovedTags } from "./tags";
import type { Properties } from "./values";

interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/**
 * Looks the index and its tags up. A lost index is taken out of the state, so that the next `up` pushes it again; a tag
 * that was moved or is gone is noted, and the next `up` moves it.
 */
export function readImageIndex(
    id: string,
    state: State,
    context: OperationContext,
): Promise<ResourceState | undefined> {
    if (state.inputs["repository"] === undefined || state.outputs["digest"] === undefined) {
        return importIndex(id, context);
    }
    return readOrKeep({ id, outputs: state.outputs }, context, () => look(id, state, context));
}

async function look(id: string, state: State, context: OperationContext): Promise<ResourceState | undefined> {
    const inputs = state.inputs as ImageIndexInputs;
    const digest = String(state.outputs["digest"]);
    const found = await withRegistry(inputs, context, async (client, where) => {
        if ((await client.headManifest({ ...where, digest })) === undefined) {
            return undefined;
        }
        // What has made these images does not look after them. Nobody else would see that one is lost.
        const { missing } = lacksManifests(inputs) ? await findManifests(client, where, inputs) : { missing: [] };
        missing.forEach((text) => context.reporter.warn(text));
        if (missing.length > 0) {
            return undefined;
        }
        const signed = await lookAtSignature(client, where, digest, state.outputs, context.reporter);
        return { tagDigests: await lookAtTags(client, where, inputs.tags), ...signed };
    });
    if (found === undefined) {
        const what = `${inputs.repository}@${digest} is lost, or an image of it`;
        context.reporter.warn(`${what}. The next up pushes the index again.`);
        return undefined;
    }
    warnOfMovedTags(found.tagDigests, digest, context.reporter);
    return { id, outputs: { ...state.outputs, ...found } };
}

/** Takes an index into the state that something else has made: its id is `repository:tag` or `repository@digest`. */
async function importIndex(id: string, context: OperationContext): Promise<ResourceState | undefined> {
    return withImported(id, context, async (client, where, { repository, tag, digest }) => {
        const { manifest } = await client.getManifest({ ...where, digest });
        if (manifest.kind !== "index") {
            throw new MultiArchError("import-not-index", { what: `${id} is not an index` });
        }
        const tags = tag === undefined ? [] : [tag];
        const inputs = { repository, tags, images: listImages(manifest.manifests), ...annotationsOf(manifest) };
        // What is there stays the truth until the next up, also when this package would write the index otherwise.
        const outputs = { ...createIndexOutputs(inputs), digest, ref: `${repository}@${digest}` };
        const tagDigests = Object.fromEntries(tags.map((tag) => [tag, digest]));
        return { id: repository, inputs, outputs: { ...outputs, tagDigests } };
    });
}

/** The images that an index lists, each with the attestations about it. */
export function listImages(manifests: readonly Descriptor[]): WholeIndexInputs["images"] {
    const attestations = manifests.filter(isAttestation);
    return manifests.filter((entry) => !isAttestation(entry)).map((image) => describeImage(image, attestations));
}

function describeImage(descriptor: Descriptor, attestations: readonly Descriptor[]) {
    const { os = "", architecture = "", variant } = descriptor.platform ?? {};
    const platform = formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
    const own = attestations.filter((attestation) => isAbout(attestation, descriptor.digest));
    // What the index says about the image is an input of its own.
    const { annotations: _annotations, ...image } = descriptor;
    const manifests = [image, ...own].map(fromDescriptor);
    return { platform, digest: descriptor.digest, manifests, ...annotationsOf(descriptor) };
}

function annotationsOf({ annotations = {} }: Pick<Descriptor, "annotations">) {
    return Object.keys(annotations).length > 0 ? { annotations } : {};
}
