import { loadSchema, type ObjectTypeSchema, type PackageSchema, type TypeSchema } from "../package";
import type { InputProblem } from "../resources/lifecycle";
import { joinKey } from "../resources/propertyPath";
import { isObject, unknownValue, type Properties } from "../resources/values";

let schema: PackageSchema | undefined;

/**
 * Checks inputs against the schema of the package: missing, unknown and wrongly typed properties, by path. Not every
 * language checks what a program passes, and a wrong name would be dropped without a word.
 */
export function findTypeProblems(resourceType: string, inputs: Properties): InputProblem[] {
    schema ??= loadSchema();
    const resource = schema.resources[resourceType];
    const { inputProperties = {}, requiredInputs = [] } = resource ?? {};
    return checkObject(schema, inputs, inputProperties, requiredInputs, "");
}

function checkObject(
    schema: PackageSchema,
    value: Properties,
    properties: Readonly<Record<string, TypeSchema>>,
    required: readonly string[],
    path: string,
): InputProblem[] {
    const join = (name: string): string => (path === "" ? name : `${path}.${name}`);
    const missing = required
        .filter((name) => value[name] === undefined || value[name] === null)
        .map((name) => ({ property: join(name), reason: "is required" }));
    const unknown = Object.keys(value)
        .filter((name) => !(name in properties) && !name.startsWith("__"))
        .map((name) => ({ property: join(name), reason: `is not an input. ${listNames(Object.keys(properties))}` }));
    const wrong = Object.entries(properties).flatMap(([name, type]) =>
        checkValue(schema, value[name], type, join(name)),
    );
    return [...missing, ...unknown, ...wrong];
}

function checkValue(schema: PackageSchema, value: unknown, type: TypeSchema, path: string): InputProblem[] {
    if (value === undefined || value === null || value === unknownValue) {
        return [];
    }
    if (type.$ref !== undefined) {
        const named = schema.types[type.$ref.replace("#/types/", "")];
        return named === undefined ? [] : checkNamed(schema, value, named, path);
    }
    switch (type.type) {
        case "array":
            return Array.isArray(value)
                ? value.flatMap((item, index) => checkItem(schema, item, type.items ?? {}, `${path}[${index}]`))
                : [wrongType(path, "a list", value)];
        case "object":
            return isObject(value)
                ? Object.entries(value).flatMap(([key, item]) =>
                      checkValue(schema, item, type.additionalProperties ?? {}, joinKey(path, key)),
                  )
                : [wrongType(path, "an object", value)];
        case "integer":
            return Number.isInteger(value) ? [] : [wrongType(path, "a whole number", value)];
        case "string":
        case "number":
        case "boolean":
            return typeof value === type.type ? [] : [wrongType(path, `a ${type.type}`, value)];
        default:
            return [];
    }
}

/** An item that is null is no value, and leaving it out in silence would change the meaning of a list. */
function checkItem(schema: PackageSchema, item: unknown, type: TypeSchema, path: string): InputProblem[] {
    return item === null || item === undefined
        ? [{ property: path, reason: "is empty. Give a value, or take it off the list" }]
        : checkValue(schema, item, type, path);
}

function checkNamed(schema: PackageSchema, value: unknown, type: ObjectTypeSchema, path: string): InputProblem[] {
    if (type.enum !== undefined) {
        const allowed = type.enum.map((item) => item.value);
        return typeof value === "string" && allowed.includes(value)
            ? []
            : [{ property: path, reason: `must be one of ${allowed.map((item) => `"${item}"`).join(", ")}` }];
    }
    return isObject(value)
        ? checkObject(schema, value, type.properties ?? {}, type.required ?? [], path)
        : [wrongType(path, "an object", value)];
}

/** The value itself is left out: it may be a secret in the wrong place. */
function wrongType(property: string, wanted: string, value: unknown): InputProblem {
    const got = Array.isArray(value) ? "a list" : value === null ? "nothing" : `a ${typeof value}`;
    return { property, reason: `must be ${wanted}, and is ${got}` };
}

function listNames(names: readonly string[]): string {
    return names.length === 0 ? "There is nothing to set here" : `There is ${names.join(", ")}`;
}
