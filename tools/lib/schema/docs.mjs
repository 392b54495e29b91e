import ts from "typescript";
import { SchemaError } from "./sources.mjs";

/** The tags that doc comments may carry, each with what it says about a property. */
export const TAGS = {
    plain: "the value shapes the program, so it cannot be an output of another resource",
    secret: "the value is kept encrypted",
    integer: "the number has no fraction",
    replaces: "a change replaces the resource",
};

/**
 * Reads the doc comment of a declaration. It is required, because it is the only documentation that users of the other
 * languages see. A tag we do not know is an error: a misspelt `@secret` must not turn into a readable password.
 * @param {ts.Node} node
 * @param {string} name how errors call it
 * @returns {{ description: string, tags: Set<keyof typeof TAGS> }}
 */
export function readDoc(node, name) {
    const doc = node.jsDoc?.at(-1);
    if (doc?.comment === undefined) {
        throw new SchemaError(node, `"${name}" has no doc comment that says what it is`);
    }
    return { description: plainText(doc), tags: readTags(doc) };
}

/**
 * Reads the comment between two parts of a declaration, for example in front of one value of a union. TypeScript itself
 * attaches no doc comments there.
 * @param {ts.SourceFile} file
 * @param {number} from
 * @param {number} to
 * @returns {string | undefined}
 */
export function readDocBetween(file, from, to) {
    const comment = /\/\*\*(.*?)\*\//s.exec(file.text.slice(from, to))?.[1];
    return comment
        ?.split("\n")
        .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
        .join("\n")
        .trim();
}

function plainText(doc) {
    if (typeof doc.comment !== "string") {
        throw new SchemaError(doc, "inline tags such as {@link} mean nothing in other languages");
    }
    return doc.comment;
}

function readTags(doc) {
    const tags = new Set();
    for (const tag of doc.tags ?? []) {
        const name = tag.tagName.text;
        if (!Object.hasOwn(TAGS, name)) {
            const known = Object.keys(TAGS).map((each) => `@${each}`);
            throw new SchemaError(tag, `@${name} is not one of the tags ${known.join(", ")}`);
        }
        if (ts.getTextOfJSDocComment(tag.comment)) {
            throw new SchemaError(tag, `@${name} takes no text; put it above the tags`);
        }
        tags.add(name);
    }
    return tags;
}
