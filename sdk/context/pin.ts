import { knownCommit, resolveCommit } from "./gitCommit";
import { parseGitReference, type GitReference } from "./gitReference";
import { requirePlan, type PlannedSource } from "./plan";
import type { ContextSource, HashRequest } from "./request";

/**
 * The same contexts, with the commit that each git repository is at now in place of its ref. What is hashed and built
 * from the answer stays the same, whatever is pushed meanwhile. The ref of the main context stays where `keepsRef` says so.
 *
 * Throws as `hashContext` does.
 */
export async function pinContext(request: HashRequest, { keepsRef = false } = {}): Promise<ContextSource> {
    const { context, secrets, runGit, signal } = request;
    if (!readsGit(context)) {
        return context;
    }
    const plan = await requirePlan(request);
    const pin = async (location: string, source: PlannedSource | undefined): Promise<string> => {
        if (source?.kind !== "git") {
            return location;
        }
        const { reference, property } = source;
        return pinLocation(location, reference, await resolveCommit(reference, { property, secrets, runGit, signal }));
    };
    const sources = new Map(plan.named);
    const named = Object.entries(context.named ?? {}).map(async ([name, { location }]) => {
        return [name, { location: await pin(location, sources.get(name)) }] as const;
    });
    return {
        location: keepsRef ? context.location : await pin(context.location, plan.main),
        ...(context.named ? { named: Object.fromEntries(await Promise.all(named)) } : {}),
    };
}

/** Whether one of the contexts looks like a git repository. A folder may still have that name. */
export function readsGit({ location, named }: ContextSource): boolean {
    return [location, ...Object.values(named ?? {}).map((each) => each.location)].some((each) => {
        try {
            return parseGitReference(each) !== undefined;
        } catch {
            return true;
        }
    });
}

/** Writes the commit into an address of a git repository. The folder and the options stay. */
export function pinLocation(location: string, reference: GitReference, commit: string): string {
    if (knownCommit(reference) !== undefined) {
        return location;
    }
    const address = /^[^?#]*/.exec(location)?.[0] ?? "";
    const query = new URLSearchParams(/\?([^#]*)/.exec(location)?.[1]);
    const fragment = /#(.*)$/.exec(location)?.[1];
    if (reference.options["keep-git-dir"] === "true") {
        // The git folder of a commit lacks the branch or tag. BuildKit refuses the build when that has moved on.
        query.delete("commit");
        query.set("checksum", commit);
        return `${address}?${query.toString()}${fragment === undefined ? "" : `#${fragment}`}`;
    }
    for (const name of ["ref", "tag", "branch", "subdir", "checksum", "commit"]) {
        query.delete(name);
    }
    const { folder } = reference;
    // Only in a URL are parts of the fragment written with percent signs.
    const written = isUrl(location) ? encodeURI(folder) : folder;
    return `${address}${query.size > 0 ? `?${query.toString()}` : ""}#${commit}${folder === "" ? "" : `:${written}`}`;
}

function isUrl(location: string): boolean {
    return location.includes("://") || location.startsWith("github.com/");
}
