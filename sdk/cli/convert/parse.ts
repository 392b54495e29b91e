import type { Build, Refusal } from "./build";
import { olderResources } from "./buildOptions";
import { buildFlags, type BuildFlag } from "./flags";
import { hasReference } from "./references";

/** What a command was understood as: a build, or what is wrong with it. */
export interface ParsedCommand {
    readonly build?: Build;
    readonly refusals: readonly Refusal[];
}

const starts: readonly (readonly string[])[] = [
    ["docker", "buildx", "build"],
    ["docker", "buildx", "b"],
    ["docker", "build"],
    ["docker", "image", "build"],
    ["docker", "builder", "build"],
    ["docker-buildx", "build"],
    ["buildx", "build"],
    ["buildx", "b"],
];

/** How many words at the beginning name the command; 0 for a command that is no build. */
export function countCommandWords(words: readonly string[]): number {
    const start = starts.find((names) => names.every((name, index) => lastPart(words[index], index) === name));
    return start?.length ?? 0;
}

/** A program may be named with its folder. */
function lastPart(word: string | undefined, index: number): string | undefined {
    return index === 0 ? word?.slice(word.lastIndexOf("/") + 1) : word;
}

/** Reads the words of a build command, the way buildx does: options and the context in any order. */
export function parseBuildCommand(
    words: readonly string[],
    { place = "", env = {} }: { place?: string; env?: Readonly<Record<string, string>> } = {},
): ParsedCommand {
    const options = new Map<string, string[]>();
    const positional: string[] = [];
    const refusals: Refusal[] = [];
    const refuse = (what: string, reason: string): void => {
        refusals.push({ what: place === "" ? what : `${place}: ${what}`, reason });
    };
    const put = (flag: BuildFlag, value: string): void => {
        options.set(flag.name, [...(options.get(flag.name) ?? []), value]);
    };
    const rest = words.slice(countCommandWords(words));
    while (rest.length > 0) {
        const word = rest.shift() ?? "";
        if (word === "--") {
            positional.push(...rest.splice(0));
        } else if (word === "-" || !word.startsWith("-")) {
            positional.push(word);
        } else if (word.startsWith("--")) {
            readLong(word, rest, put, refuse);
        } else {
            readLetters(word, rest, put, refuse);
        }
    }
    if (positional.length > 1) {
        const reason = "is one word too many: a build has one context. Check the quotes before it";
        // A word may be the rest of a value that was not quoted, and so of a secret.
        refuse(`argument ${positional.length}`, reason);
    }
    const [context] = positional;
    if (context !== undefined && hasReference(context) && positional.length === 1) {
        refuse("the context", "is a variable. Write the folder out: what it holds is part of the image");
    }
    return refusals.length > 0
        ? { refusals }
        : { build: { place, options, env, ...(context === undefined ? {} : { context }) }, refusals };
}

type Put = (flag: BuildFlag, value: string) => void;
type Refuse = (what: string, reason: string) => void;

const unknownOption = "is no option of docker buildx build 0.35. Leave it out, or look for its name of today";
const noValue = "has no value";

function readLong(word: string, rest: string[], put: Put, refuse: Refuse): void {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = buildFlags.find((known) => known.name === name);
    if (flag === undefined) {
        refuse(hasReference(name) ? "an option in a variable" : `--${name}`, unknownOption);
    } else if (flag.takes === "switch") {
        putSwitch(flag, value, put, refuse);
    } else {
        putValue(flag, value ?? rest.shift(), put, refuse);
    }
}

/** Letters may stand together, and the last one may have its value right behind it: `-qt name`, `-tname`, `-t=name`. */
function readLetters(word: string, rest: string[], put: Put, refuse: Refuse): void {
    for (let at = 1; at < word.length; at++) {
        const flag = buildFlags.find(({ short }) => short === word[at]);
        const behind = word.slice(at + 1);
        if (flag === undefined) {
            refuse(`-${word[at] === "\0" ? "" : (word[at] ?? "")}`, unknownOption);
            return;
        }
        if (flag.takes === "switch" && !behind.startsWith("=")) {
            put(flag, "true");
            continue;
        }
        const value = behind.replace(/^=/, "");
        if (flag.takes === "switch") {
            putSwitch(flag, value, put, refuse);
        } else {
            putValue(flag, behind === "" ? rest.shift() : value, put, refuse);
        }
        return;
    }
}

function putSwitch(flag: BuildFlag, value: string | undefined, put: Put, refuse: Refuse): void {
    if (value !== undefined && !/^(1|0|t|f|true|false)$/i.test(value)) {
        refuse(`--${flag.name}`, "is a switch: true or false");
    } else {
        put(flag, value ?? "true");
    }
}

function putValue(flag: BuildFlag, value: string | undefined, put: Put, refuse: Refuse): void {
    if (value === undefined) {
        refuse(`--${flag.name}`, noValue);
    } else if (hasReference(value) && !mayHoldVariables.has(flag.name)) {
        refuse(`--${flag.name}`, "has a variable in it, on which it depends what becomes of it. Write the value out");
    } else {
        put(flag, value);
    }
}

// Options whose value is one text for the program. All others say what the program looks like.
const mayHoldVariables = new Set(
    [
        "add-host",
        "annotation",
        "build-arg",
        "build-context",
        "cache-from",
        "cache-to",
        "file",
        "label",
        "output",
    ].concat(
        ["progress", "secret", "ssh", "tag", "target", "shm-size", "cgroup-parent", "builder", "resource"],
        ["iidfile", "metadata-file", ...olderResources],
    ),
);
