// The patterns of ${name#pattern}, ${name%pattern} and ${name/pattern/text}: `*` is any text, `?` any one character.
// https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/shell/lex.go

/** What `${name:-text}` and its like do to a value. */
export interface ValueChange {
    readonly name: string;
    /** One of `-`, `+`, `?`, `#` and `%`. */
    readonly operator: string;
    /** True with a colon before the operator. */
    readonly emptyIsUnset: boolean;
    readonly text: string;
}

/** Changes the value of a variable. Throws a SyntaxError where it must be set and is not, or the pattern is wrong. */
export function changeValue(value: string | undefined, change: ValueChange): string {
    const { name, operator, emptyIsUnset, text } = change;
    const isUnset = value === undefined || (emptyIsUnset && value === "");
    switch (operator) {
        case "-":
            return isUnset ? text : value;
        case "+":
            return isUnset ? "" : text;
        case "?":
            if (isUnset) {
                throw new SyntaxError(`${name}: ${text || "it must be set"}`);
            }
            return value;
        default: {
            const greedy = text.startsWith(operator);
            const trim = operator === "#" ? trimPrefix : trimSuffix;
            return trim(value ?? "", greedy ? text.slice(1) : text, greedy);
        }
    }
}

/** Cuts off the start that fits the pattern: the shortest one, or the longest when greedy. */
function trimPrefix(value: string, pattern: string, greedy: boolean): string {
    return value.replace(toExpression(pattern, { greedy, anchored: true }), "");
}

/** Cuts off the end that fits the pattern: the shortest one, or the longest when greedy. */
function trimSuffix(value: string, pattern: string, greedy: boolean): string {
    // An expression finds the leftmost match only, so the shortest end is looked for in the reverse.
    return reverse(trimPrefix(reverse(value), reversePattern(pattern), greedy));
}

/** Replaces what fits the pattern, the first time or every time. */
export function replacePattern(value: string, pattern: string, replacement: string, everywhere: boolean): string {
    const expression = toExpression(pattern, { greedy: true, anchored: false });
    return value.replace(everywhere ? new RegExp(expression, "gu") : expression, () => replacement);
}

function toExpression(pattern: string, { greedy, anchored }: { greedy: boolean; anchored: boolean }): RegExp {
    const parts = anchored ? ["^"] : [];
    const characters = Array.from(pattern);
    for (let index = 0; index < characters.length; index += 1) {
        const character = characters[index] ?? "";
        const following = characters[index + 1];
        if (character === "*") {
            parts.push(greedy ? ".*" : ".*?");
        } else if (character === "?") {
            parts.push(".");
        } else if (character !== "\\") {
            parts.push(/[[\]{}.+()|^$]/.test(character) ? `\\${character}` : character);
        } else if (following !== "}" && following !== "/") {
            if (following === undefined || !"*?\\".includes(following)) {
                throw new SyntaxError(`\\${following ?? ""} means nothing in the pattern ${pattern}`);
            }
            parts.push(`\\${following}`);
            index += 1;
        }
    }
    return new RegExp(parts.join(""), "u");
}

function reverse(text: string): string {
    return Array.from(text).reverse().join("");
}

/** Reverses a pattern, but not its escapes: `a\*c` becomes `c\*a`. */
function reversePattern(pattern: string): string {
    return (pattern.match(/\\[^]|[^]/gu) ?? []).reverse().join("");
}
