import { MultiArchError } from "../errors";
import { listCacheSources, type CacheOptions, type CacheSource } from "./cacheOptions";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The same cache with what this machine knows and the builder does not. buildx itself hands on the account for AWS and
 * the address and token of GitHub Actions: https://github.com/docker/buildx/blob/v0.35.0/build/opt.go (CreateCaches)
 */
export function completeCache(cache: CacheOptions | undefined, env: Environment): CacheOptions | undefined {
    const region = nonEmpty(env["AWS_REGION"]) ?? nonEmpty(env["AWS_DEFAULT_REGION"]);
    const complete = <Source extends CacheSource>(source: Source): Source =>
        source.s3 ? { ...source, s3: { region, ...source.s3 } } : source;
    return cache && { ...complete(cache), ...(cache.from ? { from: cache.from.map(complete) } : {}) };
}

/** The secrets that buildx finds on this machine for a cache, and hands on to the builder. */
export function machineSecretsOf(cache: CacheOptions | undefined, env: Environment): string[] {
    const sources = listCacheSources(cache);
    const names = [
        ...(sources.some(({ gha }) => gha) ? ["ACTIONS_RUNTIME_TOKEN"] : []),
        ...(sources.some(({ s3 }) => s3) ? ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] : []),
    ];
    return names.flatMap((name) => nonEmpty(env[name]) ?? []);
}

/**
 * Throws a MultiArchError `cache-environment` when a cache of GitHub Actions has no address or token. buildx would leave
 * such a cache out without a word, and every build would be a slow one.
 */
export function refuseLackingCache(cache: CacheOptions | undefined, env: Environment, platform: string): void {
    listCacheSources(cache).forEach(({ gha }, position) => {
        const property = position === 0 ? "cache.gha" : `cache.from[${position - 1}].gha`;
        const lacking = [
            ...(gha?.token || env["ACTIONS_RUNTIME_TOKEN"] ? [] : ["token (ACTIONS_RUNTIME_TOKEN)"]),
            ...(gha?.url || env["ACTIONS_CACHE_URL"] || env["ACTIONS_RESULTS_URL"]
                ? []
                : ["url (ACTIONS_RESULTS_URL)"]),
        ];
        if (gha && lacking.length > 0) {
            const what = `the cache of GitHub Actions has no ${lacking.join(" and no ")}`;
            throw new MultiArchError("cache-environment", { what, platform, property });
        }
    });
}

function nonEmpty(text: string | undefined): string | undefined {
    return text === "" ? undefined : text;
}
