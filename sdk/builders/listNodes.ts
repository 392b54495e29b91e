import type * as pulumi from "@pulumi/pulumi";

import type { BuildersArgs } from "../args";
import { formatPlatform, parsePlatform } from "../platform";
import { isObject } from "../resources/values";
import { fleetDefaults } from "./ec2/fleetSettings";
import type { NodeArgs } from "../resources/platformImage";

/** The builders of an image, all of them known. */
export type KnownBuilders = pulumi.Unwrap<BuildersArgs>;

type Node = pulumi.Unwrap<NodeArgs>;

/**
 * The builders of an image, one for each platform that it serves, in the order in which they are tried, each with the
 * place where the program has it. A builder that names no platform serves those that no other one names.
 * `maxParallelism` is for those that do not say it themselves.
 */
export function listNodes(builders: KnownBuilders, platforms: readonly string[], maxParallelism?: number): Node[] {
    const { endpoints = [], docker = [], named = [], nodes: given = [] } = builders;
    const taken = new Set(namedPlatforms(builders).map(normalise));
    const rest = platforms.filter((platform) => !taken.has(normalise(platform)));
    const nodes: Node[] = [
        ...endpoints.map((endpoint, index) => ({ ...endpoint, property: `builders.endpoints[${index}]` })),
        ...docker.flatMap(({ platforms: own = rest, maxParallelism: places, ...docker }, index) => {
            const property = `builders.docker[${index}]`;
            return own.map((platform) => ({ platform, docker, property, ...parallelism(places) }));
        }),
        ...named.flatMap(({ platforms: own = rest, maxParallelism: places, name: named }, index) => {
            const property = `builders.named[${index}]`;
            return own.map((platform) => ({ platform, named, property, ...parallelism(places) }));
        }),
        ...given.map((node, index) => ({ ...node, property: `builders.nodes[${index}]` })),
    ];
    return nodes.map((node) => ({ ...parallelism(maxParallelism), ...node }));
}

function parallelism(maxParallelism: number | undefined): Pick<Node, "maxParallelism"> {
    return maxParallelism === undefined ? {} : { maxParallelism };
}

/**
 * The platforms that the image's own fleet on EC2 has builders for: those that no other builder names, as far as EC2 has
 * machines for them.
 */
export function platformsOfFleet(builders: object, platforms: readonly string[]): string[] {
    // Lists and their items may not be known yet: those name nothing so far.
    const lists = Object.values(builders).filter((list) => Array.isArray(list));
    const listed = lists.flat().filter((item): item is Partial<Node & { platforms: string[] }> => isObject(item));
    const named = listed.flatMap(({ platform, platforms: several }) => [platform, several].flat());
    const taken = new Set(named.filter(isPlatform).map(normalise));
    const rest = platforms.filter(isPlatform).map(normalise);
    return [...new Set(rest)].filter((platform) => !taken.has(platform) && isOnEc2(platform));
}

function isOnEc2(platform: string): boolean {
    return (fleetDefaults.platforms as readonly string[]).includes(platform);
}

/** False for what is wrong, which is said elsewhere, or not known yet. */
function isPlatform(text: unknown): text is string {
    try {
        return typeof text === "string" && parsePlatform(text).os !== "";
    } catch {
        return false;
    }
}

/** The platforms that the builders name. */
function namedPlatforms({ endpoints = [], docker = [], named = [], nodes = [] }: KnownBuilders): string[] {
    const several = [...docker, ...named].flatMap(({ platforms = [] }) => platforms);
    return [...[...endpoints, ...nodes].map(({ platform }) => platform), ...several];
}

/** True for the builder that `platformOverrides` means: by its address, its name, its instance, or the context of its daemon. */
export function isCalled(builder: string, { address, docker, named, ec2 }: Omit<Node, "platform">): boolean {
    return [address, named, ec2?.instanceId, docker?.name, docker?.context, docker?.host].includes(builder);
}

function normalise(platform: string): string {
    return formatPlatform(parsePlatform(platform));
}
