import { formatReference, parseRepository } from "../registry/reference";
import type { InputProblem, OperationContext, ResourceLifecycle } from "./lifecycle";
import { unknownValue, type Properties } from "./values";

/** Which resource moves which tag, by the tag's full reference: what one operation of the engine has seen. */
export type TagOwners = Map<string, string>;

/**
 * Refuses a tag that two resources of a program would both move: the one that comes last would have it, and the next
 * `up` would move it again. Nor is a tag removed that the program still wants: under another name a resource is a new
 * one, and a replaced one is deleted after the new one is there, which has the same digest. Resources of other stacks
 * are not known here; `onTagConflict` is for them.
 */
export function withOwnTags(lifecycle: ResourceLifecycle, owners: TagOwners): ResourceLifecycle {
    return {
        ...lifecycle,
        async check(inputs, old, context) {
            const answer = await lifecycle.check(inputs, old, context);
            if (answer.problems.length > 0) {
                return answer;
            }
            return { ...answer, problems: claimTags({ ...inputs, ...answer.added }, context.urn, owners) };
        },
        update(old, inputs, context) {
            const { repository, tags } = inputs as { readonly repository: string; readonly tags: readonly string[] };
            const own = new Set(tags.map((tag) => referTo(repository, tag)));
            return lifecycle.update(
                { ...old, inputs: withoutClaimed(old.inputs, owners, context, own) },
                inputs,
                context,
            );
        },
        delete({ inputs, outputs }, context) {
            return lifecycle.delete({ inputs: withoutClaimed(inputs, owners, context), outputs }, context);
        },
    };
}

function claimTags({ repository, tags }: Properties, urn: string, owners: TagOwners): InputProblem[] {
    if (typeof repository !== "string" || repository === unknownValue || !Array.isArray(tags)) {
        return [];
    }
    return (tags as string[]).flatMap((tag, position) => {
        if (tag === unknownValue) {
            return [];
        }
        const reference = referTo(repository, tag);
        const owner = owners.get(reference) ?? urn;
        owners.set(reference, owner);
        // The engine checks a resource twice when it replaces it.
        return owner === urn ? [] : [describeConflict(`tags[${position}]`, reference, urn, owner)];
    });
}

/** The inputs of a resource that goes or changes, without the tags that another one wants, or a new one in its place. */
function withoutClaimed(
    inputs: Properties,
    owners: TagOwners,
    { reporter }: OperationContext,
    own: ReadonlySet<string> = new Set(),
): Properties {
    const { repository, tags, deletion } = inputs as { repository: string; tags: readonly string[]; deletion?: string };
    const kept = tags.filter((tag) => {
        const reference = referTo(repository, tag);
        const owner = owners.get(reference);
        if (owner !== undefined && !own.has(reference) && deletion === "untag") {
            reporter.info(`the tag ${tag} belongs to ${nameOf(owner)} now, and stays`);
        }
        return owner === undefined;
    });
    return { ...inputs, tags: kept };
}

function referTo(repository: string, tag: string): string {
    return formatReference({ ...parseRepository(repository), tag });
}

function describeConflict(property: string, reference: string, urn: string, owner: string): InputProblem {
    return {
        property,
        code: "tag-conflict",
        reason: `${reference} is a tag of both ${nameOf(owner)} and ${nameOf(urn)}, and would point to either in turn`,
        next: "Give one of them another tag, or another repository.",
    };
}

/** The type and name of a resource, the last parts of its URN. */
function nameOf(urn: string): string {
    const [, , types = "", ...name] = urn.split("::");
    return `${types.split(":").pop() ?? ""} ${name.join("::")}`;
}
