import type { Draft } from "./build";
import { cut, readCsv, readPairs } from "./fields";
import type { Value } from "./program";

/** Platforms: each one is built on a builder of its own. */
export function convertPlatforms(draft: Draft): void {
    const platforms = draft.all("platform").flatMap((text) => text.split(",").map((platform) => platform.trim()));
    const known = [...new Set(platforms.filter((platform) => platform !== ""))];
    if (known.includes("local")) {
        draft.refuseOption("platform", "is local, which is another platform on another machine. Name it: linux/amd64");
    } else if (known.length === 0) {
        const remedy = "Say which: --platform linux/amd64,linux/arm64";
        draft.refuseOption("platform", `is missing, and then buildx builds for whatever its builder is. ${remedy}`);
    }
    draft.set(
        "platforms",
        known.filter((platform) => platform !== "local"),
    );
}

/** Labels, and other pairs of names and values. */
export function convertPairs(option: string, input: string): (draft: Draft) => void {
    return (draft) => {
        const missing = (name: string): void => draft.refuseOption(option, "has no value. Write name=value", name);
        draft.set(input, readPairs(draft.all(option), missing));
    };
}

/** Texts that go into an input as they are. */
export function convertTexts(option: string, input: string): (draft: Draft) => void {
    return (draft) => draft.set(input, draft.all(option));
}

/** The text that was given last. */
export function convertText(option: string, input: string): (draft: Draft) => void {
    return (draft) => {
        const value = draft.last(option);
        draft.set(input, value === "" ? undefined : value);
    };
}

/** A switch that is on. */
export function convertSwitch(option: string, input: string): (draft: Draft) => void {
    return (draft) => draft.set(input, draft.isOn(option) ? true : undefined);
}

/** Hosts: buildx takes several in one value. */
export function convertHosts(draft: Draft): void {
    draft.set(
        "addHosts",
        draft.all("add-host").flatMap((text) => readCsv(text)),
    );
}

const networks = ["default", "host", "none"];

/** The network of steps: BuildKit knows three. */
export function convertNetwork(draft: Draft): void {
    const network = draft.last("network");
    if (network !== undefined && !networks.includes(network)) {
        draft.refuseOption("network", `is none that BuildKit has. It has ${networks.join(", ")}`);
    } else if (network !== "default") {
        draft.set("network", network);
    }
}

/** Stages without cache: several may stand in one value. */
export function convertNoCacheFilters(draft: Draft): void {
    draft.set(
        "noCacheFilters",
        draft.all("no-cache-filter").flatMap((text) => text.split(",")),
    );
}

/** Limits of processes, as `name=soft` or `name=soft:hard`. */
export function convertUlimits(draft: Draft): void {
    const limits = draft.all("ulimit").flatMap((text): Value[] => {
        const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
        if (name === undefined || soft === undefined) {
            draft.refuseOption("ulimit", "is not of the form name=soft:hard, for example nofile=1024:2048");
            return [];
        }
        return [{ name, soft: Number(soft), ...(hard === undefined ? {} : { hard: Number(hard) }) }];
    });
    draft.set("ulimits", limits);
}

// The older names of limits, which buildx still takes: https://github.com/docker/buildx/blob/v0.35.0/commands/build.go
export const olderResources = [
    ...["memory", "memory-swap", "cpu-shares", "cpu-period", "cpu-quota", "cpuset-cpus", "cpuset-mems"],
] as const;

/** Limits of the containers of steps. */
export function convertResources(draft: Draft): void {
    const missing = (name: string): void => draft.refuseOption("resource", "has no value. Write name=value", name);
    const older = olderResources.flatMap((name) => {
        const value = draft.last(name);
        return value === undefined ? [] : [`${name}=${value}`];
    });
    draft.set("resources", readPairs([...older, ...draft.all("resource")], missing));
}

/** What a build may do. buildx itself asks for leave to delete folders, which nothing does here. */
export function convertAllow(draft: Draft): void {
    const allowed = draft.all("allow").filter((name) => name !== "buildx.local.delete");
    draft.set("allow", allowed);
}

/** The steps that run again: a build still happens only when something changed. */
export function convertNoCache(draft: Draft): void {
    if (draft.isOn("no-cache")) {
        draft.set("noCache", true);
        draft.note("noCache runs every step again in a build, but a build happens only when something changed.");
    }
}

/** `build` is what this package does; all else asks buildx a question and makes no image. */
export function convertCall(draft: Draft): void {
    const method = draft.last("call") ?? draft.last("print") ?? "build";
    if (draft.isOn("check") || !["", "build"].includes(method)) {
        const name = draft.isOn("check") ? "check" : draft.all("print").length > 0 ? "print" : "call";
        draft.refuseOption(name, "asks about a Dockerfile and makes no image. Keep it as a command in the pipeline");
    }
}

/** Annotations by level. buildx puts one without a level on the manifest of each image. */
export function convertAnnotations(draft: Draft): void {
    const levels: Record<string, Record<string, string>> = {};
    for (const text of draft.all("annotation")) {
        const [left, value] = cut(text, "=");
        const [first, rest] = cut(left, ":");
        const key = rest ?? first;
        for (const level of rest === undefined ? ["manifest"] : first.split(",")) {
            putAnnotation(draft, levels, { option: "annotation", level, key, value });
        }
    }
    // The exporter takes them too: annotation.key, annotation-index.key, annotation-manifest-descriptor[platform].key
    for (const output of draft.all("output")) {
        for (const field of readCsv(output)) {
            const [, level, key, value] = /^annotation(?:-([a-z-]+(?:\[[^\]]*\])?))?\.([^=]+)=(.*)$/s.exec(field) ?? [];
            if (key !== undefined) {
                putAnnotation(draft, levels, { option: "output", level: level ?? "manifest", key, value });
            }
        }
    }
    draft.set("annotations", levels);
}

const annotationLevels: Readonly<Record<string, string>> = {
    index: "index",
    manifest: "manifest",
    "manifest-descriptor": "manifestDescriptor",
};

function putAnnotation(
    draft: Draft,
    levels: Record<string, Record<string, string>>,
    note: { option: string; level: string; key: string; value: string | undefined },
): void {
    const { option, level, key, value } = note;
    const input = annotationLevels[level];
    if (value === undefined) {
        draft.refuseOption(option, "has no value. Write name=value", key);
    } else if (level.includes("[")) {
        const remedy = "Write it into platformOverrides, by platform";
        draft.refuseOption(option, `is for one platform only, which is not carried over. ${remedy}`, key);
    } else if (input === undefined) {
        draft.refuseOption(option, `has the level ${level}, which only files of an OCI layout have`, key);
    } else {
        levels[input] = { ...levels[input], [key]: value };
    }
}
