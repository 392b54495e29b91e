import { parseAddress } from "../builders/node";
import { whatOf } from "../errors";
import type { InputProblem } from "../resources/lifecycle";
import { unknownValue, type Properties } from "../resources/values";
import { checkPlatform, normalise } from "./platforms";

interface Endpoint {
    readonly platform: string;
    readonly address: string;
    readonly tls?: unknown;
    readonly insecure?: boolean;
}

const kinds = ["endpoints"];

/** What builds: exactly one kind, each builder complete, and at least one for each platform. */
export function checkBuilders(inputs: Properties): InputProblem[] {
    const builders = inputs["builders"] as Properties | undefined;
    if (builders === undefined) {
        return [];
    }
    const chosen = kinds.filter((kind) => builders[kind] !== undefined && builders[kind] !== null);
    if (chosen.length !== 1) {
        return [{ property: "builders", reason: `must have exactly one of ${kinds.join(", ")}` }];
    }
    const endpoints = builders["endpoints"];
    if (!Array.isArray(endpoints)) {
        return [];
    }
    return [
        ...endpoints.flatMap((endpoint, index) => checkNode(`builders.endpoints[${index}]`, endpoint as Endpoint)),
        ...checkCoverage((inputs["platforms"] as string[] | undefined) ?? [], endpoints as Endpoint[]),
    ];
}

/** One builder: where it is, and what proves it. */
export function checkNode(path: string, node: Endpoint): InputProblem[] {
    if ((node as unknown) === unknownValue) {
        return [];
    }
    return [...checkPlatform(`${path}.platform`, node.platform), ...checkAddress(path, node)];
}

function checkAddress(path: string, { address, tls, insecure }: Endpoint): InputProblem[] {
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

function checkCoverage(platforms: readonly string[], endpoints: readonly Endpoint[]): InputProblem[] {
    if (endpoints.some((endpoint) => (endpoint as unknown) === unknownValue || endpoint.platform === unknownValue)) {
        return [];
    }
    const known = endpoints.map((endpoint) => endpoint.platform);
    const served = new Set(known.filter((platform) => checkPlatform("", platform).length === 0).map(normalise));
    return platforms
        .filter((platform) => platform !== unknownValue && checkPlatform("", platform).length === 0)
        .filter((platform) => !served.has(normalise(platform)))
        .map((platform) => ({
            property: "builders.endpoints",
            reason: `has no builder for ${platform}. Add one, or take the platform off platforms`,
        }));
}
