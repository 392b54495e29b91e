import { changeValue, replacePattern } from "./shellPattern";

/** Finds the value of a variable: undefined when it is not set. May throw to end the expansion. */
export type Lookup = (name: string) => string | undefined;

interface WordSettings {
    /** The escape character of the Dockerfile. */
    readonly escape: string;
    /** True leaves quotes in the text. */
    readonly rawQuotes?: boolean;
    /** True leaves escape characters in the text. */
    readonly rawEscapes?: boolean;
    /** True leaves variables in the text that are not set. Otherwise they are empty. */
    readonly keepUnset?: boolean;
}

/**
 * Replaces variables, quotes and escapes, as BuildKit does in `FROM` and `ARG`. It is a shell of its own: see
 * https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/shell/lex.go
 *
 * Throws a SyntaxError that says what is wrong.
 */
export function expandWord(text: string, lookup: Lookup, settings: WordSettings): string {
    return readText(text, lookup, settings).text;
}

/** Cuts a text into words where BuildKit does, and leaves its variables alone. Throws like `expandWord`. */
export function splitWords(text: string, settings: WordSettings): string[] {
    return readText(text, () => undefined, { ...settings, keepUnset: true }).words;
}

/** True for what Go calls white space. */
export function isSpace(character: string): boolean {
    return /^[\s\u0085]$/.test(character) && character !== "\ufeff";
}

interface ReadText {
    readonly text: string;
    readonly words: string[];
}

function readText(source: string, lookup: Lookup, settings: WordSettings): ReadText {
    const { escape, rawQuotes = false, keepUnset = false } = settings;
    const characters = Array.from(source);
    let rawEscapes = settings.rawEscapes ?? false;
    let position = 0;
    // The word that is being read. BuildKit has one for all levels too, so what a `${}` holds ends the word around it.
    let word = "";

    const peek = (): string | undefined => characters[position];
    const next = (): string | undefined => characters[position++];

    /** Reads up to a character, which is taken as well, or to the end. */
    function readUntil(stop: string | undefined, raw: boolean): ReadText {
        const before = rawEscapes;
        rawEscapes = raw;
        const words: string[] = [];
        let text = "";
        let inWord = false;
        word = "";
        const add = (part: string): void => {
            word += part;
            inWord = true;
        };
        const addSplitting = (character: string): void => {
            if (!isSpace(character)) {
                add(character);
            } else if (inWord && word !== "") {
                words.push(word);
                word = "";
                inWord = false;
            }
        };
        const finish = (): ReadText => {
            rawEscapes = before;
            if (word !== "") {
                words.push(word);
                word = "";
            }
            return { text, words };
        };
        for (let character = peek(); character !== undefined; character = peek()) {
            if (character === stop) {
                next();
                return finish();
            }
            if (character === "$") {
                const value = readVariable();
                text += value;
                Array.from(value).forEach(addSplitting);
            } else if (character === "'" || character === '"' || character === "<") {
                const part = character === "'" ? readSingle() : character === '"' ? readDouble() : readAngle();
                text += part;
                add(part);
            } else if (next() !== escape) {
                text += character;
                addSplitting(character);
            } else {
                const escaped = next() ?? "";
                const part = rawEscapes ? escape + escaped : escaped;
                text += part;
                add(part);
            }
        }
        if (stop !== undefined) {
            throw new SyntaxError(`the ${stop} that ends a variable is missing`);
        }
        return finish();
    }

    function readSingle(): string {
        next();
        const end = characters.indexOf("'", position);
        if (end < 0) {
            throw new SyntaxError("a single quote is not closed");
        }
        const text = characters.slice(position, end).join("");
        position = end + 1;
        return rawQuotes ? `'${text}'` : text;
    }

    function readDouble(): string {
        next();
        let text = "";
        for (let character = peek(); character !== undefined; character = peek()) {
            if (character === "$") {
                text += readVariable();
                continue;
            }
            next();
            if (character === '"') {
                return rawQuotes ? `"${text}"` : text;
            }
            if (character !== escape) {
                text += character;
                continue;
            }
            const following = peek();
            const isEscaped = following === '"' || following === "$" || following === escape;
            text += (rawEscapes ? escape : "") + (isEscaped ? following : following === undefined ? "" : escape);
            position += isEscaped ? 1 : 0;
        }
        throw new SyntaxError("a double quote is not closed");
    }

    /** The start of a here-document keeps the white space before its name. */
    function readAngle(): string {
        next();
        if (peek() !== "<") {
            return "<";
        }
        next();
        let text = "<<";
        for (let space = peek(); space === " " || space === "\t" || space === "\r"; space = peek()) {
            text += space;
            next();
        }
        return text;
    }

    function readVariable(): string {
        next();
        if (peek() !== "{") {
            const name = readName();
            return name === "" ? "$" : (lookup(name) ?? (keepUnset ? `$${name}` : ""));
        }
        next();
        const first = peek();
        if (first === "{" || first === "}" || first === ":") {
            throw new SyntaxError("a ${ has no name of a variable");
        }
        const name = readName();
        const operator = next();
        switch (operator) {
            case "}":
                return lookup(name) ?? (keepUnset ? `\${${name}}` : "");
            case "/":
                return replaceVariable(name);
            case ":":
                return changeVariable(name, next(), true);
            default:
                return changeVariable(name, operator, false);
        }
    }

    function changeVariable(name: string, operator: string | undefined, emptyIsUnset: boolean): string {
        const isPattern = operator === "#" || operator === "%";
        if (operator === undefined || !"+-?#%".includes(operator) || (isPattern && emptyIsUnset)) {
            const what = (emptyIsUnset ? ":" : "") + (operator ?? "");
            throw new SyntaxError(
                what === "" ? "the } that ends a variable is missing" : `\${${name}${what} is unknown`,
            );
        }
        const { text } = readUntil("}", isPattern);
        const value = lookup(name);
        return keepUnset && value === undefined
            ? `\${${name}${emptyIsUnset ? ":" : ""}${operator}${text}}`
            : changeValue(value, { name, operator, emptyIsUnset, text });
    }

    function replaceVariable(name: string): string {
        const everywhere = peek() === "/";
        if (everywhere) {
            next();
        }
        const pattern = readUntil("/", true).text;
        const replacement = readUntil("}", true).text;
        const value = lookup(name);
        return keepUnset && value === undefined
            ? `\${${name}/${pattern}/${replacement}}`
            : replacePattern(value ?? "", pattern, replacement, everywhere);
    }

    function readName(): string {
        const rest = characters.slice(position).join("");
        const name = /^(?:\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)?.[0] ?? "";
        position += Array.from(name).length;
        return name;
    }

    return readUntil(undefined, rawEscapes);
}
