import { isSpace, splitWords } from "./shellWord";

/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
    /** In lower case. */
    readonly keyword: string;
    /** The leading flags, such as `--from=build`, without quotes. */
    readonly flags: readonly string[];
    /** What follows the flags. */
    readonly rest: string;
    /** The whole instruction, without here-documents. */
    readonly line: string;
}

/** A Dockerfile, cut into instructions. */
export interface Instructions {
    /** The escape character. */
    readonly escape: string;
    readonly instructions: readonly Instruction[];
    /** What ended the reading before the end: nothing behind it is known. */
    readonly problem?: { readonly text: string; readonly reason: string };
}

const keywordsWithDocuments = new Set(["add", "copy", "run"]);

/**
 * Cuts a Dockerfile into instructions, line by line as BuildKit does. It does not judge them.
 * https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/parser/parser.go
 */
export function parseInstructions(dockerfile: string): Instructions {
    const lines = dockerfile.replace(/^\ufeff/, "").split("\n");
    const instructions: Instruction[] = [];
    const { escape, problem } = readDirectives(lines);
    let position = 0;
    if (problem) {
        return { escape, instructions, problem };
    }

    /** Comments and empty lines between continuation lines do not count. */
    function joinLines(first: string): string {
        let { text, continues } = cutContinuation(first, escape);
        while (continues && position < lines.length) {
            const line = (lines[position++] ?? "").replace(/\r+$/, "");
            const content = trimStart(line);
            if (content !== "" && !content.startsWith("#")) {
                const next = cutContinuation(line, escape);
                text += next.text;
                continues = next.continues;
            }
        }
        return text;
    }

    function skipDocument({ name, chomps }: Document): void {
        while (position < lines.length) {
            const line = (lines[position++] ?? "").replace(/\r+$/, "");
            if ((chomps ? line.replace(/^\t+/, "") : line) === name) {
                return;
            }
        }
        throw new SyntaxError(`the here-document ${name} does not end`);
    }

    while (position < lines.length) {
        const first = trimStart(lines[position++] ?? "");
        if (first === "" || first.startsWith("#")) {
            continue;
        }
        const line = joinLines(first);
        try {
            const instruction = parseInstruction(line, escape);
            for (const document of findDocuments(instruction, escape)) {
                skipDocument(document);
            }
            instructions.push(instruction);
        } catch (error) {
            if (error instanceof SyntaxError) {
                return { escape, instructions, problem: { text: line, reason: error.message } };
            }
            throw error;
        }
    }
    return { escape, instructions };
}

/** Reads an instruction from its one line: also the one that follows `ONBUILD`. */
export function parseInstruction(line: string, escape: string): Instruction {
    const [, keyword = "", others = ""] = /^([^\t\v\f\r ]*)[\t\v\f\r ]*([^]*)$/.exec(line.trim()) ?? [];
    return { keyword: keyword.toLowerCase(), ...splitFlags(others, escape), line: line.trim() };
}

/** The values of a flag: the text after `--name=`, each time it is there. */
export function flagValues({ flags }: Instruction, name: string): string[] {
    const start = `--${name}=`;
    return flags.filter((flag) => flag.startsWith(start)).map((flag) => flag.slice(start.length));
}

interface Document {
    readonly name: string;
    /** True when tabs before the name, and before each line, do not count. */
    readonly chomps: boolean;
}

/** The here-documents that follow an instruction. Only shell text has them: neither JSON nor other instructions do. */
function findDocuments(instruction: Instruction, escape: string): Document[] {
    const holder = instruction.keyword === "onbuild" ? parseInstruction(instruction.rest, escape) : instruction;
    if (!instruction.line.includes("<<") || !keywordsWithDocuments.has(holder.keyword) || isJsonList(holder.rest)) {
        return [];
    }
    return cutShellWords(instruction.line).flatMap((word) => {
        const [, dash, text = ""] = /^[0-9]*<<(-?)\s*([^<]*)$/.exec(word) ?? [];
        const names = text === "" ? [] : splitWords(text, { escape: "\\" });
        return names.length === 1 ? [{ name: names[0] ?? "", chomps: dash === "-" }] : [];
    });
}

/** Shell text need not make sense to BuildKit. Then it has no here-documents. */
function cutShellWords(line: string): string[] {
    try {
        return splitWords(line, { escape: "\\", rawQuotes: true, rawEscapes: true });
    } catch {
        return [];
    }
}

function isJsonList(text: string): boolean {
    try {
        const value: unknown = JSON.parse(text);
        return Array.isArray(value) && value.every((item) => typeof item === "string");
    } catch {
        return false;
    }
}

/** Directives are comments before everything else. One of them names the escape character. */
function readDirectives(lines: readonly string[]): Pick<Instructions, "escape" | "problem"> {
    const directives = new Map<string, string>();
    for (const line of lines) {
        const text = trimStart(line);
        const [, name = "", value = ""] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(text) ?? [];
        const known = name.toLowerCase();
        if (!["syntax", "escape", "check"].includes(known)) {
            break;
        }
        if (directives.has(known)) {
            return { escape: "\\", problem: { text, reason: `there is more than one ${known} directive` } };
        }
        if (known === "escape" && value !== "\\" && value !== "`") {
            return { escape: "\\", problem: { text, reason: "the escape character is a backslash or a backtick" } };
        }
        directives.set(known, value);
    }
    return { escape: directives.get("escape") ?? "\\" };
}

/** An escape character at the end goes on in the next line, unless another stands before it. */
function cutContinuation(line: string, escape: string): { text: string; continues: boolean } {
    const end = escape === "`" ? /([^`])`[ \t]*$|^`[ \t]*$/ : /([^\\])\\[ \t]*$|^\\[ \t]*$/;
    return end.test(line) ? { text: line.replace(end, "$1"), continues: true } : { text: line, continues: false };
}

/** https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/parser/split_command.go */
function splitFlags(text: string, escape: string): { flags: string[]; rest: string } {
    const flags: string[] = [];
    let position = 0;
    for (;;) {
        while (isSpace(text.charAt(position))) {
            position += 1;
        }
        if (!text.startsWith("--", position)) {
            return { flags, rest: text.slice(position).trim() };
        }
        let flag = "";
        let quote = "";
        for (; position < text.length; position += 1) {
            const character = text.charAt(position);
            if (quote === "" && isSpace(character)) {
                break;
            }
            if (character === quote) {
                quote = "";
            } else if (quote === "" && (character === '"' || character === "'")) {
                quote = character;
            } else if (character === escape) {
                position += 1;
                flag += text.charAt(position);
            } else {
                flag += character;
            }
        }
        if (flag === "--") {
            return { flags, rest: text.slice(position).trim() };
        }
        flags.push(flag);
    }
}

function trimStart(line: string): string {
    return line.replace(/\r+$/, "").replace(/^[\s\u0085]+/, "");
}
