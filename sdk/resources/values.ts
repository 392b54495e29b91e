/** Properties as JSON. What arrives from the engine may hold secrets and values that are not known yet. */
export type Properties = Record<string, unknown>;

// How the engine's protocol writes what JSON has no word for. The SDK exports the same, but loading it takes the plugin
// three times as long to start as all the rest. A test compares both.
// https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/nodejs/runtime/rpc.ts

/** Stands for a value that only exists after `up`: the engine sends it in preview. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Says what an object with this key stands for. */
export const specialSigKey = "4dabf18193072939515e22adb298388d";

/** What that key says of a secret, whose clear text is under `value`. */
export const specialSecretSig = "1b47061264138c4ac30d75fd1eb44270";

/** Marks a value that must be shown nowhere: the engine stores it encrypted. */
export function wrapSecret(value: unknown): unknown {
    if (value === undefined || value === unknownValue || isSecret(value)) {
        return value;
    }
    return { [specialSigKey]: specialSecretSig, value };
}

/** The same value with every secret in it in clear, for use in this process. */
export function reveal(value: unknown): unknown {
    if (isSecret(value)) {
        return reveal(value["value"]);
    }
    if (Array.isArray(value)) {
        return value.map(reveal);
    }
    if (isObject(value)) {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
    }
    return value;
}

/** The same value without the members of objects that are null. In a list a null stays: it may not go unnoticed. */
export function withoutNulls(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(withoutNulls);
    }
    if (!isObject(value)) {
        return value;
    }
    const given = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
    return Object.fromEntries(given.map(([key, item]) => [key, withoutNulls(item)]));
}

/** True when the value, or anything in it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
    if (value === unknownValue) {
        return true;
    }
    if (Array.isArray(value)) {
        return value.some(hasUnknown);
    }
    return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Every single text that the engine marked as a secret, and none that is only part of something marked as a whole. */
function collectSecretTexts(value: unknown): string[] {
    if (isSecret(value)) {
        const plain = reveal(value);
        return typeof plain === "string" ? collectTexts(plain) : [];
    }
    if (Array.isArray(value)) {
        return value.flatMap(collectSecretTexts);
    }
    return isObject(value) ? Object.values(value).flatMap(collectSecretTexts) : [];
}

/** Every text that the engine marked as a secret. */
function collectSecrets(value: unknown): string[] {
    if (isSecret(value)) {
        return collectTexts(reveal(value));
    }
    if (Array.isArray(value)) {
        return value.flatMap(collectSecrets);
    }
    return isObject(value) ? Object.values(value).flatMap(collectSecrets) : [];
}

/**
 * The texts that must not be printed. A list whose items hold a secret at a known path arrives as a secret as a whole,
 * together with addresses and names that errors have to tell: of such an input only those paths count, and what was
 * marked by itself.
 */
export function findSecrets(inputs: Properties, secretPaths: readonly string[]): string[] {
    const structured = new Set(secretPaths.filter((path) => path.includes(".")).map((path) => path.split(".")[0]));
    const marked = Object.entries(inputs).flatMap(([name, value]) =>
        structured.has(name) ? collectSecretTexts(value) : collectSecrets(value),
    );
    const known = secretPaths.flatMap((path) => valuesAt(reveal(inputs), path.split(".")));
    return [...new Set([...marked, ...known.flatMap(collectTexts)])];
}

function valuesAt(value: unknown, path: readonly string[]): unknown[] {
    const [head, ...rest] = path;
    if (head === undefined) {
        return [value];
    }
    if (Array.isArray(value)) {
        return head === "*" ? value.flatMap((item) => valuesAt(item, rest)) : [];
    }
    return isObject(value) && value[head] !== undefined ? valuesAt(value[head], rest) : [];
}

/** Marks the values at these paths as secrets, whatever the program said. `*` stands for each item or key. */
export function protectPaths(value: Properties, paths: readonly string[]): Properties {
    return paths.reduce<unknown>((result, path) => protectPath(result, path.split(".")), value) as Properties;
}

function protectPath(value: unknown, path: readonly string[]): unknown {
    const [head, ...rest] = path;
    if (head === undefined) {
        return wrapSecret(value);
    }
    if (isSecret(value)) {
        return value;
    }
    if (Array.isArray(value)) {
        return head === "*" ? value.map((item) => protectPath(item, rest)) : value;
    }
    if (!isObject(value)) {
        return value;
    }
    const keys = head === "*" ? Object.keys(value) : [head].filter((key) => key in value);
    return { ...value, ...Object.fromEntries(keys.map((key) => [key, protectPath(value[key], rest)])) };
}

/** True when the value, or anything in it, is marked as secret. */
export function hasSecret(value: unknown): boolean {
    if (isSecret(value)) {
        return true;
    }
    return Array.isArray(value) ? value.some(hasSecret) : isObject(value) && Object.values(value).some(hasSecret);
}

/** True for a value that the engine or the program marked as secret. */
function isSecret(value: unknown): value is Properties {
    return isObject(value) && value[specialSigKey] === specialSecretSig;
}

/** True for plain objects: neither null nor an array. */
export function isObject(value: unknown): value is Properties {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function collectTexts(value: unknown): string[] {
    if (typeof value === "string") {
        return value === "" || value === unknownValue ? [] : [value];
    }
    if (Array.isArray(value)) {
        return value.flatMap(collectTexts);
    }
    return isObject(value) ? Object.values(value).flatMap(collectTexts) : [];
}
