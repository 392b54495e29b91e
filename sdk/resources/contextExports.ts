import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

import { planContext, type PlannedSource } from "../context/plan";
import type { IgnoreRules, RuleMatches } from "../context/ignoreRules";
import { exportKinds, listTargets } from "../exports/targets";
import type { InputProblem } from "./lifecycle";
import type { PlatformImageInputs } from "./platformImageInputs";
import { isObject, unknownValue, type Properties } from "./values";

/**
 * Finds exports that would be written into a context of the image and are not ignored there: each `up` would then find
 * new content, build again, and write again.
 */
export async function findExportsInContext(inputs: Properties): Promise<InputProblem[]> {
    const image = inputs as unknown as PlatformImageInputs;
    const exported = (inputs["exports"] as unknown[] | undefined) ?? [];
    if (exported.length === 0 || image.ownContentHash !== undefined) {
        return [];
    }
    const { context = { location: "." }, dockerfile } = image;
    const { plan } = await planContext({ context, dockerfile });
    const sources = plan === undefined ? [] : [plan.main, ...plan.named.map(([, source]) => source)];
    const platforms = [...new Set([image.platform, ...(image.siblings ?? [])])];
    const problems: InputProblem[] = [];
    for (const [index, item] of exported.entries()) {
        for (const kind of isObject(item) && item["disabled"] !== true ? exportKinds : []) {
            const dest = ((item as Properties)[kind] as Properties | undefined)?.["dest"];
            if (typeof dest !== "string" || dest === unknownValue) {
                continue;
            }
            const source = await findSource(
                listTargets(kind, dest, platforms).map(({ path }) => path),
                sources,
            );
            if (source !== undefined) {
                const reason =
                    `"${dest}" is in the folder of ${source.property}, so it would change the image that it is made from, ` +
                    "and every up would build again. Choose a path elsewhere, or add it to .dockerignore";
                problems.push({ property: `exports[${index}].${kind}.dest`, reason });
            }
        }
    }
    return problems;
}

/** The first context that would be sent with one of the paths. */
async function findSource(
    paths: readonly string[],
    sources: readonly PlannedSource[],
): Promise<PlannedSource | undefined> {
    const places = await Promise.all(paths.map((path) => findRealPath(resolve(path))));
    return sources.find(
        (source) =>
            source.kind === "folder" && places.some((place) => isSent(relative(source.root, place), source.rules)),
    );
}

function isSent(path: string, rules: IgnoreRules | undefined): boolean {
    if (path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) {
        return false;
    }
    const parts = path.split(sep).filter((part) => part !== "");
    let matches: RuleMatches | undefined;
    let ignored = false;
    for (const index of parts.keys()) {
        const answer = rules?.match(parts.slice(0, index + 1).join("/"), matches);
        matches = answer?.matches;
        ignored = answer?.ignored ?? false;
    }
    // A later rule may take back what is below an ignored folder.
    return !ignored || rules?.endsAt(parts.join("/")) === false;
}

/** Where a path leads that need not be there yet. */
async function findRealPath(path: string): Promise<string> {
    try {
        return await realpath(path);
    } catch {
        const parent = dirname(path);
        return parent === path ? path : join(await findRealPath(parent), basename(path));
    }
}
