import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { isObject, type Properties } from "../resources/values";
import { listLocations } from "./context";

// Shorter values are part of too many harmless texts: a password "app" must not forbid the folder ./app.
const shortestPart = 8;
const shortestSecret = 3;

/**
 * Finds secrets where they would be seen: what names places and stages is part of the arguments of buildx, which
 * everyone on the machine can read, and of what describes the image.
 */
export function findShownSecrets(inputs: Properties, secrets: readonly string[]): InputProblem[] {
    const isHidden = (text: string): boolean => {
        return secrets.some((secret) =>
            secret.length >= shortestPart ? text.includes(secret) : secret.length >= shortestSecret && text === secret,
        );
    };
    return listShown(inputs)
        .filter(([, text]) => isHidden(text))
        .map(([property]) => ({
            property,
            reason: "holds a secret, which everyone on the machine could see. Take it out, or do not mark it as one",
        }));
}

// What is given to buildx as it is, and may be part of the image too.
const shownInputs = [
    ...["labels", "annotations", "addHosts", "secretFiles", "noCacheFilters", "shmSize", "cgroupParent"],
    ...["resources", "allow"],
];

const cacheKeys = /\.(accessKeyId|secretAccessKey|sessionToken|token)$/;

function listShown(inputs: Properties): [property: string, text: string][] {
    const { context, dockerfile, target, cache, ssh, attestations, nodes } = inputs;
    const sshPaths = (Array.isArray(ssh) ? (ssh as Properties[]) : []).map(({ id, paths }) => ({ id, paths }));
    const others: [string, unknown][] = [
        ["dockerfile.location", isObject(dockerfile) ? dockerfile["location"] : undefined],
        ["target", target],
        ["attestations.sbomGenerator", isObject(attestations) ? attestations["sbomGenerator"] : undefined],
    ];
    const texts = others.filter((entry): entry is [string, string] => typeof entry[1] === "string");
    const options = shownInputs.flatMap((name) => listTexts(name, inputs[name]));
    const containers = (Array.isArray(nodes) ? (nodes as Properties[]) : []).flatMap(({ docker, property }, index) => {
        return listTexts(typeof property === "string" ? property : `nodes[${index}].docker`, docker);
    });
    // With a secret of its own, a cache does not show in the arguments of buildx.
    const caches = listTexts("cache", cache).filter(([path]) => !cacheKeys.test(path));
    return [...listLocations(context), ...texts, ...options, ...containers, ...listTexts("ssh", sshPaths), ...caches];
}

function listTexts(path: string, value: unknown): [string, string][] {
    if (Array.isArray(value)) {
        return value.flatMap((item, index) => listTexts(`${path}[${index}]`, item));
    }
    if (isObject(value)) {
        return Object.entries(value).flatMap(([key, item]) => listTexts(joinKey(path, key), item));
    }
    return typeof value === "string" ? [[path, value]] : [];
}
