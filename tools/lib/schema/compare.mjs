/** Stands for a value that one of the two sides does not have. */
const ABSENT = Symbol("absent");

/** Values longer than this are cut: the message points to the place, git shows the text. */
const LONGEST = 90;

/**
 * Lists how two JSON values differ, by path, as lines that start with `-` for what is only in the first and `+` for what
 * is only in the second. The order of the keys counts only when nothing else differs.
 * @param {unknown} before
 * @param {unknown} after
 * @returns {string[]} empty for equal values
 */
export function listDifferences(before, after) {
    const lines = differ(before, after, "");
    if (lines.length === 0 && JSON.stringify(before) !== JSON.stringify(after)) {
        return ["  the order of the keys"];
    }
    return lines;
}

function differ(before, after, path) {
    if (isObject(before) && isObject(after)) {
        const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
        return [...keys].flatMap((key) => differ(at(before, key), at(after, key), path ? `${path} > ${key}` : key));
    }
    if (JSON.stringify(before) === JSON.stringify(after) && (before === ABSENT) === (after === ABSENT)) {
        return [];
    }
    return [line("-", path, before), line("+", path, after)].filter((each) => each !== undefined);
}

function line(sign, path, value) {
    if (value === ABSENT) {
        return undefined;
    }
    const text = JSON.stringify(value);
    return `${sign} ${path}: ${text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text}`;
}

function at(object, key) {
    return Object.hasOwn(object, key) ? object[key] : ABSENT;
}

function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
