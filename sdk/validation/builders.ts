import { platformsOfFleet } from "../builders/listNodes";
import { parseAddress } from "../builders/node";
import { whatOf } from "../errors";
import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue, type Properties } from "../resources/values";
import { checkDocker } from "./dockerBuilder";
import { checkFleet } from "./ec2Fleet";
import { checkEc2 } from "./ec2Instance";
import { checkPlatform, normalise } from "./platforms";

/** A builder of any kind, as far as these checks go. */
interface Node {
    readonly platform: string;
    readonly address?: string;
    readonly tls?: unknown;
    readonly insecure?: boolean;
    readonly docker?: unknown;
    readonly named?: unknown;
    readonly maxParallelism?: unknown;
    readonly ec2?: unknown;
    readonly serverName?: string;
}

const mostAtOnce = 1_000;
const kinds = ["endpoints", "docker", "named", "ec2", "nodes"] as const;
const listKinds = ["endpoints", "docker", "named", "nodes"] as const;
const nodeKinds = ["address", "docker", "named", "ec2"] as const;

/** What builds: at least one kind, each builder complete, and at least one for each platform. */
export function checkBuilders(inputs: Properties): InputProblem[] {
    const builders = inputs["builders"] as Properties | undefined;
    if (builders === undefined) {
        return [];
    }
    const chosen = kinds.filter((kind) => builders[kind] !== undefined && builders[kind] !== null);
    if (chosen.length === 0) {
        return [{ property: "builders", reason: `must have at least one of ${kinds.join(", ")}` }];
    }
    const listed = listKinds.flatMap((kind) => {
        const list = Array.isArray(builders[kind]) ? (builders[kind] as unknown[]) : [];
        return list.map((item, index) => ({ kind, path: `builders.${kind}[${index}]`, item }));
    });
    const fleet = describeFleet(builders, inputs["platforms"]);
    const place = chosen.length === 1 ? `builders.${chosen.join()}` : "builders";
    const isOpen = chosen.some((kind) => builders[kind] === unknownValue);
    const platforms = (inputs["platforms"] as string[] | undefined) ?? [];
    return [
        ...listed.flatMap(({ kind, path, item }) => checkListed(kind, path, item)),
        ...(fleet === undefined ? [] : checkOwnFleet(fleet)),
        ...(isOpen ? [] : checkCoverage(place, platforms, fleet === undefined ? listed : [...listed, { item: fleet }])),
    ];
}

/** The fleet of an image, with the platforms it will have. */
function describeFleet(builders: Properties, platforms: unknown): Properties | undefined {
    const { ec2 } = builders;
    if (!isObject(ec2) || !Array.isArray(platforms)) {
        return undefined;
    }
    return { ...ec2, platforms: platformsOfFleet(builders, platforms as string[]) };
}

function checkOwnFleet(fleet: Properties): InputProblem[] {
    const { maxParallelism, platforms } = fleet;
    if ((platforms as string[]).length === 0) {
        return [{ property: "builders.ec2", reason: "has nothing to build: other builders have all platforms" }];
    }
    return [
        ...checkFleet(fleet).map(({ property, reason }) => ({ property: `builders.ec2.${property}`, reason })),
        ...checkParallelism("builders.ec2.maxParallelism", maxParallelism),
    ];
}

/** One builder of one platform: where it is, and what proves it. */
export function checkNode(path: string, node: Node): InputProblem[] {
    if ((node as unknown) === unknownValue) {
        return [];
    }
    const given = nodeKinds.filter((kind) => node[kind] !== undefined);
    const problems = [
        ...checkPlatform(`${path}.platform`, node.platform),
        ...checkParallelism(`${path}.maxParallelism`, node.maxParallelism),
    ];
    if (given.length !== 1) {
        return [...problems, { property: path, reason: `must have exactly one of ${nodeKinds.join(", ")}` }];
    }
    if (node.docker !== undefined) {
        return [...problems, ...checkDocker(path, node.docker)];
    }
    if (node.ec2 !== undefined) {
        return [
            ...problems,
            ...checkEc2(`${path}.ec2`, node.ec2),
            ...checkSession(path, node),
            ...checkAddress(path, asTcp(node)),
            ...checkServerName(path, node),
        ];
    }
    return [...problems, ...(node.named === undefined ? checkAddress(path, node) : checkName(path, node.named))];
}

/** Others use the same machine. */
function checkSession(path: string, { ec2, insecure }: Node): InputProblem[] {
    const isSession = isObject(ec2) && ec2["addressKind"] === "ssm";
    const reason =
        "cannot be true with ec2.addressKind ssm: a session ends at a port of this machine that all its users reach";
    return isSession && insecure === true ? [{ property: `${path}.insecure`, reason }] : [];
}

function checkListed(kind: (typeof listKinds)[number], path: string, item: unknown): InputProblem[] {
    if (!isObject(item)) {
        return [];
    }
    if (kind === "endpoints" || kind === "nodes") {
        return checkNode(path, item as unknown as Node);
    }
    const own = kind === "docker" ? checkDocker(path, item) : checkName(`${path}.name`, item["name"]);
    return [
        ...own,
        ...checkServed(`${path}.platforms`, item["platforms"]),
        ...checkParallelism(`${path}.maxParallelism`, item["maxParallelism"]),
    ];
}

/** How many builds run at once. */
export function checkParallelism(property: string, value: unknown): InputProblem[] {
    const isFit = typeof value !== "number" || (Number.isInteger(value) && value >= 1 && value <= mostAtOnce);
    return isFit ? [] : [{ property, reason: `must be a whole number between 1 and ${mostAtOnce}` }];
}

/** The platforms a builder names. None at all would be a builder for nothing. */
function checkServed(path: string, platforms: unknown): InputProblem[] {
    if (!Array.isArray(platforms)) {
        return [];
    }
    return platforms.length === 0
        ? [{ property: path, reason: "names no platform. Leave it out for those that no other builder names" }]
        : platforms.flatMap((platform, index) => checkPlatform(`${path}[${index}]`, platform as string));
}

/** buildx itself would refuse other names. https://github.com/docker/buildx/blob/v0.35.0/store/util.go */
function checkName(path: string, name: unknown): InputProblem[] {
    if (typeof name !== "string" || name === unknownValue || /^[a-z][a-z0-9._-]*$/i.test(name)) {
        return [];
    }
    return [{ property: path, reason: "must begin with a letter, and hold only letters, digits, dots, - and _" }];
}

function checkAddress(path: string, { address = "", tls, insecure }: Node): InputProblem[] {
    if ([address, tls, insecure].some((value) => value === unknownValue)) {
        return [];
    }
    let scheme: string;
    try {
        scheme = parseAddress(address).scheme;
    } catch (error) {
        return [{ property: `${path}.address`, reason: whatOf(error) }];
    }
    if (scheme === "tcp" && tls === undefined && insecure !== true) {
        const reason = "is required for tcp://. Only for a network you own alone: set insecure to true instead";
        return [{ property: `${path}.tls`, reason }];
    }
    if (scheme === "tcp" && tls !== undefined && insecure === true) {
        return [{ property: `${path}.insecure`, reason: "is true although tls is given. Keep one of them" }];
    }
    return scheme !== "tcp" && tls !== undefined
        ? [{ property: `${path}.tls`, reason: `has no use for ${scheme}://, only for tcp://` }]
        : [];
}

/** An instance is spoken to over TCP, at an address that each start may change. */
function asTcp(node: Node): Node {
    return { ...node, address: "tcp://instance:1234" };
}

function checkServerName(path: string, { tls, serverName }: Node): InputProblem[] {
    const reason = "is required for ec2: the address of an instance changes, and its certificate does not";
    return tls === undefined || serverName !== undefined ? [] : [{ property: `${path}.serverName`, reason }];
}

/** A builder that names no platform serves what the others leave. */
function checkCoverage(
    property: string,
    platforms: readonly string[],
    listed: readonly { readonly item: unknown }[],
): InputProblem[] {
    const named = listed.map(({ item }) => {
        const { platform, platforms: several = platform } = isObject(item) ? item : { platform: unknownValue };
        return Array.isArray(several) ? (several as unknown[]) : [several];
    });
    if (named.some((own) => own.some((platform) => platform === undefined || platform === unknownValue))) {
        return [];
    }
    const isKnown = (platform: unknown): platform is string => {
        return typeof platform === "string" && platform !== unknownValue && checkPlatform("", platform).length === 0;
    };
    const served = new Set(named.flat().filter(isKnown).map(normalise));
    return platforms
        .filter((platform) => isKnown(platform) && !served.has(normalise(platform)))
        .map((platform) => ({
            property,
            reason: `has no builder for ${platform}. Add one, or take the platform off platforms`,
        }));
}
