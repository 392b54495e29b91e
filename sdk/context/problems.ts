import { planContext } from "./plan";
import type { ContextProblem, HashRequest } from "./request";

/** Finds what would stop a build, without network and without reading the files of the contexts. */
export async function findContextProblems(request: HashRequest): Promise<ContextProblem[]> {
    const { problems } = await planContext(request);
    return problems.map(({ fields }) => ({ property: fields.property ?? "context", reason: fields.what }));
}
