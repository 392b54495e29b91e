import * as path from "node:path";

import type { InputProblem } from "../../resources/lifecycle";
import { unknownValue, type Properties } from "../../resources/values";
import { findComponentProblems } from "../../validation/component";
import { checkPlatform } from "../../validation/platforms";
import { Draft, type Build, type Refusal } from "./build";
import { namedBuilder, placeholderBuilders } from "./builders";
import { buildFlags } from "./flags";
import type { Constant, Program, ProgramImage, Setting, Value } from "./program";
import { hasReference, reference, referencesIn, splitReferences } from "./references";

/** Where builds were found, and where their program goes. */
export interface ConvertOptions {
    /** Where paths are relative to, and where the program will be. */
    readonly folders: { readonly from: string; readonly to: string };
    /** The variables of a script. Only those that are used become settings. */
    readonly settings?: readonly Setting[];
    /** Sentences for the top of the program. */
    readonly notes?: readonly string[];
}

/** A program, unless something cannot be carried over. */
export interface Converted {
    readonly program: Program;
    readonly refusals: readonly Refusal[];
}

// How a declaration reads best. What is not named here follows, before what builds.
const order = [
    ...["context", "dockerfile", "target", "platforms", "repository", "tags", "additionalRepositories", "push"],
    ...["buildArgs", "secrets", "secretFiles", "ssh", "labels", "annotations", "attestations"],
];

/** Turns builds into a program. Everything that cannot be carried over is found at once. */
export function convertBuilds(builds: readonly Build[], options: ConvertOptions): Converted {
    const drafts = builds.map((build) => new Draft(build, options.folders));
    drafts.forEach(convertFlags);
    const settings = new Map((options.settings ?? []).map((setting) => [setting.name, setting]));
    for (const [name, setting] of drafts.flatMap((draft) => [...draft.settings])) {
        settings.set(name, { ...settings.get(name), ...setting });
    }
    const constants = addBuilders(drafts, settings);
    drafts.forEach(checkInputs);
    const names = nameImages(drafts);
    const images = drafts.map((draft, index) => finishImage(draft, names[index] ?? "image"));
    const used = new Set([...images.map(({ args }) => args), ...constants].flatMap((value) => listReferences(value)));
    const program: Program = {
        name: names.length === 1 ? (names[0] ?? "image") : "images",
        settings: [...settings.values()].filter(({ name }) => used.has(name)),
        constants: constants.filter(({ name }) => used.has(name)),
        images,
        notes: options.notes ?? [],
    };
    return { program, refusals: drafts.flatMap(({ refusals }) => refusals) };
}

function convertFlags(draft: Draft): void {
    const outcomes = buildFlags.map(({ outcome }) => outcome);
    // Several options share one conversion, which looks at all of them.
    const conversions = new Set(outcomes.flatMap((outcome) => ("convert" in outcome ? (outcome.convert ?? []) : [])));
    conversions.forEach((convert) => convert(draft));
    for (const [name] of draft.build.options) {
        const outcome = buildFlags.find((flag) => flag.name === name)?.outcome;
        if (outcome === undefined) {
            draft.refuseOption(name, "is unknown here. It may be newer than this version of pulumi-multiarch");
        } else if ("refused" in outcome && outcome.convert === undefined) {
            draft.refuseOption(name, outcome.refused);
        } else if ("dropped" in outcome && outcome.silent !== true) {
            draft.note(outcome.dropped);
        }
    }
}

/** The builders of all images: those that are named, and one list to fill in for all others. */
function addBuilders(drafts: readonly Draft[], settings: Map<string, Setting>): Constant[] {
    const unnamed: Draft[] = [];
    for (const draft of drafts) {
        const name = namedBuilder(draft.build);
        if (name === undefined) {
            unnamed.push(draft);
        } else {
            draft.set("builders", { named: [{ name }] });
        }
    }
    const platforms = new Set(unnamed.flatMap((draft) => (draft.args.get("platforms") ?? []) as string[]));
    const filled = placeholderBuilders([...platforms].filter(isPlatform));
    if (unnamed.length === 0) {
        return [];
    }
    for (const setting of filled.settings) {
        // Behind all others, also where a script has a variable of the same name.
        settings.delete(setting.name);
        settings.set(setting.name, setting);
    }
    const [only, ...more] = unnamed;
    if (more.length === 0) {
        only?.set("builders", filled.builders);
        return [...filled.constants];
    }
    unnamed.forEach((draft) => draft.set("builders", reference("builders")));
    return [...filled.constants, { name: "builders", value: filled.builders }];
}

function isPlatform(platform: string): boolean {
    return checkPlatform("", platform).length === 0;
}

/** What the component would say of the inputs, as far as they are known. */
function checkInputs(draft: Draft): void {
    const { builders, ...others } = Object.fromEntries(draft.args);
    const isNamed = typeof builders === "object" && "named" in builders;
    const inputs = { ...(hide(others) as Properties), builders: isNamed ? builders : unknownValue };
    // What is missing was said by the name of its option.
    const problems = findComponentProblems(inputs).filter(({ reason }) => reason !== "is required");
    problems.filter(({ property }) => !isSaid(draft, property)).forEach((problem) => refuseInput(draft, problem));
}

function isSaid(draft: Draft, property: string): boolean {
    return property === "platforms" && draft.refusals.some(({ what }) => what.endsWith("platform"));
}

function refuseInput(draft: Draft, { property, reason }: InputProblem): void {
    const top = /^[A-Za-z]+/.exec(property)?.[0] ?? property;
    const flag = buildFlags.find(({ name, outcome }) => {
        const inputs = "input" in outcome ? outcome.input.split(", ") : [];
        return draft.build.options.has(name) && inputs.some((input) => input.startsWith(top));
    });
    const name = flag === undefined ? property : draft.build.target === undefined ? `--${flag.name}` : flag.name;
    draft.refuse(name, flag === undefined ? reason : `becomes ${property}, which ${reason}`);
}

function hide(value: Value): unknown {
    if (typeof value === "string") {
        return hasReference(value) ? unknownValue : value;
    }
    if (Array.isArray(value)) {
        return value.map((item: Value) => hide(item));
    }
    return typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hide(item)]))
        : value;
}

function finishImage(draft: Draft, name: string): ProgramImage {
    const place = (input: string): number => {
        const at = order.indexOf(input);
        return input === "builders" ? order.length + 1 : at < 0 ? order.length : at;
    };
    const entries = [...draft.args].sort(([one], [other]) => place(one) - place(other));
    return { name, args: Object.fromEntries(entries), notes: draft.notes };
}

/** Names of resources: the target, or the last part of the repository; numbered where several are equal. */
function nameImages(drafts: readonly Draft[]): string[] {
    const taken = new Set<string>();
    return drafts.map((draft) => {
        const repository = draft.args.get("repository") as string | undefined;
        const last = splitReferences(path.posix.basename(repository ?? "image"))
            .filter((_, index) => index % 2 === 0)
            .join("")
            .replace(/^[^a-zA-Z]+|[^a-zA-Z0-9]+$/g, "");
        const base = draft.build.target ?? (last === "" ? "image" : last);
        let name = base;
        for (let number = 2; taken.has(name); number++) {
            name = `${base}-${number}`;
        }
        taken.add(name);
        return name;
    });
}

function listReferences(value: unknown): string[] {
    if (typeof value === "string") {
        return referencesIn(value);
    }
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(listReferences) : [];
}
