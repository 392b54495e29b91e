import { formatPlatform, parsePlatform } from "../platform";
import type { Instruction } from "./instructions";
import { expandWord, isSpace } from "./shellWord";

/** A text with its variables replaced, or the reason why that cannot be done. */
export type Expanded =
    | {
          readonly value: string;
          /** The variables in it that are not set, and so are empty. */
          readonly unset: readonly string[];
      }
    | { readonly problem: string };

/** The variables that `FROM` can use. */
export type Variables = ReadonlyMap<string, Expanded>;

/** What decides the values of the variables. */
export interface VariableSources {
    readonly buildArgs: Readonly<Record<string, string | undefined>>;
    /** The platform that is built. */
    readonly platform: string;
    /** The platform of the builder. */
    readonly buildPlatform: string;
    /** The name of the stage that is built. Empty when it has none. */
    readonly stage: string;
}

/**
 * The variables of all `FROM` lines: the platforms, and what the `ARG` lines before the first `FROM` declare. A build
 * argument that no such line declares is not one of them. See `defaultArgs` and `buildMetaArgs` in
 * https://github.com/moby/buildkit/tree/v0.31.1/frontend/dockerfile/dockerfile2llb
 */
export function readVariables(args: readonly Instruction[], escape: string, sources: VariableSources): Variables {
    const variables = new Map<string, Expanded>();
    const given = new Map(Object.entries(sources.buildArgs));
    const set = (name: string, other: () => Expanded): void => {
        const value = given.get(name);
        const unknown = { problem: `the value of the build argument ${name} is not known yet` };
        const known = value === undefined ? unknown : { value, unset: [] };
        variables.set(name, given.has(name) ? known : other());
    };
    for (const [name, value] of predefined(sources)) {
        set(name, () => ({ value, unset: [] }));
    }
    for (const { rest } of args) {
        for (const word of splitArgs(rest, escape)) {
            const equals = word.indexOf("=");
            const name = equals < 0 ? word : word.slice(0, equals);
            if (equals >= 0 || given.has(name)) {
                set(name, () => expand(word.slice(equals + 1), variables, escape));
            }
        }
    }
    return variables;
}

/** Replaces the variables of a text. */
export function expand(text: string, variables: Variables, escape: string): Expanded {
    const unset = new Set<string>();
    const lookup = (name: string): string | undefined => {
        const variable = variables.get(name);
        if (variable && "problem" in variable) {
            throw new SyntaxError(variable.problem);
        }
        if (!variable) {
            unset.add(name);
        }
        return variable?.value;
    };
    try {
        return { value: expandWord(text, lookup, { escape }), unset: [...unset] };
    } catch (error) {
        if (error instanceof SyntaxError) {
            return { problem: error.message };
        }
        throw error;
    }
}

/** Reads the platform of a `FROM` line: also an operating system or an architecture alone, as containerd does. */
export function readPlatform(text: string, buildPlatform: string): string {
    const builder = parsePlatform(buildPlatform);
    if (text.includes("/")) {
        return formatPlatform(parsePlatform(text));
    }
    const isSystem = ["linux", "windows", "freebsd", "darwin"].includes(text.toLowerCase());
    return formatPlatform(parsePlatform(isSystem ? `${text}/${builder.architecture}` : `${builder.os}/${text}`));
}

function predefined({ platform, buildPlatform, stage }: VariableSources): [string, string][] {
    const target = parsePlatform(platform);
    const builder = parsePlatform(buildPlatform);
    return [
        ["BUILDPLATFORM", formatPlatform(builder)],
        ["BUILDOS", builder.os],
        ["BUILDOSVERSION", ""],
        ["BUILDARCH", builder.architecture],
        ["BUILDVARIANT", builder.variant ?? ""],
        ["TARGETPLATFORM", formatPlatform(target)],
        ["TARGETOS", target.os],
        ["TARGETOSVERSION", ""],
        ["TARGETARCH", target.architecture],
        ["TARGETVARIANT", target.variant ?? ""],
        ["TARGETSTAGE", stage || "default"],
    ];
}

/**
 * Cuts `name=value "name=value"` at white space, and leaves quotes and escapes where they are. See `parseWords` in
 * https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/parser/line_parsers.go
 */
function splitArgs(text: string, escape: string): string[] {
    const words: string[] = [];
    let word = "";
    let quote = "";
    for (let position = 0; position < text.length; position += 1) {
        const character = text.charAt(position);
        if (quote === "" && isSpace(character)) {
            words.push(word);
            word = "";
        } else if (character === escape && quote !== "'") {
            position += 1;
            word += position < text.length ? character + text.charAt(position) : "";
        } else {
            word += character;
            if (character === quote) {
                quote = "";
            } else if (quote === "" && (character === '"' || character === "'")) {
                quote = character;
            }
        }
    }
    return [...words, word].filter((one) => one !== "");
}
