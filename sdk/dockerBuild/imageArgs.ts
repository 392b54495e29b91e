import type { CacheFromArgs, CacheToArgs } from "@pulumi/docker-build/types/input";

import type { CacheOptions } from "../build/cacheOptions";
import { cacheFolder, platformCacheRef } from "../build/cacheScope";
import { csvRecord } from "../build/csv";
import { outputArgv } from "../build/optionsArgv";
import type { BuildOptions } from "../build/request";

/** What the image of one platform is made of, as far as docker-build wants it in other words. All of it is known. */
export interface KnownInputs {
    readonly platform: string;
    readonly repository: string;
    readonly options: Pick<
        BuildOptions,
        "annotations" | "sourceDateEpoch" | "compression" | "compressionLevel" | "forceCompression" | "push"
    >;
}

/**
 * What becomes of the image, in the words of `docker buildx build --output`: the same ones for both engines, so that
 * they give the same image. The typed exports of docker-build leave a compression without a level out, cut annotations
 * at commas, and have no fixed times.
 * https://github.com/pulumi/pulumi-docker-build/blob/v0.0.22/provider/internal/export.go
 */
export function rawExport({ repository, options }: Omit<KnownInputs, "platform">): string {
    const output = outputArgv({ repository, options });
    const annotations = Object.entries(options.annotations ?? {});
    if (options.push === false || annotations.length === 0) {
        return output;
    }
    return `${output},${csvRecord(annotations.map(([key, value]) => `annotation-manifest.${key}=${value}`))}`;
}

/** The build arguments, with the one by which BuildKit knows a fixed time. */
export function buildArgsOf(
    buildArgs: Readonly<Record<string, string>> | undefined,
    sourceDateEpoch: number | undefined,
): Record<string, string> | undefined {
    const epoch = sourceDateEpoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(sourceDateEpoch) };
    const all = { ...buildArgs, ...epoch };
    return Object.keys(all).length === 0 ? undefined : all;
}

/** Where the steps of one platform are cached, in scopes that the other engine would use too. */
export function cacheArgs(
    cache: CacheOptions | undefined,
    { platform, repository }: Pick<KnownInputs, "platform" | "repository">,
): { cacheFrom: CacheFromArgs[]; cacheTo: CacheToArgs[] } {
    const { mode = "max", ignoreError = true, readOnly = false } = cache ?? {};
    const written = (to: CacheToArgs): CacheToArgs[] => (readOnly ? [] : [to]);
    if (cache?.registry) {
        const ref = platformCacheRef(cache.registry.ref ?? repository, platform);
        const to = { ref, mode, ignoreError, imageManifest: true, ociMediaTypes: true };
        return { cacheFrom: [{ registry: { ref } }], cacheTo: written({ registry: to }) };
    }
    if (cache?.local) {
        const folder = cacheFolder(cache.local.directory, platform);
        const to = { dest: folder, mode, ignoreError };
        return { cacheFrom: [{ local: { src: folder } }], cacheTo: written({ local: to }) };
    }
    if (cache?.inline) {
        const from = cache.inline.from ?? [`${repository}:latest`];
        return { cacheFrom: from.map((ref) => ({ registry: { ref } })), cacheTo: written({ inline: {} }) };
    }
    return { cacheFrom: [], cacheTo: [] };
}

/** The secrets whose change builds nothing: all, unless the program says that they count. */
export function ignoredSecrets(
    secrets: Readonly<Record<string, string>> | undefined,
    invalidation: { readonly secrets?: boolean } | undefined,
): string[] {
    return invalidation?.secrets === true ? [] : Object.keys(secrets ?? {}).sort();
}
