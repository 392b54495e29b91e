import type * as pulumi from "@pulumi/pulumi";

import type { BuildersArgs } from "../../args";
import { listNodes } from "../../builders/listNodes";
import type { BuilderNode } from "../../builders/node";
import { listNodes as toBuilderNodes } from "../../resources/platformImageNodes";
import { isObject, type Properties } from "../../resources/values";
import { checkBuilders } from "../../validation/builders";
import { checkPlatformList } from "../../validation/platforms";
import { findTypeProblems } from "../../validation/types";
import { UsageError } from "../command";

const checked = /^(builders|platforms|emulation)\b/;

/**
 * The builders that inputs name, one for each platform that it serves. The inputs are checked like those of a
 * `MultiArchImage`. Throws a UsageError with everything that is wrong.
 */
export function readNodes(inputs: Properties): BuilderNode[] {
    const platforms = (inputs["platforms"] as string[] | undefined) ?? namedPlatforms(inputs["builders"]);
    const complete = { ...inputs, platforms };
    const types = findTypeProblems("multiarch:index:MultiArchImage", complete);
    const typed = types.filter(({ property }) => checked.test(property));
    const problems = typed.length > 0 ? typed : [...checkPlatformList(complete), ...checkBuilders(complete)];
    if (problems.length > 0) {
        const lines = problems.map(({ property, reason }) => `\n  ${property}: ${reason}`);
        throw new UsageError(`the builders are not described well${lines.join("")}`);
    }
    const builders = inputs["builders"] as pulumi.Unwrap<BuildersArgs>;
    const emulation = (inputs["emulation"] as "never" | "allow" | undefined) ?? "never";
    return toBuilderNodes({ nodes: listNodes(builders, platforms), emulation });
}

/** The platforms that builders name themselves, each once. */
function namedPlatforms(builders: unknown): string[] {
    const lists = isObject(builders)
        ? Object.values(builders).flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
        : [];
    const names = lists.flatMap((item) => {
        if (!isObject(item)) {
            return [];
        }
        return Array.isArray(item["platforms"]) ? (item["platforms"] as unknown[]) : [item["platform"]];
    });
    return [...new Set(names.filter((name): name is string => typeof name === "string"))];
}
