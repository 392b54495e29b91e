import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { hasUnknown, isObject, unknownValue, type Properties } from "../resources/values";
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
    const all = listGiven(builders);
    if (typeof builder !== "string" || builder === unknownValue || all === undefined) {
        return [];
    }
    const serving = all.filter(({ platforms }) => {
        return platforms === undefined || platforms.filter(isPlatform).map(normalise).includes(platform);
    });
    const names = serving.flatMap((one) => one.names);
    return names.includes(builder)
        ? []
        : [{ property, reason: `is none of the builders for ${platform}. They are ${names.join(", ") || "none"}` }];
}

/** The builders with what they are called, and the platforms they name. Undefined when that is not all known yet. */
function listGiven(builders: unknown): { names: string[]; platforms: string[] | undefined }[] | undefined {
    const { endpoints = [], docker = [], named = [], nodes = [] } = isObject(builders) ? builders : {};
    const items = [endpoints, docker, named, nodes].flatMap((list): unknown[] => (Array.isArray(list) ? list : [list]));
    const given = items.filter(isObject).map((one) => {
        const { address, name, context, host, named: called, ec2, platform, platforms } = one;
        const instance = isObject(ec2) ? ec2["instanceId"] : ec2;
        const served = platform === undefined ? platforms : [platform];
        return { names: [address, name, context, host, called, instance], served };
    });
    if (items.includes(unknownValue) || hasUnknown(given)) {
        return undefined;
    }
    const isText = (value: unknown): value is string => typeof value === "string";
    return given.map(({ names, served }) => ({
        names: names.filter(isText),
        platforms: Array.isArray(served) ? served.filter(isText) : undefined,
    }));
}

function isPlatform(platform: string): boolean {
    return platform !== unknownValue && checkPlatform("", platform).length === 0;
}
