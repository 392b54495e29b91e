import * as path from "node:path";
import { cacheSecretsOf, type AzblobCache, type CacheOptions, type GhaCache, type S3Cache } from "./cacheOptions";
import type { CacheSource } from "./cacheOptions";
import { cacheFolder, platformCacheRef, scopedName, type CacheScope } from "./cacheScope";
import { csvRecord } from "./csv";

export type { CacheOptions } from "./cacheOptions";
export { platformCacheRef } from "./cacheScope";

/** How one place is read and written; empty where it is not. */
interface CacheFields {
    readonly from: readonly (readonly string[])[];
    readonly to: readonly string[];
}

/**
 * The arguments for the cache of one platform. No two platforms share a scope: the later one would replace the other.
 * They hold the secrets of the cache, if it has any: `hasCacheSecret` tells when they must not be seen.
 * https://docs.docker.com/build/cache/backends/
 */
export function cacheArgv(cache: CacheOptions | undefined, scope: CacheScope): string[] {
    if (cache === undefined) {
        return [];
    }
    const own = describeSource(cache, scope);
    const sources = [own, ...(cache.from ?? []).map((source) => describeSource(source, scope))];
    const froms = sources.flatMap(({ from }) => from.map((fields) => csvRecord(fields)));
    const options = [`mode=${cache.mode ?? "max"}`, `ignore-error=${cache.ignoreError ?? true}`];
    const to = cache.readOnly || own.to.length === 0 ? [] : own.to;
    return [
        ...[...new Set(froms)].flatMap((from) => ["--cache-from", from]),
        ...(to.length === 0 ? [] : ["--cache-to", csvRecord(cache.inline ? to : [...to, ...options])]),
    ];
}

/** True when the arguments for a cache hold a secret. */
export function hasCacheSecret(cache: CacheOptions | undefined): boolean {
    return cacheSecretsOf(cache).length > 0;
}

function describeSource(source: CacheSource, scope: CacheScope): CacheFields {
    const { registry, s3, gha, azblob, local, inline } = source;
    if (registry) {
        const ref = `ref=${platformCacheRef(registry.ref ?? scope.repository, scope.platform)}`;
        // An image manifest, because some registries, ECR among them, refuse an index without platforms.
        const form = ["image-manifest=true", "oci-mediatypes=true", ...field("compression", registry.compression)];
        return { from: [["type=registry", ref]], to: ["type=registry", ref, ...form] };
    }
    if (local) {
        const folder = path.resolve(scope.baseDirectory, cacheFolder(local.directory, scope.platform));
        const form = field("compression", local.compression);
        return { from: [["type=local", `src=${folder}`]], to: ["type=local", `dest=${folder}`, ...form] };
    }
    if (inline) {
        const refs = inline.from ?? [`${scope.repository}:latest`];
        return { from: refs.map((ref) => ["type=registry", `ref=${ref}`]), to: ["type=inline"] };
    }
    if (s3) {
        const place = describeS3(s3, scope);
        const upload = [
            ...field("upload_parallelism", s3.uploadParallelism),
            ...field("touch_refresh", duration(s3.touchRefreshSeconds)),
        ];
        return { from: [place], to: [...place, ...upload] };
    }
    const place = gha ? describeGha(gha, scope) : azblob ? describeAzblob(azblob, scope) : undefined;
    return place === undefined ? { from: [], to: [] } : { from: [place], to: place };
}

// https://github.com/moby/buildkit/blob/v0.31.1/cache/remotecache/s3/s3.go
function describeS3(s3: S3Cache, scope: CacheScope): string[] {
    return [
        "type=s3",
        `bucket=${s3.bucket}`,
        `name=${scopedName(s3.name, scope)}`,
        ...field("region", s3.region),
        ...field("endpoint_url", s3.endpointUrl),
        ...field("use_path_style", s3.usePathStyle),
        ...field("prefix", s3.prefix),
        ...field("blobs_prefix", s3.blobsPrefix),
        ...field("manifests_prefix", s3.manifestsPrefix),
        ...field("access_key_id", s3.accessKeyId),
        ...field("secret_access_key", s3.secretAccessKey),
        ...field("session_token", s3.sessionToken),
    ];
}

// https://github.com/moby/buildkit/blob/v0.31.1/cache/remotecache/gha/gha.go
function describeGha({ scope: name, url, token, version = 2, timeoutSeconds }: GhaCache, scope: CacheScope): string[] {
    return [
        "type=gha",
        `scope=${scopedName(name, scope)}`,
        ...(url === undefined ? [] : [`version=${version}`, ...field(version === 1 ? "url" : "url_v2", url)]),
        ...field("token", token),
        ...field("timeout", duration(timeoutSeconds)),
    ];
}

// https://github.com/moby/buildkit/blob/v0.31.1/cache/remotecache/azblob/utils.go
function describeAzblob(azblob: AzblobCache, scope: CacheScope): string[] {
    return [
        "type=azblob",
        `name=${scopedName(azblob.name, scope)}`,
        ...field("account_url", azblob.accountUrl),
        ...field("account_name", azblob.accountName),
        ...field("container", azblob.container),
        ...field("prefix", azblob.prefix),
        ...field("blobs_prefix", azblob.blobsPrefix),
        ...field("manifests_prefix", azblob.manifestsPrefix),
        ...field("secret_access_key", azblob.secretAccessKey),
    ];
}

function field(name: string, value: string | number | boolean | undefined): string[] {
    return value === undefined ? [] : [`${name}=${value}`];
}

function duration(seconds: number | undefined): string | undefined {
    return seconds === undefined ? undefined : `${seconds}s`;
}
