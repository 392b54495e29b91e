import type { Program, ProgramImage, Setting, Value } from "./program";
import { referencesIn, splitReferences } from "./references";
import { camelCase, reservedNames } from "./names";

const width = 120;
const indent = "    ";

/** Writes a program in TypeScript, formatted as Prettier does it. */
export function writeTypeScript(program: Program): string {
    const names = nameVariables(program);
    const secrets = new Set(program.settings.filter(({ secret }) => secret).map(({ name }) => name));
    const writer = new Writer(secrets);
    const usesPulumi = program.settings.length > 0;
    const parts = [
        [
            ...(usesPulumi ? ['import * as pulumi from "@pulumi/pulumi";'] : []),
            'import { MultiArchImage } from "pulumi-multiarch";',
        ],
        comment(program.notes),
        writeSettings(program.settings),
        ...program.constants.map(({ name, value }) => [`const ${name} = ${writer.write(value, 0, name.length + 10)};`]),
        ...program.images.map((image, index) => writeImage(image, names[index] ?? "image", writer)),
        program.images.flatMap((image, index) => writeOutputs(image, names[index] ?? "image", names.length === 1)),
    ];
    return `${parts
        .filter((lines) => lines.length > 0)
        .map((lines) => lines.join("\n"))
        .join("\n\n")}\n`;
}

function writeSettings(settings: readonly Setting[]): string[] {
    if (settings.length === 0) {
        return [];
    }
    const lines = settings.flatMap((setting) => [
        ...comment(setting.comment === undefined ? [] : [setting.comment]),
        `const ${setting.name} = ${readSetting(setting)};`,
    ]);
    return ["const config = new pulumi.Config();", ...lines];
}

function readSetting({ name, secret = false, type = "string", default: byDefault }: Setting): string {
    const number = type === "number" ? "Number" : "";
    if (byDefault !== undefined) {
        return `config.get${number}(${quote(name)}) ?? ${number === "" ? quote(byDefault) : byDefault}`;
    }
    return `config.require${secret ? "Secret" : ""}${number}(${quote(name)})`;
}

function writeImage({ name, args, notes }: ProgramImage, variable: string, writer: Writer): string[] {
    const lines = Object.entries(args).map(([input, value]) => {
        const key = writeKey(input);
        return `${indent}${writer.property(key, value, 1)},`;
    });
    return [...comment(notes), `const ${variable} = new MultiArchImage(${quote(name)}, {`, ...lines, "});"];
}

/** What a program has to show: the digest and the ref, or what is known without a push. */
function writeOutputs({ args }: ProgramImage, variable: string, isOnly: boolean): string[] {
    const outputs = args["push"] === false ? ["contentHash"] : ["indexDigest", "ref"];
    return outputs.map((output) => {
        const name = isOnly ? output : `${variable}${output[0]?.toUpperCase() ?? ""}${output.slice(1)}`;
        return `export const ${name} = ${variable}.${output};`;
    });
}

/** Variables are named after their images; a single one is `image`. */
function nameVariables({ images, settings, constants }: Program): string[] {
    const taken = new Set([...settings, ...constants].map(({ name }) => name));
    reservedNames.forEach((name) => taken.add(name));
    return images.map(({ name }) => {
        const base = images.length === 1 ? "image" : camelCase(name.split(/[^A-Za-z0-9]+/));
        let variable = base;
        for (let number = 2; taken.has(variable); number++) {
            variable = number === 2 ? `${base}Image` : `${base}Image${number}`;
        }
        taken.add(variable);
        return variable;
    });
}

/** Sentences as a comment, each on lines of its own. */
function comment(sentences: readonly string[]): string[] {
    return sentences.flatMap((sentence) => wrap(sentence, width - 3).map((line) => `// ${line}`));
}

/** Breaks a sentence into lines of at most some width. */
export function wrap(sentence: string, columns: number): string[] {
    const lines: string[] = [];
    for (const word of sentence.split(/\s+/)) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + 1 + word.length <= columns) {
            lines[lines.length - 1] = `${last} ${word}`;
        } else {
            lines.push(word);
        }
    }
    return lines;
}

class Writer {
    constructor(private readonly secrets: ReadonlySet<string>) {}

    /** A value as an expression: on one line where there is room. `used` is what stands on that line already. */
    write(value: Value, depth: number, used: number): string {
        const flat = this.flat(value);
        return flat !== undefined && used + flat.length + 1 <= width ? flat : this.broken(value, depth);
    }

    property(key: string, value: Value, depth: number): string {
        if (isShorthand(key, value)) {
            return key;
        }
        return `${key}: ${this.write(value, depth, depth * indent.length + key.length + 2)}`;
    }

    private broken(value: Value, depth: number): string {
        const inner = indent.repeat(depth + 1);
        const outer = indent.repeat(depth);
        if (typeof value === "string" && isLines(value)) {
            const lines = value.split("\n").map((line) => `${inner}${quote(line)},\n`);
            return `[\n${lines.join("")}${outer}].join("\\n")`;
        }
        if (Array.isArray(value)) {
            const items = value.map((item: Value) => `${inner}${this.write(item, depth + 1, inner.length)},\n`);
            return `[\n${items.join("")}${outer}]`;
        }
        if (typeof value === "object") {
            const items = Object.entries(value).map(([name, item]) => {
                return `${inner}${this.property(writeKey(name), item, depth + 1)},\n`;
            });
            return `{\n${items.join("")}${outer}}`;
        }
        return this.flat(value) ?? "";
    }

    /** A value on one line; undefined for one that is never written so. */
    private flat(value: Value): string | undefined {
        if (typeof value === "string") {
            return isLines(value) ? `[${value.split("\n").map(quote).join(", ")}].join("\\n")` : this.text(value);
        }
        if (Array.isArray(value)) {
            // Prettier breaks lists of several objects, as soon as each has more than one property.
            const objects = value.filter((item: Value) => typeof item === "object" && Object.keys(item).length > 1);
            const items = value.map((item: Value) => this.flat(item));
            const isBroken = value.length > 1 && objects.length === value.length;
            return isBroken || items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
        }
        if (typeof value === "object") {
            const items = Object.entries(value).map(([name, item]) => {
                const key = writeKey(name);
                const flat = this.flat(item);
                return flat === undefined || isShorthand(key, item) ? flat && key : `${key}: ${flat}`;
            });
            return items.includes(undefined) ? undefined : items.length === 0 ? "{}" : `{ ${items.join(", ")} }`;
        }
        return String(value);
    }

    private text(text: string): string {
        const parts = splitReferences(text);
        if (parts.length === 1) {
            return quote(text);
        }
        if (parts.length === 3 && parts[0] === "" && parts[2] === "") {
            return parts[1] ?? "";
        }
        const body = parts
            .map((part, index) =>
                index % 2 === 1 ? `\${${part}}` : escapeControls(part.replace(/[\\`]|\$(?=\{)/g, "\\$&")),
            )
            .join("");
        // A secret is no text yet: https://www.pulumi.com/docs/iac/concepts/inputs-outputs/#outputs-and-strings
        const tag = referencesIn(text).some((name) => this.secrets.has(name)) ? "pulumi.interpolate" : "";
        return `${tag}\`${body}\``;
    }
}

/** True for a text that reads best as a list of its lines. */
function isLines(text: string): boolean {
    return text.includes("\n") && referencesIn(text).length === 0;
}

function isShorthand(key: string, value: Value): boolean {
    return typeof value === "string" && referencesIn(value)[0] === key && splitReferences(value).join("") === key;
}

function writeKey(name: string): string {
    return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}

/** A text in the quotes that need fewer escapes. */
function quote(text: string): string {
    const doubles = text.split('"').length;
    const singles = text.split("'").length;
    const mark = doubles > singles ? "'" : '"';
    const escaped = escapeControls(text.replaceAll("\\", "\\\\")).replaceAll(mark, `\\${mark}`);
    return `${mark}${escaped}${mark}`;
}

function escapeControls(text: string): string {
    return text
        .replaceAll("\n", "\\n")
        .replaceAll("\r", "\\r")
        .replaceAll("\t", "\\t")
        .replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
