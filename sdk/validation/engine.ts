import { toDockerBuildPlatform } from "../dockerBuild/platforms";
import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue, type Properties } from "../resources/values";
import { checkPlatform } from "./platforms";

/** What the engine docker-build does with each input as it is, beside what is checked below. */
const taken = [
    ...["engine", "platforms", "repository", "tags", "additionalRepositories", "platformOverrides", "push"],
    ...["context", "dockerfile", "target", "buildArgs", "secrets", "labels", "network", "addHosts", "noCache", "pull"],
    ...["annotations", "registries", "onTagConflict", "deletion", "emulation", "timeoutSeconds", "retries"],
    // These are made from the finished index.
    ...["exports", "sign", "verify"],
    ...["sourceDateEpoch", "compression", "compressionLevel", "forceCompression"],
];

/** Inputs of which it can do a part. */
const checks: Readonly<Record<string, (value: unknown) => InputProblem[]>> = {
    platforms: (value) => (Array.isArray(value) ? value : []).flatMap(checkName),
    builders: (value) => [
        ...refuseKinds("builders", value, ["endpoints", "ec2", "nodes"]),
        ...listOf(isObject(value) ? value["nodes"] : []).flatMap((node, i) => {
            return isObject(node) ? refuseKinds(`builders.nodes[${i}]`, pick(node, ["docker", "named"]), []) : [];
        }),
    ],
    cache: (value) => [
        ...refuseKinds("cache", value, [...cacheKinds, "mode", "readOnly", "ignoreError"]),
        ...cacheKinds.flatMap((kind) => {
            return refuseOthers(`cache.${kind}`, isObject(value) ? value[kind] : undefined, cacheParts);
        }),
    ],
    invalidation: (value) => refuseOthers("invalidation", value, ["secrets"]),
    ssh: (value) => (Array.isArray(value) ? value : []).flatMap((one, i) => refuseOthers(`ssh[${i}]`, one, sshParts)),
    annotations: (value) => [
        ...checkAnnotations("annotations.manifest", isObject(value) ? value["manifest"] : undefined),
    ],
    platformOverrides: (value) =>
        Object.entries(isObject(value) ? value : {}).flatMap(([platform, override]) => {
            const property = `platformOverrides["${platform}"].annotations`;
            return checkAnnotations(property, isObject(override) ? override["annotations"] : undefined);
        }),
};

function listOf(value: unknown): unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : [];
}

function pick(value: Properties, names: readonly string[]): Properties {
    return Object.fromEntries(Object.entries(value).filter(([name, one]) => names.includes(name) && one !== undefined));
}

const cacheKinds = ["registry", "local", "inline"];
const cacheParts = ["ref", "directory", "from"];
const sshParts = ["id", "paths"];
const engineName = "the engine docker-build";

/**
 * What the engine of the program cannot do, by property. It has what its own resource has: an input that is not known to
 * be among that is refused, because leaving it out in silence would give another image than the one that was asked for.
 */
export function checkEngine(inputs: Properties): InputProblem[] {
    if (inputs["engine"] !== "docker-build") {
        return [];
    }
    return Object.entries(inputs).flatMap(([name, value]) => {
        const check = checks[name];
        if (check !== undefined) {
            return check(value);
        }
        return taken.includes(name) || asksNothing(value) ? [] : [refuse(name)];
    });
}

/** True for an input that says what would be without it. */
function asksNothing(value: unknown): boolean {
    if (Array.isArray(value)) {
        return value.length === 0;
    }
    return isObject(value)
        ? Object.values(value).every(asksNothing)
        : [false, "ignore", "none"].includes(value as string);
}

/** A kind is chosen by its name, whatever is in it. */
function refuseKinds(property: string, value: unknown, known: readonly string[]): InputProblem[] {
    return Object.keys(isObject(value) ? value : {})
        .filter((kind) => !known.includes(kind))
        .map((kind) => refuse(`${property}.${kind}`));
}

function refuseOthers(property: string, value: unknown, known: readonly string[]): InputProblem[] {
    return Object.entries(isObject(value) ? value : {})
        .filter(([name, one]) => !known.includes(name) && !asksNothing(one))
        .map(([name]) => refuse(`${property}.${name}`));
}

function checkName(platform: string, index: number): InputProblem[] {
    const property = `platforms[${index}]`;
    if (platform === unknownValue || checkPlatform(property, platform).length > 0) {
        return [];
    }
    return toDockerBuildPlatform(platform) === undefined ? [refuse(property, platform)] : [];
}

/** It makes the names of annotations small: https://github.com/pulumi/pulumi-docker-build/blob/v0.0.22/provider/internal/export.go */
function checkAnnotations(property: string, annotations: unknown): InputProblem[] {
    return Object.keys(isObject(annotations) ? annotations : {})
        .filter((name) => name !== name.toLowerCase())
        .map((name) => refuse(`${property}["${name}"]`, "capital letters in the names of annotations"));
}

function refuse(property: string, what = property.replace(/\[\d+\]/g, "")): InputProblem {
    return { property, reason: `${engineName} has no ${what}; leave it out, or use engine: buildx` };
}
