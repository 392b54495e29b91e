import { MultiArchError } from "../errors";
import type { RegistryClient } from "../registry/client";
import { parseReference, type Repository } from "../registry/reference";
import { findPresence, listPlatforms } from "../registry/tree";
import type { ImageCopyInputs } from "./imageCopyPublish";
import type { OperationContext, Reporter, ResourceState } from "./lifecycle";
import { readOrKeep, withImported, withRegistry } from "./registryAccess";
import { lookAtSignature } from "./signatures";
import { defaultTags, describeTags, lookAtTags, warnOfMovedTags } from "./tags";
import type { Properties } from "./values";

interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/**
 * Looks the copy, its tags and its source up. A copy that is lost, or lacks a manifest, a configuration or a layer, is taken out of the state, so
 * that the next `up` copies what is missing. A source that is gone says nothing about the copy.
 */
export function readImageCopy(id: string, state: State, context: OperationContext): Promise<ResourceState | undefined> {
    if (state.inputs["repository"] === undefined || state.outputs["digest"] === undefined) {
        return importCopy(id, context);
    }
    return readOrKeep({ id, outputs: state.outputs }, context, () => look(id, state, context));
}

async function look(id: string, state: State, context: OperationContext): Promise<ResourceState | undefined> {
    const inputs = state.inputs as ImageCopyInputs;
    const digest = String(state.outputs["digest"]);
    return withRegistry(inputs, context, async (client, where) => {
        const problem = await findProblem(client, where, digest);
        if (problem !== undefined) {
            context.reporter.warn(`${inputs.repository}@${digest} ${problem}. The next up copies what is missing.`);
            return undefined;
        }
        const tagDigests = await lookAtTags(client, where, inputs.tags);
        warnOfMovedTags(tagDigests, digest, context.reporter);
        const sourceDigest = await lookAtSource(client, inputs.source, digest, context.reporter);
        const signed = await lookAtSignature(client, where, digest, state.outputs, context.reporter);
        return { id, outputs: { ...state.outputs, tagDigests, sourceDigest, ...signed } };
    });
}

async function findProblem(client: RegistryClient, where: Repository, digest: string): Promise<string | undefined> {
    const { root, missing } = await findPresence(client, where, digest);
    if (root === undefined) {
        return "is lost";
    }
    return missing.length === 0 ? undefined : `lacks ${missing.join(", ")}`;
}

/** What the source points to now; what was copied when that cannot be told. */
async function lookAtSource(
    client: RegistryClient,
    source: string,
    copied: string,
    reporter: Reporter,
): Promise<string> {
    const reference = parseReference(source);
    if (reference.digest !== undefined) {
        return copied;
    }
    try {
        const current = (await client.headManifest(reference))?.digest ?? copied;
        if (current !== copied) {
            reporter.info(`${source} points to ${current} now. The next up copies it.`);
        }
        return current;
    } catch (error) {
        if (error instanceof MultiArchError && error.code !== "build-cancelled") {
            reporter.warn(`it is not known whether the source has moved: ${error.message}`);
            return copied;
        }
        throw error;
    }
}

/** Takes a copy into the state that something else has made: its id is `repository:tag` or `repository@digest`. */
async function importCopy(id: string, context: OperationContext): Promise<ResourceState | undefined> {
    return withImported(id, context, async (client, where, { repository, tag, digest }) => {
        const tags = tag === undefined ? defaultTags : [tag];
        const platformDigests = await listPlatforms(client, where, await client.getManifest({ ...where, digest }));
        const tagDigests = await lookAtTags(client, where, tags);
        const outputs = {
            ...describeTags(repository, digest, tags),
            platformDigests,
            sourceDigest: digest,
            tagDigests,
        };
        return { id: repository, inputs: { source: `${repository}@${digest}`, repository, tags }, outputs };
    });
}
