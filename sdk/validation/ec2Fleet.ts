import { fleetDefaults, hostSettingsOf } from "../builders/ec2/fleetSettings";
import { findLimitProblems, type HostArchitecture } from "../builders/ec2/hostSettings";
import type { InputProblem } from "../resources/lifecycle";
import { hasUnknown, unknownValue, type Properties } from "../resources/values";
import { checkCidr } from "./cidr";
import { checkNotNegative } from "./ec2Instance";

const mostNodes = 50;

/** Whatever is wrong with a fleet on EC2 whose inputs have the right types, by property. */
export function checkFleet(inputs: Properties): InputProblem[] {
    const checks = [
        checkChoice,
        checkSubnets,
        checkPlatforms,
        checkByPlatform,
        checkPrices,
        checkNetwork,
        checkHost,
        checkCache,
    ];
    return checks.flatMap((check) => check(inputs));
}

function checkChoice({ subnetId, subnetIds }: Properties): InputProblem[] {
    const given = [subnetId, subnetIds].filter((value) => value !== undefined && value !== null);
    const hasNone = Array.isArray(subnetIds) && subnetIds.length === 0;
    const reason = "is required, or subnetIds in its place: exactly one of them";
    return given.length === 1 && !hasNone ? [] : [{ property: "subnetId", reason }];
}

function checkSubnets({ subnetId, subnetIds = [] }: Properties): InputProblem[] {
    const several = (subnetIds as string[]).map((id, index) => ({ id, property: `subnetIds[${index}]` }));
    const wrong = [{ id: subnetId, property: "subnetId" }, ...several].filter(({ id }) => {
        return typeof id === "string" && id !== unknownValue && !/^subnet-[0-9a-f]+$/.test(id);
    });
    const reason = "is not the id of a subnet, such as subnet-0123456789abcdef0";
    return wrong.map(({ property }) => ({ property, reason }));
}

function checkPlatforms({
    platforms = [...fleetDefaults.platforms],
    nodesPerPlatform = 1,
}: Properties): InputProblem[] {
    const list = platforms as string[];
    const count = nodesPerPlatform as number;
    return [
        ...(list.length > 0 ? [] : [{ property: "platforms", reason: "names no platform" }]),
        ...list.flatMap((platform, index) => checkPlatform(`platforms[${index}]`, platform)),
        ...list.flatMap((platform, index) => {
            const reason = `names ${platform} twice. For more builders of a platform set nodesPerPlatform`;
            return list.indexOf(platform) < index ? [{ property: `platforms[${index}]`, reason }] : [];
        }),
        ...(count >= 1 && count <= mostNodes
            ? []
            : [{ property: "nodesPerPlatform", reason: `must be between 1 and ${mostNodes}` }]),
    ];
}

function checkPlatform(property: string, platform: string): InputProblem[] {
    const known = fleetDefaults.platforms as readonly string[];
    return known.includes(platform)
        ? []
        : [{ property, reason: `must be one of ${known.join(", ")}: EC2 has no other machines` }];
}

function checkPrices({ hourlyUsd = {} }: Properties): InputProblem[] {
    const prices = Object.entries(hourlyUsd as Record<string, unknown>);
    return prices.flatMap(([type, price]) => checkNotNegative(`hourlyUsd["${type}"]`, price));
}

function checkByPlatform({ instanceTypes = {}, amis = {} }: Properties): InputProblem[] {
    const types = Object.entries(instanceTypes as Record<string, string[]>);
    const images = Object.entries(amis as Record<string, string>);
    return [
        ...types.flatMap(([platform]) => checkPlatform(`instanceTypes["${platform}"]`, platform)),
        ...types
            .filter(([, list]) => list.length === 0)
            .map(([platform]) => ({ property: `instanceTypes["${platform}"]`, reason: "names no type" })),
        ...images.flatMap(([platform]) => checkPlatform(`amis["${platform}"]`, platform)),
        ...images
            .filter(([, id]) => id !== unknownValue && !/^ami-[0-9a-f]+$/.test(id))
            .map(([platform]) => ({ property: `amis["${platform}"]`, reason: "is not the id of a machine image" })),
    ];
}

function checkNetwork({ allowedCidrs = [], egress = [] }: Properties): InputProblem[] {
    const ways = egress as { cidr: string; port: number }[];
    return [
        ...(allowedCidrs as string[]).flatMap((cidr, index) => checkCidr(`allowedCidrs[${index}]`, cidr)),
        ...ways.flatMap(({ cidr }, index) => checkCidr(`egress[${index}].cidr`, cidr)),
        ...ways.flatMap(({ port }, index) => {
            const isPort = typeof port !== "number" || (port >= 1 && port <= 65_535);
            return isPort ? [] : [{ property: `egress[${index}].port`, reason: "has to be a port" }];
        }),
    ];
}

/** What ends up in user data, by the same rules that its host is written by. */
function checkHost(inputs: Properties): InputProblem[] {
    const { port, idleMinutes, deadManHours, mirrors, buildkit, ssmEndpoint, cache } = inputs;
    const known = { port, idleMinutes, deadManHours, mirrors, buildkit, ssmEndpoint, cache };
    const settings = Object.fromEntries(Object.entries(known).filter(([, value]) => !hasUnknown(value)));
    const platforms = (inputs["platforms"] ?? fleetDefaults.platforms) as string[];
    const found = platforms.flatMap((platform) => {
        const architecture = platform.replace("linux/", "") as HostArchitecture;
        return findLimitProblems(hostSettingsOf(settings, architecture));
    });
    const reasons = new Map(found.map(({ property, rule }) => [property, rule]));
    return [...reasons].map(([property, reason]) => ({ property, reason }));
}

/** The limits of gp3: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html */
function checkCache({ cache = {} }: Properties): InputProblem[] {
    const { sizeGiB = fleetDefaults.sizeGiB, iops = 3_000, throughput = 125 } = cache as Record<string, number>;
    const isWithin = (value: unknown, least: number, most: number): boolean => {
        return typeof value !== "number" || (value >= least && value <= most);
    };
    return [
        ...(isWithin(sizeGiB, 0, 65_536) ? [] : [{ property: "cache.sizeGiB", reason: "must be at most 65536" }]),
        ...(isWithin(iops, 3_000, 80_000)
            ? []
            : [{ property: "cache.iops", reason: "must be between 3000 and 80000" }]),
        ...(isWithin(throughput, 125, 2_000)
            ? []
            : [{ property: "cache.throughput", reason: "must be between 125 and 2000" }]),
    ];
}
