import { whatOf } from "../errors";
import { formatPlatform, parsePlatform } from "../platform";
import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";

/** The platforms of an index: at least one, each known, none twice. */
export function checkPlatformList(inputs: Properties): InputProblem[] {
    const platforms = inputs["platforms"] as string[] | undefined;
    return platforms?.length === 0
        ? [{ property: "platforms", reason: "names no platform. For example: linux/amd64, linux/arm64" }]
        : checkPlatforms(platforms ?? [], (index) => `platforms[${index}]`);
}

/** Platforms: each known, none twice. `nameOf` gives the property of each. */
export function checkPlatforms(platforms: readonly string[], nameOf: (index: number) => string): InputProblem[] {
    const seen = new Map<string, number>();
    return platforms.flatMap((platform, index) => {
        const property = nameOf(index);
        const problems = checkPlatform(property, platform);
        const name = problems.length === 0 && platform !== unknownValue ? normalise(platform) : undefined;
        const first = name === undefined ? undefined : seen.get(name);
        if (name !== undefined && first === undefined) {
            seen.set(name, index);
        }
        return first === undefined
            ? problems
            : [{ property, reason: `${platform} is the same platform as ${nameOf(first)}` }];
    });
}

/** One platform. */
export function checkPlatform(property: string, platform: string): InputProblem[] {
    if (platform === unknownValue) {
        return [];
    }
    try {
        parsePlatform(platform);
        return [];
    } catch (error) {
        return [{ property, reason: whatOf(error) }];
    }
}

/** The one spelling of a platform that has several. */
export function normalise(platform: string): string {
    return formatPlatform(parsePlatform(platform));
}
