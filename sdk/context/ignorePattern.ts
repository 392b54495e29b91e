import { translateExpression } from "./goExpression";

/**
 * Turns a cleaned pattern of an ignore file into a test for paths, quirks included: what BuildKit sends is decided by
 * exactly these rules. It mirrors `Pattern.compile` of
 * https://github.com/moby/patternmatcher/blob/v0.6.1/patternmatcher.go
 *
 * Throws a SyntaxError when BuildKit would refuse the pattern.
 */
export function compilePattern(pattern: string): (path: string) => boolean {
    assertWellFormed(pattern);
    const { kind, expression } = toGoExpression(pattern);
    switch (kind) {
        case "exact":
            return (path) => path === pattern;
        case "prefix": {
            const prefix = pattern.slice(0, -2);
            return (path) => path.startsWith(prefix);
        }
        case "suffix": {
            const suffix = pattern.slice(2);
            // "**/foo" is also "foo" itself.
            const whole = suffix.startsWith("/") ? suffix.slice(1) : undefined;
            return (path) => path.endsWith(suffix) || path === whole;
        }
        case "expression": {
            const compiled = new RegExp(translateExpression(`${expression}$`), "u");
            return (path) => compiled.test(path);
        }
    }
}

type PatternKind = "exact" | "prefix" | "suffix" | "expression";

function toGoExpression(pattern: string): { kind: PatternKind; expression: string } {
    // Go's text scanner drops a byte order mark.
    const characters = Array.from(pattern.replace(/^\ufeff/, ""));
    let kind: PatternKind = "exact";
    let expression = "^";
    let at = 0;
    while (at < characters.length) {
        const start = at;
        const character = characters[at++] ?? "";
        if (character === "*" && characters[at] === "*") {
            at += characters[at + 1] === "/" ? 2 : 1;
            const last = at >= characters.length;
            expression += last ? ".*" : "(.*/)?";
            kind = start === 0 ? "suffix" : last && kind === "exact" ? "prefix" : "expression";
        } else if (character === "*" || character === "?") {
            expression += character === "*" ? "[^/]*" : "[^/]";
            kind = "expression";
        } else if (character === "\\") {
            kind = at < characters.length ? "expression" : kind;
            expression += `\\${characters[at++] ?? ""}`;
        } else if (character === "[" || character === "]") {
            expression += character;
            kind = "expression";
        } else {
            // Not "{", "|" and "}": the table of characters to escape is too small there for these three.
            expression += /[.+()$]/.test(character) ? `\\${character}` : character;
        }
    }
    return { kind, expression };
}

/**
 * The syntax check of Go's filepath.Match, which BuildKit asks whether the pattern fits ".": it rarely looks further
 * than the first part between two asterisks. https://github.com/golang/go/blob/go1.25.0/src/path/filepath/match.go
 */
function assertWellFormed(pattern: string): void {
    const characters = Array.from(pattern.replace(/^\*+/, ""));
    for (let at = 0; at < characters.length && characters[at] !== "*"; at++) {
        if (characters[at] === "\\") {
            at++;
            if (at >= characters.length) {
                throw new SyntaxError("a backslash at the end");
            }
        } else if (characters[at] === "[") {
            at = endOfSet(characters, at);
        }
    }
}

function endOfSet(characters: readonly string[], start: number): number {
    const first = characters[start + 1] === "^" ? start + 2 : start + 1;
    let at = first;
    while (at === first || characters[at] !== "]") {
        at = afterSetCharacter(characters, at);
        if (characters[at] === "-") {
            at = afterSetCharacter(characters, at + 1);
        }
    }
    return at;
}

function afterSetCharacter(characters: readonly string[], at: number): number {
    const character = characters[at];
    const next = character === "\\" ? at + 2 : at + 1;
    if (character === "-" || character === "]" || next >= characters.length) {
        throw new SyntaxError("a set in brackets that is not complete");
    }
    return next;
}
