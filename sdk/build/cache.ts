import { createHash } from "node:crypto";
import * as path from "node:path";
import { csvRecord } from "./csv";

/** Where the steps of builds are cached: exactly one of `registry`, `local` and `inline`. */
export interface CacheOptions {
    /** In a registry. */
    readonly registry?: { readonly ref?: string | undefined } | undefined;
    /** In a folder of this machine. */
    readonly local?: { readonly directory: string } | undefined;
    /** Inside the image. `from` are the images to read it from; by default the tag `latest` of the repository. */
    readonly inline?: { readonly from?: readonly string[] | undefined } | undefined;
    /** Which steps are kept: those of all stages, or of the last one. Defaults to `max`. */
    readonly mode?: "max" | "min" | undefined;
    /** True never writes the cache. Defaults to false. */
    readonly readOnly?: boolean | undefined;
    /** True lets a build succeed whose cache could not be written. Defaults to true. */
    readonly ignoreError?: boolean | undefined;
}

/** What a cache belongs to. */
export interface CacheScope {
    readonly platform: string;
    readonly repository: string;
    readonly baseDirectory: string;
}

const defaultTag = "buildcache";
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const longestTag = 128;

/** The arguments for the cache of one platform. No two platforms share a scope: the later one would replace the other. */
export function cacheArgv(cache: CacheOptions | undefined, scope: CacheScope): string[] {
    if (cache?.registry) {
        const ref = `ref=${platformCacheRef(cache.registry.ref ?? scope.repository, scope.platform)}`;
        // An image manifest, because some registries, ECR among them, refuse an index without platforms.
        const form = ["image-manifest=true", "oci-mediatypes=true"];
        return argv(cache, ["type=registry", ref], ["type=registry", ref, ...form]);
    }
    if (cache?.local) {
        const folder = path.resolve(scope.baseDirectory, cache.local.directory, scopeName(scope.platform));
        return argv(cache, ["type=local", `src=${folder}`], ["type=local", `dest=${folder}`]);
    }
    if (cache?.inline) {
        const from = cache.inline.from ?? [`${scope.repository}:latest`];
        return [
            ...from.flatMap((ref) => ["--cache-from", csvRecord(["type=registry", `ref=${ref}`])]),
            ...(cache.readOnly ? [] : ["--cache-to", "type=inline"]),
        ];
    }
    return [];
}

/** The reference of a platform's cache: the name of the platform is added to the tag, `buildcache` by default. */
export function platformCacheRef(ref: string, platform: string): string {
    const [, name = ref, tag = defaultTag] = /^(.*?)(?::([^/:@]+))?$/.exec(ref) ?? [];
    const suffix = `-${scopeName(platform)}`;
    const room = longestTag - suffix.length;
    if (tag.length <= room) {
        return `${name}:${tag}${suffix}`;
    }
    // Cut tags may begin alike: a part of the hash keeps them apart.
    const hash = createHash("sha256").update(tag).digest("hex").slice(0, 12);
    return `${name}:${tag.slice(0, room - hash.length - 1)}-${hash}${suffix}`;
}

function scopeName(platform: string): string {
    return platform.replaceAll("/", "-");
}

function argv(cache: CacheOptions, from: readonly string[], to: readonly string[]): string[] {
    const options = [`mode=${cache.mode ?? "max"}`, `ignore-error=${cache.ignoreError ?? true}`];
    return ["--cache-from", csvRecord(from), ...(cache.readOnly ? [] : ["--cache-to", csvRecord([...to, ...options])])];
}
