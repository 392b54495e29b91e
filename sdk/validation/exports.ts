import { whatOf } from "../errors";
import { compareDests, exportKinds, listTargets, type ExportKind } from "../exports/targets";
import { normaliseNames } from "../exports/layout";
import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue, type Properties } from "../resources/values";

interface Dest {
    readonly property: string;
    readonly kind: ExportKind;
    readonly dest: string;
}

/** The exports of a `MultiArchImage`: each of one kind, and none in the way of another. */
export function checkExports(inputs: Properties): InputProblem[] {
    const given = (inputs["exports"] as unknown[] | undefined) ?? [];
    const items = given.map((item, index): [string, unknown] => [`exports[${index}]`, item]);
    const known = items.filter((entry): entry is [string, Properties] => isObject(entry[1]));
    const enabled = known.filter(([, item]) => item["disabled"] !== true);
    if (enabled.length > 0 && inputs["push"] === false) {
        const reason = "is read from the registry, and push is false. Leave one of the two out";
        return enabled.map(([property]) => ({ property, reason }));
    }
    const platforms = (inputs["platforms"] as string[] | undefined) ?? [];
    const dests = enabled.flatMap(([property, item]) => listDests(item, `${property}.`));
    return [
        ...known.flatMap(([property, item]) => checkExport(item, property)),
        ...findCollisions(
            dests,
            platforms.filter((platform) => platform !== unknownValue),
        ),
    ];
}

/** One export: exactly one kind, with a path that can be one, and names that are some. */
export function checkExport(item: Properties, property: string): InputProblem[] {
    const join = (name: string): string => (property === "" ? name : `${property}.${name}`);
    const chosen = exportKinds.filter((kind) => item[kind] !== undefined);
    const list = exportKinds.join(", ");
    if (chosen.length !== 1) {
        const found = chosen.length === 0 ? "names no kind" : `names ${chosen.join(" and ")}`;
        return [{ property: property === "" ? "oci" : property, reason: `${found}. Give exactly one of ${list}` }];
    }
    return listDests(item, property === "" ? "" : `${property}.`).flatMap(({ kind, dest, property: path }) => {
        const { tar, names } = item[kind] as { tar?: boolean; names?: unknown };
        const isFolder = kind === "local" || tar === false;
        return [...checkDest(dest, path, isFolder), ...checkNames(names, join(`${kind}.names`))];
    });
}

/** Names that images can have in archives. */
export function checkNames(names: unknown, property: string): InputProblem[] {
    return (Array.isArray(names) ? names : []).flatMap((name: unknown, index) => {
        try {
            if (name !== unknownValue) {
                normaliseNames([String(name)]);
            }
            return [];
        } catch (error) {
            return [{ property: `${property}[${index}]`, reason: whatOf(error) }];
        }
    });
}

function checkDest(dest: string, property: string, isFolder: boolean): InputProblem[] {
    if (dest === unknownValue) {
        return [];
    }
    if (dest.trim() === "") {
        return [{ property, reason: "is empty. For example: out/app.tar" }];
    }
    if (dest.includes("\0")) {
        return [{ property, reason: "holds a character that no path can have" }];
    }
    if (dest === "-") {
        return [{ property, reason: "is a file, and there is no output to write it to. For example: out/app.tar" }];
    }
    return !isFolder && /(?:^|[\\/])\.{0,2}$/.test(dest)
        ? [{ property, reason: `"${dest}" is a folder. Add the name of the file` }]
        : [];
}

function listDests(item: Properties, prefix: string): Dest[] {
    return exportKinds.flatMap((kind) => {
        const chosen = item[kind];
        const dest = isObject(chosen) ? chosen["dest"] : undefined;
        const isKnown = typeof dest === "string" && dest !== unknownValue;
        return isKnown ? [{ property: `${prefix}${kind}.dest`, kind, dest }] : [];
    });
}

/** Neither the paths that a program names nor those made from them may be in each other's way. */
function findCollisions(dests: readonly Dest[], platforms: readonly string[]): InputProblem[] {
    const words = { same: "is the same path as", inside: "lies inside", around: "is a folder around" };
    return dests.flatMap((one, index) => {
        for (const other of dests.slice(0, index)) {
            const relation = compareDests(one.dest, other.dest) ?? compareTargets(one, other, platforms);
            if (relation !== undefined) {
                const reason = `${words[relation]} ${other.property}. Give every export a place of its own`;
                return [{ property: one.property, reason }];
            }
        }
        return [];
    });
}

function compareTargets(one: Dest, other: Dest, platforms: readonly string[]): ReturnType<typeof compareDests> {
    for (const { path } of namesOf(one, platforms)) {
        for (const { path: second } of namesOf(other, platforms)) {
            const relation = compareDests(path, second);
            if (relation !== undefined) {
                return relation;
            }
        }
    }
    return undefined;
}

function namesOf({ kind, dest }: Dest, platforms: readonly string[]): { readonly path: string }[] {
    try {
        return listTargets(kind, dest, platforms);
    } catch {
        // A platform that is none has a problem of its own.
        return [];
    }
}

const hints: Readonly<Record<string, string>> = {
    registry: "is not needed: repository and tags say where the image is pushed",
    image: "is not needed: repository and tags say where the image is pushed",
    cacheonly: "is not needed: push: false builds all platforms and pushes nothing",
    raw: "cannot be used: give one of oci, docker, tar and local",
};
const archiveHint = "cannot be set here: what was pushed is written byte for byte. Set it on the image";

/** Exports of `docker_build.Image` that mean something else here, with what to write instead. */
export function explainExports(problems: readonly InputProblem[]): InputProblem[] {
    return problems.map((problem) => {
        const { property, reason } = problem;
        const isUnknown = reason.startsWith("is not an input");
        const kind = /^exports\[\d+\]\.(\w+)$/.exec(property)?.[1] ?? "";
        const option = /^exports\[\d+\]\.(?:oci|docker)\.(?:annotations|\w*[cC]ompression\w*|ociMediaTypes)$/;
        const isDest = reason === "is required" && /^exports\[\d+\]\.docker\.dest$/.test(property);
        if (isDest) {
            return {
                property,
                reason: "is required: no daemon is needed here, so none is written to. Run docker load",
            };
        }
        const hint = hints[kind] ?? (option.test(property) ? archiveHint : undefined);
        return isUnknown && hint !== undefined ? { property, reason: hint } : problem;
    });
}
