import { walkFolder } from "./folder";
import { requirePlan } from "./plan";
import type { ContextEntry, HashRequest } from "./request";

/**
 * Lists what BuildKit would send of a local context, in the order it does: of the main one, or of the named one with
 * this name. A context that is not a folder has no entries.
 *
 * Throws as `hashContext` does.
 */
export async function listContext(request: HashRequest, name?: string): Promise<ContextEntry[]> {
    const plan = await requirePlan(request);
    const source = name === undefined ? plan.main : new Map(plan.named).get(name);
    if (source?.kind !== "folder") {
        return [];
    }
    const entries = await walkFolder(source, request.signal);
    return entries.map(({ path, kind }) => ({ path: path.toString(), kind }));
}
