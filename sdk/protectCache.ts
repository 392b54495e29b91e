import * as pulumi from "@pulumi/pulumi";

import type { CacheArgs, CacheSourceArgs } from "./cacheArgs";
import { cacheSecretNames } from "./cacheSecrets";
import { within } from "./protectWithin";

/** The same cache with its secrets marked as such, whatever the program said. */
export function protectCache(cache: CacheArgs): CacheArgs {
    const { from } = cache;
    return {
        ...protectSource(cache),
        ...(from ? { from: within(from, (list) => list.map((source) => within(source, protectSource))) } : {}),
    };
}

function protectSource<Source extends CacheSourceArgs>(source: Source): Source {
    const { s3, gha, azblob } = source;
    return {
        ...source,
        ...(s3 ? { s3: within(s3, (plain) => protect(plain, cacheSecretNames.s3)) } : {}),
        ...(gha ? { gha: within(gha, (plain) => protect(plain, cacheSecretNames.gha)) } : {}),
        ...(azblob ? { azblob: within(azblob, (plain) => protect(plain, cacheSecretNames.azblob)) } : {}),
    };
}

function protect<T extends object>(plain: T, names: readonly (keyof T)[]): T {
    const given = names.filter((name) => plain[name] !== undefined && plain[name] !== null);
    return { ...plain, ...Object.fromEntries(given.map((name) => [name, pulumi.secret(plain[name])])) };
}
