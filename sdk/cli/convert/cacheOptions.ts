import { isDeepStrictEqual } from "node:util";

import { isTrue, type Draft } from "./build";
import { cut, readAttributes, readCsv, type Attributes } from "./fields";
import type { Value } from "./program";
import { reference } from "./references";
import { looksSecret, settingName } from "./names";

/** One place that a build reads its cache from, or writes it to. */
interface Place {
    readonly option: "cache-from" | "cache-to";
    readonly type: string;
    readonly attributes: Attributes;
}

// The attributes that say where a cache is, by backend, and the input each one becomes. `src` and `dest` are one folder.
const backends: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    registry: { ref: "ref" },
    local: { src: "directory", dest: "directory" },
    s3: {
        region: "region",
        bucket: "bucket",
        name: "name",
        prefix: "prefix",
        blobs_prefix: "blobsPrefix",
        manifests_prefix: "manifestsPrefix",
        endpoint_url: "endpointUrl",
        use_path_style: "usePathStyle",
        access_key_id: "accessKeyId",
        secret_access_key: "secretAccessKey",
        session_token: "sessionToken",
    },
    gha: { scope: "scope", url: "url", token: "token" },
    azblob: {
        account_url: "accountUrl",
        account_name: "accountName",
        container: "container",
        blobs_prefix: "blobsPrefix",
        manifests_prefix: "manifestsPrefix",
        name: "name",
        prefix: "prefix",
        secret_access_key: "secretAccessKey",
    },
};
// What this package writes anyway: https://github.com/docker/buildx/blob/v0.35.0/docs/reference/buildx_build.md
const always = ["image-manifest", "oci-mediatypes"];

/** The cache: one declaration here, with a scope for each platform. */
export function convertCache(draft: Draft): void {
    const from = draft.all("cache-from").flatMap((text) => readPlaces("cache-from", text));
    const to = draft.all("cache-to").flatMap((text) => readPlaces("cache-to", text));
    const isInline = to.some(({ type }) => type === "inline") || hasInlineArgument(draft);
    const others = to.filter(({ type }) => type !== "inline");
    if (isInline && others.length > 0) {
        draft.refuseOption("cache-to", "writes two caches. Keep one of them: an image has one cache");
    } else if (isInline || (others.length === 0 && from.length > 0 && from.every(({ type }) => type === "registry"))) {
        convertInline(draft, from, isInline);
    } else if (from.length + others.length > 0) {
        convertBackend(draft, from, others);
    }
}

function readPlaces(option: Place["option"], text: string): Place[] {
    // Without an equals sign, each field is a reference: https://github.com/docker/buildx/blob/v0.35.0/util/buildflags/cache.go
    const records = text.includes("=") ? [text] : readCsv(text).map((ref) => `type=registry,ref=${ref}`);
    return records.map((record) => {
        const attributes = readAttributes(record);
        return { option, type: attributes.get("type") ?? "", attributes };
    });
}

function hasInlineArgument(draft: Draft): boolean {
    const given = draft.all("build-arg").map((text) => cut(text, "="));
    return isTrue(given.findLast(([name]) => name === "BUILDKIT_INLINE_CACHE")?.[1] ?? "false");
}

/** Images that are read as they are: nothing in them is named after a platform. */
function convertInline(draft: Draft, from: readonly Place[], writes: boolean): void {
    const refs = from.flatMap((place) => {
        const ref = place.attributes.get("ref");
        if (place.type !== "registry" || ref === undefined) {
            draft.refuseOption("cache-from", "reads another kind of cache than it writes. Keep one of them");
            return [];
        }
        refuseOthers(draft, place, ["type", "ref"]);
        return [ref];
    });
    const inline: Value = refs.length === 0 ? {} : { from: refs };
    draft.set("cache", { inline, ...(writes ? {} : { readOnly: true }) });
    if (!writes) {
        draft.note("cache.inline reads those references and nothing is written: see cache.registry for one that is.");
    }
}

function convertBackend(draft: Draft, from: readonly Place[], to: readonly Place[]): void {
    if (to.length > 1) {
        draft.refuseOption(
            "cache-to",
            "names a second place. An image writes one cache, and reads others by cache.from",
        );
        return;
    }
    const described = [...to, ...from].map((place) => describeSource(draft, place));
    const sources = described.filter((source) => source !== undefined);
    const [first, ...others] = sources.filter((source, position) => {
        return sources.findIndex((other) => isDeepStrictEqual(other, source)) === position;
    });
    if (first === undefined || sources.length < described.length) {
        return;
    }
    const more = others.length === 0 ? {} : { from: others };
    if (others.length > 0) {
        draft.note(
            "Each platform reads its own scope of cache.from: what buildx wrote there without one is not found.",
        );
    }
    const [written] = to;
    if (written === undefined) {
        draft.set("cache", { ...first, ...more, readOnly: true });
        return;
    }
    const mode = written.attributes.get("mode") ?? "min";
    const mayFail = isTrue(written.attributes.get("ignore-error") ?? "false");
    draft.set("cache", {
        ...first,
        ...more,
        // Defaults here are `max` and true; those of buildx are written out.
        ...(mode === "max" ? {} : { mode }),
        ...(mayFail ? {} : { ignoreError: false }),
    });
    draft.note("The cache has one scope for each platform now, so the first build finds it empty.");
    if (from.length === 0) {
        draft.note("The cache is read too, and not only written.");
    }
}

/** A place with its kind; undefined for a kind there is not, which is refused. */
function describeSource(draft: Draft, place: Place): Readonly<Record<string, Value>> | undefined {
    const { type, option } = place;
    const known = Object.hasOwn(backends, type) ? backends[type] : undefined;
    if (known !== undefined) {
        return { [type]: describePlace(draft, place, known) };
    }
    draft.refuseOption(option, `has the type "${type}". There is ${Object.keys(backends).join(", ")}, inline`);
    return undefined;
}

function describePlace(draft: Draft, place: Place, known: Readonly<Record<string, string>>): Value {
    const described: Record<string, Value> = {};
    for (const [name, value = ""] of place.attributes) {
        const input = known[name];
        if (input === undefined) {
            continue;
        }
        if (looksSecret(name)) {
            const setting = settingName(`cache_${input}`);
            draft.need({ name: setting, secret: true, comment: `The ${name} of the cache` });
            described[input] = reference(setting);
        } else {
            const isSwitch = input === "usePathStyle";
            described[input] = isSwitch ? isTrue(value) : input === "directory" ? draft.path(value) : value;
        }
    }
    refuseOthers(draft, place, ["type", ...Object.keys(known)]);
    return described;
}

function refuseOthers(draft: Draft, place: Place, known: readonly string[]): void {
    const more = place.option === "cache-to" ? ["mode", "ignore-error"] : [];
    for (const [name, value] of place.attributes) {
        if (![...known, ...more].includes(name) && !(always.includes(name) && isTrue(value ?? ""))) {
            draft.refuseOption(place.option, "has no input here. Leave it out", name);
        }
    }
}
