import { MultiArchError } from "../errors";
import { chooseMember, type BuilderNode, type NamedBuilder } from "./node";
import { builderError, type Budget } from "./preflightBudget";
import { judgeBuilder, type BuilderFacts } from "./preflightFacts";
import { inspectThroughBuildx } from "./preflightInspect";
import { declaredPlatforms, findMembers } from "./storedBuilder";
import { readUserBuilder } from "./userStore";

/**
 * Checks a builder of the user's own buildx, node by node, and picks the first that runs the platform natively; where
 * emulation is allowed, else the first that has it. buildx itself would fall back to any node.
 */
export async function checkNamed(
    node: BuilderNode,
    { name }: NamedBuilder,
    budget: Budget,
    registriesConfig?: string,
): Promise<BuilderFacts> {
    const builder = await readUserBuilder(node, name, process.env);
    const members = findMembers(builder, node.platform);
    if (members.length === 0) {
        const what = `the builder ${name} does not have ${node.platform}: it has ${declaredPlatforms(builder).join(", ")}`;
        throw builderError(node, "builder-wrong-platform", what, { field: "platforms" });
    }
    const results = await Promise.all(
        members.map(async ({ Name }): Promise<{ facts: BuilderFacts } | { error: MultiArchError }> => {
            const member = chooseMember(node, Name);
            try {
                const answer = await inspectThroughBuildx(member, budget, registriesConfig);
                return { facts: { ...judgeBuilder(member, answer), member: Name } };
            } catch (error) {
                if (error instanceof MultiArchError) {
                    return { error };
                }
                throw error;
            }
        }),
    );
    const fit = results.flatMap((result) => ("facts" in result ? [result.facts] : []));
    const best = fit.find(({ native }) => native) ?? fit[0];
    return best ?? Promise.reject(joinErrors(results.flatMap((result) => ("error" in result ? [result.error] : []))));
}

/** One error for all nodes of a builder: the first one's, with a line for each of the others. */
function joinErrors([first, ...others]: readonly MultiArchError[]): MultiArchError {
    const lines = others.map(({ fields, code }) => `${fields.builder ?? ""}: ${fields.what} [${code}]`);
    return (
        first?.with({ lines: [...(first.fields.lines ?? []), ...lines] }) ??
        new MultiArchError("builder-none", { what: "the builder has no node" })
    );
}
