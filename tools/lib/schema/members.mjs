import ts from "typescript";
import { SchemaError } from "./sources.mjs";

/**
 * One property as the sources declare it.
 * @typedef {object} Member
 * @property {string} name
 * @property {ts.PropertySignature | ts.PropertyDeclaration} node what carries its doc comment
 * @property {ts.TypeNode} type
 * @property {boolean} optional
 */

/**
 * Lists the properties of an interface in source order, those of the interfaces it extends first.
 * @param {import("./sources.mjs").Sources} sources
 * @param {ts.InterfaceDeclaration} declaration
 * @returns {Member[]}
 */
export function listProperties(sources, declaration) {
    const members = new Map();
    for (const base of listBases(declaration, ts.SyntaxKind.ExtendsKeyword)) {
        for (const member of listProperties(sources, sources.findInterface(base.expression))) {
            members.set(member.name, member);
        }
    }
    for (const node of declaration.members) {
        const member = readMember(node);
        members.set(member.name, member);
    }
    return [...members.values()];
}

/**
 * Lists the outputs of a resource: the fields of its class that are not static. A field without a doc comment has that
 * of the same property in an interface that the class implements.
 * @param {import("./sources.mjs").Sources} sources
 * @param {ts.ClassDeclaration} declaration
 * @returns {Member[]}
 */
export function listOutputs(sources, declaration) {
    const promised = listBases(declaration, ts.SyntaxKind.ImplementsKeyword).flatMap((base) =>
        // Methods are for programs in TypeScript alone.
        sources
            .findInterface(base.expression)
            .members.filter((member) => !ts.isMethodSignature(member))
            .map(readMember),
    );
    return declaration.members
        .filter((member) => ts.isPropertyDeclaration(member) && !hasModifier(member, ts.SyntaxKind.StaticKeyword))
        .map((field) => {
            if (!isOutput(field)) {
                throw new SchemaError(field, "every field of a resource is an output: make it public and readonly");
            }
            const member = readMember(field);
            const documented = field.jsDoc ? member : promised.find(({ name }) => name === member.name);
            return { ...member, node: documented?.node ?? field };
        });
}

/**
 * Lists what a class or interface extends or implements.
 * @param {ts.ClassDeclaration | ts.InterfaceDeclaration} declaration
 * @param {ts.SyntaxKind.ExtendsKeyword | ts.SyntaxKind.ImplementsKeyword} keyword
 * @returns {ts.ExpressionWithTypeArguments[]}
 */
export function listBases(declaration, keyword) {
    const clauses = declaration.heritageClauses?.filter((clause) => clause.token === keyword) ?? [];
    return clauses.flatMap((clause) => [...clause.types]);
}

/** Any other field would be one that the engine does not know. */
function isOutput(field) {
    const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
    return (
        hasModifier(field, ts.SyntaxKind.ReadonlyKeyword) &&
        !hidden.some((kind) => hasModifier(field, kind)) &&
        !ts.isPrivateIdentifier(field.name)
    );
}

function readMember(node) {
    if (!(ts.isPropertySignature(node) || ts.isPropertyDeclaration(node)) || !ts.isIdentifier(node.name)) {
        throw new SchemaError(node, `unsupported member "${node.getText()}": only named properties have a schema`);
    }
    if (node.type === undefined) {
        throw new SchemaError(node, `"${node.name.text}" needs its type written out`);
    }
    return { name: node.name.text, node, type: node.type, optional: node.questionToken !== undefined };
}

function hasModifier(node, kind) {
    return node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
}
