/**
 * Rewrites a regular expression of Go as one for JavaScript. BuildKit lets parts of an ignore pattern through to Go's
 * regexp package, so `a{2}*`, `a|b*` and `\d*` mean there what they mean in a regular expression. Only what such a
 * pattern can hold is known here; Unicode classes (`\pL`) and POSIX classes (`[:alpha:]`) are refused.
 *
 * https://pkg.go.dev/regexp/syntax
 */
export function translateExpression(expression: string): string {
    const input = Array.from(expression);
    let output = "";
    // What a repetition may follow: anything but the start of an alternative or another repetition.
    let repeatable = false;
    for (let at = 0; at < input.length;) {
        const repeat = readRepeat(input, at);
        if (repeat && !repeatable) {
            throw new SyntaxError("nothing to repeat");
        }
        const token = repeat ?? readToken(input, at);
        repeatable = !repeat && !["*", "?", "|"].includes(token.text);
        output += token.text;
        at += token.length;
    }
    return output;
}

function readToken(input: readonly string[], at: number): Token {
    const character = input[at] ?? "";
    if (character === "\\") {
        return readBackslash(input, at);
    }
    return character === "[" ? readSet(input, at) : { text: plain[character] ?? literal(codeOf(character)), length: 1 };
}

/** A piece of the result, and how much of the input it stands for. */
interface Token {
    readonly text: string;
    readonly length: number;
}

const plain: Readonly<Record<string, string>> = {
    "(": "(",
    ")": ")",
    "^": "(?:^)",
    $: "(?:$)",
    ".": "[^\\n]",
    "*": "*",
    "?": "?",
    "|": "|",
};

const assertions: Readonly<Record<string, string>> = {
    A: "(?:^)",
    z: "(?:$)",
    b: "(?:\\b)",
    B: "(?:\\B)",
};

// JavaScript's own \s knows more characters than Go's.
const classEscapes: Readonly<Record<string, { outside: string; inside: string }>> = {
    d: { outside: "\\d", inside: "\\d" },
    D: { outside: "\\D", inside: "\\D" },
    w: { outside: "\\w", inside: "\\w" },
    W: { outside: "\\W", inside: "\\W" },
    s: { outside: "[\\t\\n\\f\\r ]", inside: "\\t\\n\\f\\r " },
    S: { outside: "[^\\t\\n\\f\\r ]", inside: "\\0-\\x08\\v\\x0e-\\x1f!-\\u{10ffff}" },
};

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** What follows a backslash outside of a set. */
function readBackslash(input: readonly string[], at: number): Token {
    const next = input[at + 1] ?? "";
    if (next === "Q") {
        // All up to \E, or to the end, stands for itself.
        const rest = input.slice(at + 2);
        const end = rest.findIndex((each, index) => each === "\\" && rest[index + 1] === "E");
        const quoted = end < 0 ? rest : rest.slice(0, end);
        const text = quoted.map((each) => literal(codeOf(each))).join("");
        return { text, length: quoted.length + (end < 0 ? 2 : 4) };
    }
    const known = assertions[next] ?? classEscapes[next]?.outside;
    if (known !== undefined) {
        return { text: known, length: 2 };
    }
    const { code, length } = readEscape(input, at);
    return { text: literal(code), length };
}

/** A character set, from its opening bracket. */
function readSet(input: readonly string[], start: number): Token {
    const negated = input[start + 1] === "^";
    const first = start + (negated ? 2 : 1);
    let at = first;
    let text = "";
    while (at === first || input[at] !== "]") {
        if (input[at] === "[" && input[at + 1] === ":" && input.slice(at).join("").includes(":]")) {
            throw new SyntaxError("POSIX classes are not known");
        }
        const known = input[at] === "\\" ? classEscapes[input[at + 1] ?? ""] : undefined;
        if (known) {
            text += known.inside;
            at += 2;
            continue;
        }
        const low = readSetCharacter(input, at);
        at += low.length;
        let high = low;
        if (input[at] === "-" && input[at + 1] !== "]") {
            high = readSetCharacter(input, at + 1);
            at += 1 + high.length;
        }
        if (high.code < low.code) {
            throw new SyntaxError("a range that ends before it starts");
        }
        text += `${literal(low.code)}-${literal(high.code)}`;
    }
    return { text: `[${negated ? "^" : ""}${text}]`, length: at + 1 - start };
}

function readSetCharacter(input: readonly string[], at: number): { code: number; length: number } {
    const character = input[at];
    if (character === undefined) {
        throw new SyntaxError("a set without end");
    }
    return character === "\\" ? readEscape(input, at) : { code: codeOf(character), length: 1 };
}

/** One escaped character, from its backslash. */
function readEscape(input: readonly string[], at: number): { code: number; length: number } {
    const rest = input.slice(at + 1).join("");
    const number = /^(?<octal>0[0-7]{0,2}|[1-7][0-7]{1,2})|^x(?:(?<hex>[0-9a-fA-F]{2})|\{(?<long>[0-9a-fA-F]+)\})/.exec(
        rest,
    );
    if (number?.groups) {
        const { octal, hex, long } = number.groups;
        const code = octal === undefined ? parseInt(hex ?? long ?? "", 16) : parseInt(octal, 8);
        if (code > 0x10ffff) {
            throw new SyntaxError("a character beyond Unicode");
        }
        return { code, length: 1 + number[0].length };
    }
    const character = rest.charAt(0);
    const code = controls[character] ?? (/^[^0-9A-Za-z\u0080-\uffff]$/.test(character) ? codeOf(character) : undefined);
    if (code === undefined) {
        throw new SyntaxError(`\\${character} is not known`);
    }
    return { code, length: 2 };
}

/** `{2}`, `{2,}` or `{2,3}`. Other braces stand for themselves. */
function readRepeat(input: readonly string[], at: number): Token | undefined {
    const rest = input.slice(at, at + 16).join("");
    const match = /^\{(0|[1-9]\d*)(?:,(0|[1-9]\d*)?)?\}/.exec(rest);
    if (!match) {
        return undefined;
    }
    const [text, low, high] = match;
    if (Number(low) > 1000 || Number(high ?? 0) > 1000 || (high !== undefined && Number(high) < Number(low))) {
        throw new SyntaxError("a repetition out of range");
    }
    return { text, length: text.length };
}

function literal(code: number): string {
    return `\\u{${code.toString(16)}}`;
}

function codeOf(character: string): number {
    return character.codePointAt(0) ?? 0;
}
