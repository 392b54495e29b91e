import { isDeepStrictEqual } from "node:util";

import type { PropertyChange } from "./lifecycle";
import { joinKey } from "./propertyPath";
import { isObject, unknownValue, type Properties } from "./values";

/**
 * How inputs differ, by the path of each value that does. A value that is not known yet counts as changed. Objects and
 * lists are compared value by value, so that a preview names the one build argument that changed.
 */
export function findChanges(old: unknown, next: unknown, path: string): Record<string, PropertyChange> {
    if (isDeepStrictEqual(old, next)) {
        return {};
    }
    if (old === undefined || old === null) {
        return next === undefined || next === null ? {} : { [path]: "add" };
    }
    if (next === undefined || next === null) {
        return { [path]: "delete" };
    }
    if (next !== unknownValue && isObject(old) && isObject(next)) {
        return mergeChanges([...new Set([...Object.keys(old), ...Object.keys(next)])], (key) =>
            findChanges(old[key], next[key], joinKey(path, key)),
        );
    }
    if (Array.isArray(old) && Array.isArray(next)) {
        return mergeChanges([...Array(Math.max(old.length, next.length)).keys()], (index) =>
            findChanges(old[index], next[index], `${path}[${index}]`),
        );
    }
    return { [path]: "update" };
}

/** The changes of some inputs, by name. */
export function findInputChanges(
    old: Properties,
    next: Properties,
    names: readonly string[],
): Record<string, PropertyChange> {
    return mergeChanges(names, (name) => findChanges(old[name], next[name], name));
}

/** The same changes, for inputs that only a new resource can take. */
export function asReplacement(changes: Readonly<Record<string, PropertyChange>>): Record<string, PropertyChange> {
    const kinds: Partial<Record<PropertyChange, PropertyChange>> = {
        add: "add-replace",
        delete: "delete-replace",
        update: "update-replace",
    };
    return Object.fromEntries(Object.entries(changes).map(([path, change]) => [path, kinds[change] ?? change]));
}

function mergeChanges<Key>(
    keys: readonly Key[],
    find: (key: Key) => Record<string, PropertyChange>,
): Record<string, PropertyChange> {
    return Object.assign({}, ...keys.map(find)) as Record<string, PropertyChange>;
}
