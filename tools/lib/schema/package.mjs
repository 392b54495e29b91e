import path from "node:path";
import ts from "typescript";
import { readDoc } from "./docs.mjs";
import { listBases, listOutputs, listProperties } from "./members.mjs";
import { SchemaError, Sources } from "./sources.mjs";
import { TypeMapper, whenFilled } from "./types.mjs";

/**
 * Describes components and resources and all types they use, in the order of their names.
 * @param {string} root the folder that the files are relative to
 * @param {string} packageName the first part of all tokens
 * @param {Record<string, string>} classes the file of each class, by the name of the class
 * @returns {{ types: object, resources: object }}
 */
export function describeResources(root, packageName, classes) {
    const tokenOf = (name) => `${packageName}:index:${name}`;
    const rows = Object.entries(classes).sort(([left], [right]) => (left < right ? -1 : 1));
    const sources = new Sources(rows.map(([, file]) => path.join(root, file)));
    const mapper = new TypeMapper(sources, tokenOf, new Set(rows.map(([name]) => tokenOf(name))));
    const resources = rows.map(([name, file]) => {
        const declaration = sources.findClass(path.join(root, file), name);
        return [tokenOf(name), describeResource(sources, mapper, declaration)];
    });
    return { types: mapper.types(), resources: Object.fromEntries(resources) };
}

function describeResource(sources, mapper, declaration) {
    const outputs = mapper.describe(listOutputs(sources, declaration), "Output");
    const inputs = mapper.describe(listProperties(sources, findArgs(sources, declaration)), "Input");
    return {
        description: readDoc(declaration, declaration.name.text).description,
        ...whenFilled({ properties: outputs.properties, required: outputs.required }),
        ...whenFilled({ inputProperties: inputs.properties, requiredInputs: inputs.required }),
        ...(isComponent(sources, declaration) ? { isComponent: true } : {}),
    };
}

/** Returns the type of the second parameter of the constructor, as Pulumi wants it: name, args, opts. */
function findArgs(sources, declaration) {
    const type = declaration.members.find(ts.isConstructorDeclaration)?.parameters[1]?.type;
    if (type === undefined || !ts.isTypeReferenceNode(type)) {
        throw new SchemaError(declaration, `"${declaration.name.text}" needs a constructor (name, args, opts)`);
    }
    return sources.findInterface(type.typeName);
}

function isComponent(sources, declaration) {
    const [base] = listBases(declaration, ts.SyntaxKind.ExtendsKeyword);
    const kind = base && sources.resolve(base.expression).pulumi;
    if (kind !== "ComponentResource" && kind !== "CustomResource") {
        throw new SchemaError(declaration, "a resource extends ComponentResource or CustomResource itself");
    }
    return kind === "ComponentResource";
}
