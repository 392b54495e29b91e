import { createHash } from "node:crypto";
import * as path from "node:path";

/** What a cache belongs to. */
export interface CacheScope {
    readonly platform: string;
    readonly repository: string;
    readonly baseDirectory: string;
}

const defaultTag = "buildcache";
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const longestTag = 128;

/** The name of a platform where slashes have a meaning of their own. */
export function scopeName(platform: string): string {
    return platform.replaceAll("/", "-");
}

/**
 * The name of a platform's cache in a store that several images share. By default it is that of the image: two images
 * with one name would take turns in replacing each other's cache.
 */
export function scopedName(name: string | undefined, { platform, repository }: CacheScope): string {
    // A colon before a port is no good in keys and paths, and no name of a registry has an underscore.
    return `${name ?? repository.replaceAll(":", "_")}-${scopeName(platform)}`;
}

/** The folder of a platform's cache: one of its own in the folder for all of them. */
export function cacheFolder(directory: string, platform: string): string {
    return path.join(directory, scopeName(platform));
}

/** The reference of a platform's cache: the name of the platform is added to the tag, `buildcache` by default. */
export function platformCacheRef(ref: string, platform: string): string {
    // What is named by digest never changes, so nobody can have made one for each platform of it.
    if (ref.includes("@")) {
        return ref;
    }
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
