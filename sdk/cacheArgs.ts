import type { Input } from "@pulumi/pulumi";

import type { Compression } from "./buildOptions";

/** A place where build steps are cached: exactly one of its properties. Each platform has a scope of its own there. */
export interface CacheSourceArgs {
    /** A cache in a registry. This is the one for builders that come and go. */
    registry?: Input<RegistryCacheArgs>;

    /** A cache in a bucket of Amazon S3, or of another server that speaks its protocol. */
    s3?: Input<S3CacheArgs>;

    /** A cache in the cache service of GitHub Actions. */
    gha?: Input<GhaCacheArgs>;

    /** A cache in Azure Blob Storage. */
    azblob?: Input<AzblobCacheArgs>;

    /** A cache in a folder of the machine that runs `pulumi up`. */
    local?: Input<LocalCacheArgs>;

    /** A cache inside the image. It holds the last stage only. */
    inline?: Input<InlineCacheArgs>;
}

/**
 * Where build steps are cached: exactly one of `registry`, `s3`, `gha`, `azblob`, `local` and `inline`, or only `from`.
 * A change builds nothing.
 */
export interface CacheArgs extends CacheSourceArgs {
    /**
     * More caches to read from, after the one that is written: that of the main branch, or of another image. Each
     * platform reads its own scope of them. Defaults to none. One that does not exist is passed over.
     */
    from?: Input<Input<CacheSourceArgs>[]>;

    /**
     * Which steps are kept: `max` keeps those of all stages, `min` only those of the last one. Defaults to `max`.
     * Means nothing for `inline`.
     */
    mode?: Input<CacheMode>;

    /** True reads the cache and never writes it. Defaults to false. */
    readOnly?: Input<boolean>;

    /**
     * True lets a build succeed whose cache could not be written, with a warning. Defaults to true. A cache that cannot
     * be read is a warning in any case.
     */
    ignoreError?: Input<boolean>;
}

/** A cache in a registry. */
export interface RegistryCacheArgs {
    /**
     * The reference of the cache, with or without a tag. Defaults to the tag `buildcache` in the repository of the
     * image. Each platform adds its name to the tag, for example `buildcache-linux-arm64`. Only in `from` it may have a
     * digest in place of a tag, which is read as it is.
     */
    ref?: Input<string>;

    /** How layers are compressed that have no form yet. Defaults to `gzip`. Means nothing in `from`. */
    compression?: Input<Compression>;
}

/** A cache in a bucket of Amazon S3, or of another server that speaks its protocol. The builder must reach it. */
export interface S3CacheArgs {
    /** The name of the bucket. It has to exist. */
    bucket: Input<string>;

    /**
     * The region of the bucket. Defaults to `AWS_REGION` or `AWS_DEFAULT_REGION` of the machine that runs `up`, and then
     * to `AWS_REGION` of the builder.
     */
    region?: Input<string>;

    /**
     * The name of the cache in the bucket. Defaults to the repository of the image. Each platform adds its own, for
     * example `app-linux-arm64`.
     */
    name?: Input<string>;

    /** The address of a server that is not Amazon's, for example `https://s3.example.com`. Defaults to Amazon's. */
    endpointUrl?: Input<string>;

    /** True puts the bucket into the path of an address in place of its host. Defaults to false. */
    usePathStyle?: Input<boolean>;

    /** What all keys begin with. Defaults to nothing. */
    prefix?: Input<string>;

    /** What the keys of layers begin with, after `prefix`. Defaults to `blobs/`. All platforms share them by content. */
    blobsPrefix?: Input<string>;

    /** What the keys of caches begin with, after `prefix`. Defaults to `manifests/`. */
    manifestsPrefix?: Input<string>;

    /**
     * The id of an access key. Defaults to the account that the machine running `up` has for AWS (environment, profile,
     * web identity), and then to that of the builder, for example the role of its instance.
     */
    accessKeyId?: Input<string>;

    /**
     * The secret of the access key. Required with `accessKeyId`. Always kept as a secret.
     * @secret
     */
    secretAccessKey?: Input<string>;

    /**
     * The token that belongs to a temporary access key. Defaults to none. Always kept as a secret.
     * @secret
     */
    sessionToken?: Input<string>;

    /**
     * How many layers are uploaded at once. Defaults to 4. Means nothing in `from`.
     * @integer
     */
    uploadParallelism?: Input<number>;

    /**
     * After how many seconds a layer that is still used is marked as new, so that a rule of the bucket that removes old
     * objects keeps it. Defaults to one day. Means nothing in `from`.
     * @integer
     */
    touchRefreshSeconds?: Input<number>;
}

/**
 * A cache in the cache service of GitHub Actions. A job reads the caches of its own branch and of the main branch, and
 * writes those of its own.
 */
export interface GhaCacheArgs {
    /**
     * The name of the cache. Defaults to the repository of the image. Each platform adds its own, for example
     * `app-linux-arm64`.
     */
    scope?: Input<string>;

    /**
     * The address of the cache service. Defaults to `ACTIONS_RESULTS_URL` or `ACTIONS_CACHE_URL` of the machine that
     * runs `up`.
     */
    url?: Input<string>;

    /**
     * The token of the job. Defaults to `ACTIONS_RUNTIME_TOKEN` of the machine that runs `up`. Always kept as a secret.
     * @secret
     */
    token?: Input<string>;

    /**
     * The version of the protocol at `url`: 1 or 2. Defaults to 2. Means nothing without `url`.
     * @integer
     */
    version?: Input<number>;

    /**
     * How long one request may take, in seconds. Defaults to ten minutes.
     * @integer
     */
    timeoutSeconds?: Input<number>;
}

/** A cache in Azure Blob Storage. The builder must reach it. */
export interface AzblobCacheArgs {
    /**
     * The name of the cache. Defaults to the repository of the image. Each platform adds its own, for example
     * `app-linux-arm64`.
     */
    name?: Input<string>;

    /**
     * The address of the storage account, for example `https://account.blob.core.windows.net`. Defaults to
     * `BUILDKIT_AZURE_STORAGE_ACCOUNT_URL` of the builder.
     */
    accountUrl?: Input<string>;

    /** The name of the storage account. Defaults to the first part of the host in `accountUrl`. */
    accountName?: Input<string>;

    /** The container. Defaults to `buildkit-cache`. It is made if it does not exist. */
    container?: Input<string>;

    /** What all names in the container begin with. Defaults to nothing. */
    prefix?: Input<string>;

    /** The folder of layers, after `prefix`. Defaults to `blobs`. All platforms share them by content. */
    blobsPrefix?: Input<string>;

    /** The folder of caches, after `prefix`. Defaults to `manifests`. */
    manifestsPrefix?: Input<string>;

    /**
     * The key of the storage account. Defaults to the identity that the builder itself has in Azure. Always kept as a
     * secret.
     * @secret
     */
    secretAccessKey?: Input<string>;
}

/** A cache in a folder. */
export interface LocalCacheArgs {
    /** The folder, relative to the folder of the program. Each platform has a folder of its own inside. */
    directory: Input<string>;

    /** How layers are compressed that have no form yet. Defaults to `gzip`. Means nothing in `from`. */
    compression?: Input<Compression>;
}

/** A cache inside the image. */
export interface InlineCacheArgs {
    /** The images to read it from, as they are. Defaults to the tag `latest` in the repository of the image. */
    from?: Input<Input<string>[]>;
}

/** Which steps a cache keeps. */
export type CacheMode = "max" | "min";
