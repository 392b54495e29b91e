import type { Deletion } from "../args";
import { MultiArchError } from "../errors";
import type { HeadOptions, RegistryClient } from "../registry/client";
import type { MadeManifest } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import type { OperationContext, PropertyChange, Reporter } from "./lifecycle";
import { withRegistry } from "./registryAccess";
import type { Properties } from "./values";

/** What each tag points to, by tag. A tag that is not there points to the empty text. */
export type TagDigests = Readonly<Record<string, string>>;

/** For what is written next anyway: a registry that does not say whether it is there shows by taking it. */
export const beforeWriting: HeadOptions = { absentOn: [403, 404] };

/** For what is not written blindly: what cannot be read may belong to somebody, but the body of a 404 is optional. */
const bareAbsence: HeadOptions = { absentOn: [404] };

/** The tags of a resource that names none. */
export const defaultTags: readonly string[] = ["latest"];

/** The outputs that follow from where something is, its digest and its tags. */
export function describeTags(repository: string, digest: string, tags: readonly string[]): Properties {
    return {
        digest,
        ref: `${repository}@${digest}`,
        tagRefs: tags.map((tag) => `${repository}:${tag}`),
        tagDigests: Object.fromEntries(tags.map((tag) => [tag, digest])),
    };
}

/** The outputs above by the inputs that can be read in them. */
export const taggedOutputs: Readonly<Record<string, readonly string[]>> = {
    repository: ["ref", "tagRefs"],
    tags: ["tagRefs", "tagDigests"],
};

/** What the state says of the tags: where they pointed when the registry was last looked at. */
export function readKnownTags(outputs: Properties): TagDigests {
    return (outputs["tagDigests"] ?? {}) as TagDigests;
}

/**
 * Points tags to a manifest, one after the other. The manifest has to be complete in the registry by now. Says so when a
 * tag is taken from somebody who moved it since the registry was last looked at (`known`).
 */
export async function moveTags(
    client: Pick<RegistryClient, "headManifest" | "putManifest">,
    where: Repository,
    tags: readonly string[],
    { bytes, digest, mediaType }: MadeManifest,
    known: TagDigests,
    { reporter }: Pick<OperationContext, "reporter">,
): Promise<void> {
    for (const tag of tags) {
        // An immutable tag refuses even a push of what it points to already.
        const current = (await client.headManifest({ ...where, tag }, beforeWriting))?.digest;
        if (current === digest) {
            continue;
        }
        if (current !== undefined && known[tag] !== undefined && known[tag] !== current) {
            reporter.warn(`the tag ${tag} was moved to ${current} by somebody else. It moves to ${digest} now.`);
        }
        reporter.status(`moving tag ${tag}`);
        await client.putManifest({ ...where, tag }, bytes, mediaType);
    }
}

/**
 * Stops before any tag is moved when one points to something that is neither the new digest nor the one this stack put
 * there before. Throws a MultiArchError `tag-conflict` that names all such tags.
 */
export async function refuseTagConflicts(
    client: Pick<RegistryClient, "headManifest">,
    where: Repository,
    tags: readonly string[],
    ours: readonly (string | undefined)[],
): Promise<void> {
    const found = Object.entries(await lookAtTags(client, where, tags, bareAbsence));
    const foreign = found.filter(([, digest]) => digest !== "" && !ours.includes(digest));
    if (foreign.length > 0) {
        throw new MultiArchError("tag-conflict", {
            what: `no tag of ${where.registry}/${where.repository} was moved: somebody else has moved some of them`,
            property: "onTagConflict",
            lines: foreign.map(([tag, digest]) => `${tag} points to ${digest}`),
        });
    }
}

/** Removes tags that are no longer wanted, where the program says so. */
export async function untag(
    target: Parameters<typeof withRegistry>[0] & { readonly deletion?: Deletion },
    tags: readonly string[],
    digest: string,
    context: OperationContext,
): Promise<void> {
    if (target.deletion === "untag" && tags.length > 0) {
        await withRegistry(target, context, (client, where) => removeTags(client, where, tags, digest, context));
    }
}

/**
 * Removes tags that still point to a digest, and leaves all others. What they point to stays: should a registry take it
 * along with its last tag, it is written back.
 */
async function removeTags(
    client: Pick<RegistryClient, "headManifest" | "getManifest" | "putManifest" | "deleteTag">,
    where: Repository,
    tags: readonly string[],
    digest: string,
    { reporter }: Pick<OperationContext, "reporter">,
): Promise<void> {
    const found = await lookAtTags(client, where, tags, bareAbsence);
    const ours = tags.filter((tag) => found[tag] === digest);
    for (const tag of tags.filter((name) => found[name] !== digest && found[name] !== "")) {
        reporter.info(`the tag ${tag} points elsewhere by now, and stays`);
    }
    if (ours.length === 0) {
        return;
    }
    const { bytes, descriptor } = await client.getManifest({ ...where, digest });
    for (const tag of ours) {
        if (!(await client.deleteTag(where, tag))) {
            reporter.warn(`${where.registry} cannot remove a tag and leave its image, so the tag ${tag} stays`);
        }
    }
    if ((await client.headManifest({ ...where, digest }, beforeWriting)) === undefined) {
        await client.putManifest({ ...where, digest }, bytes, descriptor.mediaType);
    }
}

/** What tags point to now. `options` say what counts as a tag that is not there. */
export async function lookAtTags(
    client: Pick<RegistryClient, "headManifest">,
    where: Repository,
    tags: readonly string[],
    options: HeadOptions = {},
): Promise<TagDigests> {
    const found = await Promise.all(
        tags.map(async (tag) => [tag, (await client.headManifest({ ...where, tag }, options))?.digest ?? ""]),
    );
    return Object.fromEntries(found) as TagDigests;
}

/** Tells the user which tags no longer point to the digest, and that the next `up` repairs them. */
export function warnOfMovedTags(found: TagDigests, digest: string, reporter: Reporter): void {
    for (const [tag, current] of Object.entries(found).filter(([, current]) => current !== digest)) {
        reporter.warn(
            current === ""
                ? `the tag ${tag} is gone. The next up sets it again.`
                : `the tag ${tag} points to ${current} now. The next up moves it back to ${digest}.`,
        );
    }
}

/** The tags that point elsewhere, as refresh found them, as changes of the input `tags`. The next `up` moves them. */
export function findMovedTags(outputs: Properties, inputs: Properties): Record<string, PropertyChange> {
    const tags = Array.isArray(inputs["tags"]) ? (inputs["tags"] as unknown[]) : [];
    const known = readKnownTags(outputs);
    const moved = tags.flatMap((tag, position): [string, PropertyChange][] => {
        const digest = typeof tag === "string" ? known[tag] : undefined;
        return digest === undefined || digest === outputs["digest"] ? [] : [[`tags[${position}]`, "update"]];
    });
    return Object.fromEntries(moved);
}
