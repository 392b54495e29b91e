import ts from "typescript";
import { readDoc, readDocBetween } from "./docs.mjs";
import { listProperties } from "./members.mjs";
import { SchemaError } from "./sources.mjs";

/**
 * What is known about a property while its type is turned into schema.
 * @typedef {{ plain: boolean, integer: boolean, numbers: number }} Flags
 */

/** Turns TypeScript types into schema types, and collects the named ones on its way. */
export class TypeMapper {
    /**
     * @param {import("./sources.mjs").Sources} sources
     * @param {(name: string) => string} tokenOf makes the token of a name
     * @param {Set<string>} taken tokens that types must not use
     */
    constructor(sources, tokenOf, taken) {
        this.sources = sources;
        this.tokenOf = tokenOf;
        this.taken = taken;
        /** @type {Map<string, { declaration: ts.Declaration, spec: object }>} */
        this.named = new Map();
    }

    /** Returns the collected types by token, in the order of their tokens. */
    types() {
        const entries = [...this.named].map(([token, { spec }]) => [token, spec]);
        return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
    }

    /**
     * Describes properties and names the ones that are always there.
     * @param {import("./members.mjs").Member[]} members
     * @param {"Input" | "Output" | undefined} wrapper what each type has to be wrapped in, unless it is plain
     * @returns {{ properties: object, required: string[] }}
     */
    describe(members, wrapper) {
        const properties = {};
        const required = [];
        for (const member of members) {
            const { spec, optional } = this.describeMember(member, wrapper);
            properties[member.name] = spec;
            if (!optional) {
                required.push(member.name);
            }
        }
        return { properties, required };
    }

    describeMember({ name, node, type, optional }, wrapper) {
        const { description, tags } = readDoc(node, name);
        const plain = tags.has("plain");
        const outer = withoutUndefined(type);
        const wrapped = plain ? undefined : this.unwrap(outer.value, wrapper);
        if (wrapper !== undefined && !plain && wrapped === undefined) {
            const choice = wrapper === "Input" ? " or the tag @plain" : "";
            throw new SchemaError(type, `"${name}" needs ${wrapper}<...>${choice}, not "${type.getText()}"`);
        }
        const inner = withoutUndefined(wrapped ?? outer.value);
        const flags = { plain, integer: tags.has("integer"), numbers: 0 };
        const spec = this.map(inner.value, flags);
        if (flags.integer && flags.numbers === 0) {
            throw new SchemaError(node, `"${name}" is tagged @integer and has no number`);
        }
        spec.description = description;
        if (tags.has("secret")) {
            spec.secret = true;
        }
        if (tags.has("replaces")) {
            // Not replaceOnChanges: that makes the SDKs ask for a replacement, where our own diff already decides.
            spec.willReplaceOnChanges = true;
        }
        return { spec, optional: optional || outer.absent || inner.absent };
    }

    /**
     * Maps one type.
     * @param {ts.TypeNode} node
     * @param {Flags} flags
     * @returns {Record<string, unknown>}
     */
    map(node, flags) {
        const spec = this.mapShape(node, flags);
        return flags.plain ? { ...spec, plain: true } : spec;
    }

    mapShape(node, flags) {
        switch (node.kind) {
            case ts.SyntaxKind.StringKeyword:
                return { type: "string" };
            case ts.SyntaxKind.BooleanKeyword:
                return { type: "boolean" };
            case ts.SyntaxKind.NumberKeyword:
                flags.numbers += 1;
                return { type: flags.integer ? "integer" : "number" };
            case ts.SyntaxKind.ArrayType:
                return { type: "array", items: this.mapItem(node.elementType, flags) };
            case ts.SyntaxKind.TypeReference:
                return this.mapReference(node, flags);
            default:
                throw unsupported(node);
        }
    }

    /** Maps the type of the items of a list. In a plain list, whose length shapes the program, items may be inputs. */
    mapItem(node, flags) {
        const item = flags.plain ? this.unwrap(node, "Input") : undefined;
        if (item === undefined) {
            return this.map(node, flags);
        }
        const inner = { ...flags, plain: false };
        const spec = this.map(item, inner);
        flags.numbers = inner.numbers;
        return spec;
    }

    mapReference(node, flags) {
        const found = this.sources.resolve(node.typeName);
        if (found.pulumi === "Input") {
            if (flags.plain) {
                throw new SchemaError(node, "a @plain property takes no Input");
            }
            return this.mapShape(onlyArgument(node), flags);
        }
        if (found.builtin === "Record" && node.typeArguments?.[0]?.kind === ts.SyntaxKind.StringKeyword) {
            return { type: "object", additionalProperties: this.map(node.typeArguments[1], flags) };
        }
        if (found.declaration === undefined || node.typeArguments !== undefined) {
            throw unsupported(node);
        }
        return { $ref: `#/types/${this.collect(found.declaration, node)}` };
    }

    /** Describes a named type once and returns its token. */
    collect(declaration, user) {
        // The SDKs add Args to the types of inputs themselves: RegistryArgs is Registry in the schema.
        const name = declaration.name.text.replace(/Args$/, "");
        const token = this.tokenOf(name);
        const known = this.named.get(token)?.declaration;
        if (this.taken.has(token) || (known !== undefined && known !== declaration)) {
            throw new SchemaError(
                user,
                `"${declaration.name.text}" would be ${token}, which something else is already`,
            );
        }
        if (known === undefined) {
            const entry = { declaration, spec: {} };
            // Entered before its properties are read, so that a type can contain itself.
            this.named.set(token, entry);
            entry.spec = this.describeType(declaration, user);
        }
        return token;
    }

    describeType(declaration, user) {
        if (ts.isTypeAliasDeclaration(declaration)) {
            const { description } = readDoc(declaration, declaration.name.text);
            return { description, type: "string", enum: listValues(declaration) };
        }
        if (!ts.isInterfaceDeclaration(declaration)) {
            throw unsupported(user);
        }
        const { description } = readDoc(declaration, declaration.name.text);
        // Names of types that are only inputs end in Args. Others are outputs too, where nothing is wrapped.
        const wrapper = declaration.name.text.endsWith("Args") ? "Input" : undefined;
        const { properties, required } = this.describe(listProperties(this.sources, declaration), wrapper);
        return { description, ...whenFilled({ properties }), type: "object", ...whenFilled({ required }) };
    }

    /** Returns what is inside `Input<...>` or `Output<...>`, or undefined when that is not what the type is. */
    unwrap(node, wrapper) {
        if (wrapper === undefined || !ts.isTypeReferenceNode(node)) {
            return undefined;
        }
        return this.sources.resolve(node.typeName).pulumi === wrapper ? onlyArgument(node) : undefined;
    }
}

/** Leaves out what is empty, as Pulumi does in its own schemas. */
export function whenFilled(fields) {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}

/** What may be missing is also written as `Output<T | undefined>`, or as `Input<T> | undefined`. */
function withoutUndefined(node) {
    if (!ts.isUnionTypeNode(node)) {
        return { value: node, absent: false };
    }
    const values = node.types.filter((each) => each.kind !== ts.SyntaxKind.UndefinedKeyword);
    return values.length === 1 && node.types.length === 2
        ? { value: values[0], absent: true }
        : { value: node, absent: false };
}

function listValues(declaration) {
    const union = declaration.type;
    const members = ts.isUnionTypeNode(union) ? [...union.types] : [union];
    let end = union.pos;
    return members.map((member) => {
        if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) {
            throw unsupported(member);
        }
        const description = readDocBetween(member.getSourceFile(), end, member.getStart());
        end = member.end;
        return { ...(description ? { description } : {}), value: member.literal.text };
    });
}

function onlyArgument(node) {
    if (node.typeArguments?.length !== 1) {
        throw unsupported(node);
    }
    return node.typeArguments[0];
}

function unsupported(node) {
    return new SchemaError(node, `unsupported type "${node.getText()}"`);
}
