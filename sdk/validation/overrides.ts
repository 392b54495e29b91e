import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { isObject, unknownValue, type Properties } from "../resources/values";
import { checkNames } from "./options";
import { checkPlatform, normalise } from "./platforms";

/** What single platforms have otherwise: each is one of the platforms, and its builder one of the builders. */
export function checkOverrides(inputs: Properties): InputProblem[] {
    const overrides = isObject(inputs["platformOverrides"]) ? inputs["platformOverrides"] : {};
    const platforms = (inputs["platforms"] as string[] | undefined) ?? [];
    const known = new Set(platforms.filter(isPlatform).map(normalise));
    const seen = new Map<string, string>();
    return Object.entries(overrides).flatMap(([platform, override]) => {
        const path = joinKey("platformOverrides", platform);
        const problems = checkPlatform(path, platform);
        if (problems.length > 0) {
            return problems;
        }
        const name = normalise(platform);
        const first = seen.get(name);
        seen.set(name, platform);
        if (first !== undefined) {
            return [{ property: path, reason: `means the same platform as ${first}` }];
        }
        if (platforms.length > 0 && !platforms.includes(unknownValue) && !known.has(name)) {
            return [{ property: path, reason: `is none of the platforms. They are ${platforms.join(", ")}` }];
        }
        const { builder, labels, annotations } = isObject(override) ? override : {};
        return [
            ...checkBuilder(`${path}.builder`, name, builder, inputs["builders"]),
            ...checkNames(`${path}.labels`, labels),
            ...checkNames(`${path}.annotations`, annotations),
        ];
    });
}

function checkBuilder(property: string, platform: string, builder: unknown, builders: unknown): InputProblem[] {
    const endpoints = isObject(builders) && Array.isArray(builders["endpoints"]) ? builders["endpoints"] : [];
    const serving = (endpoints as Properties[]).filter((endpoint) => {
        const served = endpoint["platform"];
        return typeof served === "string" && isPlatform(served) && normalise(served) === platform;
    });
    const addresses = serving.map((endpoint) => endpoint["address"]);
    if (typeof builder !== "string" || builder === unknownValue || addresses.includes(unknownValue)) {
        return [];
    }
    return addresses.includes(builder)
        ? []
        : [{ property, reason: `is none of the builders for ${platform}. They are ${addresses.join(", ") || "none"}` }];
}

function isPlatform(platform: string): boolean {
    return platform !== unknownValue && checkPlatform("", platform).length === 0;
}
