import { planContext } from "./plan";
import type { ContextProblem, HashRequest } from "./request";

/** Finds what would stop a build, without network and without reading the files of the contexts. */
export async function findContextProblems(request: HashRequest): Promise<ContextProblem[]> {
    const { problems } = await planContext(request);
    return problems.map(({ code, fields }) => {
        const { property = "context", what, next } = fields;
        return { property, reason: what, code, next };
    });
}
