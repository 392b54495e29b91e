/** A place where steps are cached: exactly one of its properties. All values are clear text. */
export interface CacheSource {
    /** In a registry. */
    readonly registry?: { readonly ref?: string | undefined; readonly compression?: string | undefined } | undefined;
    /** In a bucket. */
    readonly s3?: S3Cache | undefined;
    /** In the cache service of GitHub Actions. */
    readonly gha?: GhaCache | undefined;
    /** In Azure Blob Storage. */
    readonly azblob?: AzblobCache | undefined;
    /** In a folder of this machine. */
    readonly local?: { readonly directory: string; readonly compression?: string | undefined } | undefined;
    /** Inside the image. `from` are the images to read it from; by default the tag `latest` of the repository. */
    readonly inline?: { readonly from?: readonly string[] | undefined } | undefined;
}

/** Where the steps of builds are cached. */
export interface CacheOptions extends CacheSource {
    /** More caches to read from. */
    readonly from?: readonly CacheSource[] | undefined;
    /** Which steps are kept: those of all stages, or of the last one. Defaults to `max`. */
    readonly mode?: "max" | "min" | undefined;
    /** True never writes the cache. Defaults to false. */
    readonly readOnly?: boolean | undefined;
    /** True lets a build succeed whose cache could not be written. Defaults to true. */
    readonly ignoreError?: boolean | undefined;
}

/** A cache in a bucket. */
export interface S3Cache {
    readonly bucket: string;
    readonly region?: string | undefined;
    readonly name?: string | undefined;
    readonly endpointUrl?: string | undefined;
    readonly usePathStyle?: boolean | undefined;
    readonly prefix?: string | undefined;
    readonly blobsPrefix?: string | undefined;
    readonly manifestsPrefix?: string | undefined;
    readonly accessKeyId?: string | undefined;
    readonly secretAccessKey?: string | undefined;
    readonly sessionToken?: string | undefined;
    readonly uploadParallelism?: number | undefined;
    readonly touchRefreshSeconds?: number | undefined;
}

/** A cache in the cache service of GitHub Actions. */
export interface GhaCache {
    readonly scope?: string | undefined;
    readonly url?: string | undefined;
    readonly token?: string | undefined;
    readonly version?: number | undefined;
    readonly timeoutSeconds?: number | undefined;
}

/** A cache in Azure Blob Storage. */
export interface AzblobCache {
    readonly name?: string | undefined;
    readonly accountUrl?: string | undefined;
    readonly accountName?: string | undefined;
    readonly container?: string | undefined;
    readonly prefix?: string | undefined;
    readonly blobsPrefix?: string | undefined;
    readonly manifestsPrefix?: string | undefined;
    readonly secretAccessKey?: string | undefined;
}

/** All places of a cache: the one that is written, and those that are only read. */
export function listCacheSources(cache: CacheOptions | undefined): readonly CacheSource[] {
    return cache === undefined ? [] : [cache, ...(cache.from ?? [])];
}

/** The secrets of a cache. */
export function cacheSecretsOf(cache: CacheOptions | undefined): string[] {
    return listCacheSources(cache)
        .flatMap(({ s3, gha, azblob }) => [
            ...[s3?.secretAccessKey, s3?.sessionToken],
            ...[gha?.token, azblob?.secretAccessKey],
        ])
        .filter((secret): secret is string => secret !== undefined && secret !== "");
}
