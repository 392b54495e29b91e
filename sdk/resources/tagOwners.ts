import { formatReference, parseRepository } from "../registry/reference";
import type { InputProblem, ResourceLifecycle } from "./lifecycle";
import { unknownValue, type Properties } from "./values";

/** Which resource moves which tag, by the tag's full reference: what one operation of the engine has seen. */
export type TagOwners = Map<string, string>;

/**
 * Refuses a tag that two resources of a program would both move: the one that comes last would have it, and the next
 * `up` would move it again. Resources of other stacks are not known here; `onTagConflict` is for them.
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
    };
}

function claimTags({ repository, tags }: Properties, urn: string, owners: TagOwners): InputProblem[] {
    if (typeof repository !== "string" || repository === unknownValue || !Array.isArray(tags)) {
        return [];
    }
    const where = parseRepository(repository);
    return (tags as string[]).flatMap((tag, position) => {
        if (tag === unknownValue) {
            return [];
        }
        const reference = formatReference({ ...where, tag });
        const owner = owners.get(reference) ?? urn;
        owners.set(reference, owner);
        // The engine checks a resource twice when it replaces it.
        return owner === urn ? [] : [describeConflict(`tags[${position}]`, reference, urn, owner)];
    });
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
