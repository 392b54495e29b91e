/** The inputs of each kind of cache that are secrets. */
export const cacheSecretNames = {
    s3: ["secretAccessKey", "sessionToken"],
    gha: ["token"],
    azblob: ["secretAccessKey"],
} as const;

const paths = Object.entries(cacheSecretNames).flatMap(([kind, names]) => names.map((name) => `${kind}.${name}`));

/** The same, as paths in the inputs of an image. */
export const cacheSecretPaths = paths.flatMap((path) => [`cache.${path}`, `cache.from.*.${path}`]);
