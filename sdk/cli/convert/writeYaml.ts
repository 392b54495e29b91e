import type { Program, ProgramImage, Setting, Value } from "./program";
import { splitReferences } from "./references";
import { wrap } from "./writeTypeScript";

const width = 120;
const indent = "  ";

/** Writes a program in Pulumi YAML, the whole Pulumi.yaml, formatted as Prettier does it. */
export function writeYaml(program: Program): string {
    const { name, settings, constants, images, notes } = program;
    const parts = [
        [
            ...comment(notes, 0),
            `name: ${writeText(name)}`,
            "runtime: yaml",
            "plugins:",
            `${indent}providers:`,
            `${indent}${indent}- { name: multiarch, path: node_modules/pulumi-multiarch/bin }`,
        ],
        // `configuration` is the older name of `config`, which every version of the language host understands.
        section("configuration", settings.flatMap(writeSetting)),
        section(
            "variables",
            constants.flatMap((constant) => writeEntry(constant.name, constant.value, 1)),
        ),
        section("resources", images.flatMap(writeImage)),
        section(
            "outputs",
            images.flatMap((image) => writeOutputs(image, images.length === 1)),
        ),
    ];
    return `${parts
        .filter((lines) => lines.length > 0)
        .map((lines) => lines.join("\n"))
        .join("\n\n")}\n`;
}

function section(name: string, lines: readonly string[]): string[] {
    return lines.length === 0 ? [] : [`${name}:`, ...lines];
}

function writeSetting({ name, secret = false, type = "string", default: byDefault, comment: note }: Setting): string[] {
    const fields = {
        type: type === "number" ? "Integer" : "String",
        ...(secret ? { secret } : {}),
        ...(byDefault === undefined ? {} : { default: byDefault }),
    };
    return [...comment(note === undefined ? [] : [note], 1), ...writeEntry(name, fields, 1)];
}

function writeImage({ name, args, notes }: ProgramImage): string[] {
    const properties = Object.entries(args).flatMap(([input, value]) => writeEntry(input, value, 3));
    const head = [`${indent}${writeKey(name)}:`, `${indent}${indent}type: multiarch:MultiArchImage`];
    return [...comment(notes, 1), ...head, `${indent}${indent}properties:`, ...properties];
}

/** What a program has to show: the digest and the ref, or what is known without a push. */
function writeOutputs({ name, args }: ProgramImage, isOnly: boolean): string[] {
    const outputs = args["push"] === false ? ["contentHash"] : ["indexDigest", "ref"];
    return outputs.map(
        (output) => `${indent}${writeKey(isOnly ? output : `${name}-${output}`)}: \${${name}.${output}}`,
    );
}

function comment(sentences: readonly string[], depth: number): string[] {
    const start = `${indent.repeat(depth)}# `;
    return sentences.flatMap((sentence) => wrap(sentence, width - start.length).map((line) => `${start}${line}`));
}

/** A name with its value, on one line where there is room for it. */
function writeEntry(name: string, value: Value, depth: number): string[] {
    return writeBehind(`${indent.repeat(depth)}${writeKey(name)}:`, value, depth);
}

function writeBehind(start: string, value: Value, depth: number): string[] {
    const flat = isLines(value) ? undefined : writeFlat(value);
    if (flat !== undefined && start.length + 1 + flat.length <= width) {
        return [`${start} ${flat}`];
    }
    if (isLines(value)) {
        return writeLines(start, value, depth);
    }
    if (Array.isArray(value)) {
        return [start, ...value.flatMap((item: Value) => writeBehind(`${indent.repeat(depth + 1)}-`, item, depth + 1))];
    }
    if (typeof value === "object") {
        const entries = Object.entries(value).flatMap(([name, item]) => writeEntry(name, item, depth + 1));
        // Behind the dash of a list, the first entry stands on the same line.
        const [first = "", ...others] = entries;
        return start.endsWith("-") ? [`${start} ${first.trimStart()}`, ...others] : [start, ...entries];
    }
    return [`${start} ${writeText(String(value))}`];
}

/** A text of several lines that can stand as it is: no blank at its beginning, and at most one line break at its end. */
function isLines(value: Value): value is string {
    if (typeof value !== "string" || !/^\S[^]*\n[^]*[^\n]\n?$/.test(value)) {
        return false;
    }
    const known = splitReferences(value).join("");
    return /^[\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff]*$/.test(known);
}

function writeLines(start: string, text: string, depth: number): string[] {
    const ends = text.endsWith("\n");
    const lines = escapeReferences(ends ? text.slice(0, -1) : text).split("\n");
    const inner = indent.repeat(depth + 1);
    return [`${start} |${ends ? "" : "-"}`, ...lines.map((line) => (line === "" ? "" : `${inner}${line}`))];
}

/** A value on one line; undefined where that reads badly. */
function writeFlat(value: Value): string | undefined {
    if (typeof value === "string") {
        return writeText(value, true);
    }
    if (Array.isArray(value)) {
        const items = value.map((item: Value) => (typeof item === "object" ? undefined : writeFlat(item)));
        return items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
    }
    if (typeof value === "object") {
        const items = Object.entries(value).map(([name, item]) => {
            const flat = isNested(item) || isLines(item) ? undefined : writeFlat(item);
            return flat === undefined ? undefined : `${writeKey(name)}: ${flat}`;
        });
        return items.includes(undefined) ? undefined : items.length === 0 ? "{}" : `{ ${items.join(", ")} }`;
    }
    return String(value);
}

function isNested(value: Value): boolean {
    return typeof value === "object" && Object.values(value).some((item) => typeof item === "object");
}

function writeKey(name: string): string {
    return isPlain(name) ? name : quote(name);
}

/** A text: plain where nothing else could be read from it. Inside of brackets a reference has to be quoted. */
function writeText(text: string, isFlow = false): string {
    const escaped = escapeReferences(text);
    const isReference = !isFlow && /^\$\{\w+\}$/.test(escaped);
    return isReference || isPlain(escaped) ? escaped : quote(escaped);
}

/** References become `${name}`, and what looks like one is escaped. */
function escapeReferences(text: string): string {
    return splitReferences(text)
        .map((part, index) => (index % 2 === 1 ? `\${${part}}` : part.replaceAll("${", () => "$${")))
        .join("");
}

// Fewer texts than YAML would take as they are, but none of them a number, a date, a word with a meaning of its own, or
// something with a sign in it: https://yaml.org/spec/1.2.2/#733-plain-style, and the words of YAML 1.1.
const plain = /^(?:[A-Za-z_./][\w./@+-]*(?:[ :=][\w./@+-]+)*(?:\/\/[\w./@+-]+)?|\d+\.\d+\.\d[\w.-]*|\d+[a-z]+)$/;
const meaningful = /^(?:y|n|yes|no|on|off|true|false|null|~|\.inf|\.nan|\d+e\d*|0x[0-9a-f]+|0o\d+|=|<<)$/i;

function isPlain(text: string): boolean {
    return plain.test(text) && !meaningful.test(text) && !/^[.+-]*\d*\.?$/.test(text) && !/^\.{3}|^---/.test(text);
}

/** In double quotes, as JSON has them: every text of JSON is one of YAML. In single quotes where that needs less. */
function quote(text: string): string {
    const isSimpler = text.split('"').length > text.split("'").length && !/[\\\p{Cc}\u2028\u2029]/u.test(text);
    return isSimpler ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
