import { posix } from "node:path";
import { MultiArchError } from "../errors";
import { compilePattern } from "./ignorePattern";

/** Which rules matched a folder, in their order. What is below inherits it. */
export type RuleMatches = readonly boolean[];

/** What an ignore file says about paths. Ask from the root down: the answer for a folder decides about its content. */
export interface IgnoreRules {
    /** Whether `path` is ignored. `parent` is what the same call returned for its folder; none at the root. */
    match(path: string, parent: RuleMatches | undefined): { ignored: boolean; matches: RuleMatches };
    /** Whether nothing below this ignored folder can be taken back by a later `!`. */
    endsAt(folder: string): boolean;
}

interface Rule {
    readonly pattern: string;
    readonly exception: boolean;
    readonly test: (path: string) => boolean;
}

/**
 * Reads an ignore file. `name` and `property` say in errors which file it is and what the user wrote to have it used.
 *
 * Throws a MultiArchError `context-ignore-invalid` for a pattern that BuildKit cannot use.
 */
export function parseIgnoreFile(text: string, name: string, property: string): IgnoreRules | undefined {
    const rules: Rule[] = [];
    for (const { pattern, line } of readPatterns(text)) {
        try {
            rules.push(parseRule(pattern));
        } catch (error) {
            throw new MultiArchError("context-ignore-invalid", {
                what: `line ${line} of ${name} is not a pattern that BuildKit can use: ${pattern}`,
                property,
                cause: error,
            });
        }
    }
    return rules.length > 0 ? createRules(rules) : undefined;
}

/**
 * The patterns in an ignore file, made relative to the root. As in
 * https://github.com/moby/patternmatcher/blob/v0.6.1/ignorefile/ignorefile.go
 */
export function readPatterns(text: string): { pattern: string; line: number }[] {
    return text
        .replace(/^\ufeff/, "")
        .split("\n")
        .map((content, index) => ({ content: content.replace(/\r$/, ""), line: index + 1 }))
        .filter(({ content }) => !content.startsWith("#") && trimSpace(content) !== "")
        .map(({ content, line }) => {
            const trimmed = trimSpace(content);
            const exception = trimmed.startsWith("!");
            const rest = exception ? trimSpace(trimmed.slice(1)) : trimmed;
            const path = rest === "" ? "" : cleanPath(rest).replace(/^\/(?=.)/, "");
            return { pattern: exception ? `!${path}` : path, line };
        });
}

/** As in `New` of the same package, which cleans the pattern a second time, with its exclamation mark. */
function parseRule(text: string): Rule {
    const cleaned = cleanPath(trimSpace(text));
    const exception = cleaned.startsWith("!");
    const pattern = exception ? cleaned.slice(1) : cleaned;
    if (pattern === "") {
        throw new SyntaxError("an exclamation mark alone");
    }
    return { pattern, exception, test: compilePattern(pattern) };
}

function createRules(rules: readonly Rule[]): IgnoreRules {
    const exceptions = rules.filter((rule) => rule.exception).map((rule) => withoutTrailingGlob(rule.pattern));
    const plainExceptions = !exceptions.some((pattern) => /[*[\]?^\\]/.test(pattern));
    return {
        match(path, parent) {
            let ignored = false;
            // As `MatchesUsingParentResults` does: a rule that could not change the answer counts as one that does not
            // match, also for everything below.
            const matches = rules.map((rule, index) => {
                const matched = parent?.[index] === true || (rule.exception === ignored && rule.test(path));
                if (matched) {
                    ignored = !rule.exception;
                }
                return matched;
            });
            return { ignored, matches };
        },
        // As in https://github.com/tonistiigi/fsutil/blob/6d9dc2ebad62/filter.go
        endsAt(folder) {
            return plainExceptions && !exceptions.some((pattern) => `${pattern}/`.startsWith(`${folder}/`));
        },
    };
}

function withoutTrailingGlob(pattern: string): string {
    return pattern.replace(/\/\*\*$/, "").replace(/\/\*$/, "");
}

/** Go's filepath.Clean. */
function cleanPath(path: string): string {
    const normal = posix.normalize(path);
    return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** Go's strings.TrimSpace: unlike `trim`, it keeps a byte order mark and takes a next-line character. */
function trimSpace(text: string): string {
    const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
    return text.replace(new RegExp(`^${space}|${space}$`, "g"), "");
}
