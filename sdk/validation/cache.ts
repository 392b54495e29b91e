import { whatOf } from "../errors";
import { parseReference } from "../registry/reference";
import type { InputProblem } from "../resources/lifecycle";
import { isObject, unknownValue, type Properties } from "../resources/values";

const backends = ["registry", "s3", "gha", "azblob", "local", "inline"] as const;
const list = backends.join(", ");
const secretFields = ["secretAccessKey", "sessionToken", "token"];

/** Where steps are cached: one place for what is written, one for each item that is only read. */
export function checkCache(inputs: Properties): InputProblem[] {
    const cache = inputs["cache"];
    if (!isObject(cache)) {
        return [];
    }
    const from = Array.isArray(cache["from"]) ? (cache["from"] as unknown[]) : [];
    const sources = from.flatMap((source, index) => {
        const path = `cache.from[${index}]`;
        return isObject(source) ? [...checkChoice(path, source), ...checkBackends(path, source, true)] : [];
    });
    return [
        ...(from.length > 0 || cache["from"] === unknownValue ? [] : checkChoice("cache", cache)),
        ...(from.length > 0 ? checkChoice("cache", cache, true) : []),
        ...checkBackends("cache", cache, cache["readOnly"] === true),
        ...sources,
        ...checkPlace(inputs, [cache, ...from]),
    ];
}

function checkChoice(property: string, source: Properties, optional = false): InputProblem[] {
    const chosen = backends.filter((name) => isGiven(source[name]));
    if (chosen.length === 0) {
        return optional ? [] : [{ property, reason: `names no backend. Give exactly one of ${list}` }];
    }
    const names = chosen.join(" and ");
    return chosen.length > 1 ? [{ property, reason: `names ${names}. Give exactly one of ${list}` }] : [];
}

function checkBackends(path: string, source: Properties, onlyRead: boolean): InputProblem[] {
    const at = (name: string): Properties => (isObject(source[name]) ? source[name] : {});
    const [registry, s3, gha, azblob, local] = [at("registry"), at("s3"), at("gha"), at("azblob"), at("local")];
    return [
        ...checkRef(`${path}.registry.ref`, registry["ref"], onlyRead),
        ...checkTexts(`${path}.s3`, s3, ["bucket", "region", "name", "accessKeyId", "secretAccessKey"]),
        ...checkName(`${path}.s3.name`, s3["name"]),
        ...checkUrl(`${path}.s3.endpointUrl`, s3["endpointUrl"]),
        ...checkAccount(`${path}.s3`, s3),
        ...checkPositive(`${path}.s3`, s3, ["uploadParallelism", "touchRefreshSeconds"]),
        ...checkTexts(`${path}.gha`, gha, ["scope", "token"]),
        ...checkName(`${path}.gha.scope`, gha["scope"]),
        ...checkUrl(`${path}.gha.url`, gha["url"]),
        ...checkVersion(`${path}.gha.version`, gha["version"]),
        ...checkPositive(`${path}.gha`, gha, ["timeoutSeconds"]),
        ...checkTexts(`${path}.azblob`, azblob, ["name", "accountName", "container", "secretAccessKey"]),
        ...checkName(`${path}.azblob.name`, azblob["name"]),
        ...checkUrl(`${path}.azblob.accountUrl`, azblob["accountUrl"]),
        ...checkTexts(`${path}.local`, local, ["directory"]),
    ];
}

function checkRef(property: string, ref: unknown, onlyRead: boolean): InputProblem[] {
    if (typeof ref !== "string" || ref === unknownValue) {
        return [];
    }
    try {
        const { digest } = parseReference(ref);
        const reason = "has a digest, and a cache is written to a tag. Take the digest off, or read it in cache.from";
        return digest !== undefined && !onlyRead ? [{ property, reason }] : [];
    } catch (error) {
        return [{ property, reason: whatOf(error) }];
    }
}

/** A name is part of keys and paths, and BuildKit takes a semicolon for the end of one of several names. */
function checkName(property: string, name: unknown): InputProblem[] {
    const isWrong = typeof name === "string" && name !== unknownValue && /[;,\s]|(^|\/)\.\.(\/|$)/.test(name);
    return isWrong ? [{ property, reason: "has a space, a comma, a semicolon or .. in it" }] : [];
}

function checkUrl(property: string, url: unknown): InputProblem[] {
    const isWrong = typeof url === "string" && url !== unknownValue && !/^https?:\/\/[^\s/@]+(\/\S*)?$/.test(url);
    const reason = "must be an address that begins with http:// or https://, without an account in it";
    return isWrong ? [{ property, reason }] : [];
}

function checkAccount(path: string, s3: Properties): InputProblem[] {
    const [id, secret, token] = ["accessKeyId", "secretAccessKey", "sessionToken"].map((name) => isGiven(s3[name]));
    const lacking = (name: string, other: string): InputProblem[] => [
        { property: `${path}.${name}`, reason: `is required with ${other}` },
    ];
    return [
        ...(id && !secret ? lacking("secretAccessKey", "accessKeyId") : []),
        ...(secret && !id ? lacking("accessKeyId", "secretAccessKey") : []),
        ...(token && !id && !secret ? lacking("accessKeyId", "sessionToken") : []),
    ];
}

function checkVersion(property: string, version: unknown): InputProblem[] {
    const isKnown = version === undefined || version === unknownValue || version === 1 || version === 2;
    return isKnown ? [] : [{ property, reason: "must be 1 or 2" }];
}

function checkPositive(path: string, values: Properties, names: readonly string[]): InputProblem[] {
    return names
        .filter((name) => typeof values[name] === "number" && values[name] <= 0)
        .map((name) => ({ property: `${path}.${name}`, reason: "must be more than 0" }));
}

function checkTexts(path: string, values: Properties, names: readonly string[]): InputProblem[] {
    return names
        .filter((name) => values[name] === "")
        .map((name) => ({ property: `${path}.${name}`, reason: "is empty" }));
}

/** With a secret of its cache a build goes by `buildx bake`, which has no such option. */
function checkPlace(inputs: Properties, sources: readonly unknown[]): InputProblem[] {
    const hasSecret = sources
        .filter(isObject)
        .flatMap(({ s3, gha, azblob }) => [s3, gha, azblob].filter(isObject))
        .some((backend) => secretFields.some((name) => isGiven(backend[name])));
    const reason =
        "cannot go with a key or token in cache. Leave the key out, so that the machine's or the builder's own is used";
    return hasSecret && isGiven(inputs["cgroupParent"]) ? [{ property: "cgroupParent", reason }] : [];
}

function isGiven(value: unknown): boolean {
    return value !== undefined && value !== null;
}
