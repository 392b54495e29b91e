import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createRegistryConfig } from "./registryConfig";
import { buildPlatform } from "../../sdk/build/build";
import type { CacheOptions } from "../../sdk/build/cache";
import { describeProgress } from "../../sdk/build/progress";
import type { BuildRequest } from "../../sdk/build/request";
import type { Architecture, World } from "./world";

/** How one platform was built. */
export interface CachedBuild {
    readonly digest: string;
    readonly steps: number;
    readonly cachedSteps: number;
    readonly warnings: readonly string[];
}

/**
 * Nothing has to run, and no step is the same on both platforms: BuildKit knows a copy of equal files into nothing by
 * these files alone, and would find one platform's step in the cache of the other.
 */
export const cachedDockerfile = [
    "FROM scratch AS base",
    "ARG TARGETARCH",
    "COPY ${TARGETARCH}.txt /content.txt",
    "FROM scratch",
    "COPY --from=base /content.txt /copied.txt",
    "ARG TARGETARCH",
    "COPY ${TARGETARCH}.txt /again.txt",
].join("\n");

/** A context that no other build has, so that no builder knows its steps. */
export function writeCacheContext(folder: string, name: string): string {
    const context = join(folder, name);
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, "Dockerfile"), cachedDockerfile);
    for (const architecture of ["amd64", "arm64"]) {
        writeFileSync(join(context, `${architecture}.txt`), `${name} ${architecture} ${folder}`);
    }
    return context;
}

/** Builds both platforms at once, each with its own scope of the cache. */
export async function buildBoth(
    world: World,
    cache: CacheOptions,
    where: { repository: string; context: string; env?: Record<string, string>; more?: Partial<BuildRequest> },
): Promise<Record<Architecture, CachedBuild>> {
    const build = async (architecture: Architecture): Promise<CachedBuild> => {
        const { address, platform, tls } = world.builders[architecture].endpoint;
        const warnings: string[] = [];
        const base = mkdtempSync(join(where.context, "..", "private-"));
        const request: BuildRequest = {
            platform,
            node: {
                name: architecture,
                platform,
                address,
                tls: tls as { ca: string; cert: string; key: string },
                emulation: "allow",
                property: "builders.endpoints[0]",
            },
            repository: where.repository,
            context: { location: where.context },
            buildArgs: {},
            secrets: {},
            cache,
            registriesConfig: createRegistryConfig(world),
            timeoutSeconds: 60,
            baseDirectory: where.context,
            retries: 0,
            ...where.more,
        };
        const { pushed, build } = await buildPlatform(request, {
            env: { PATH: process.env["PATH"], HOME: base, SSL_CERT_FILE: world.caFile, ...where.env },
            place: { base },
            onProgress: (progress) => {
                if (progress.kind === "warning") {
                    warnings.push(describeProgress(progress));
                }
            },
        });
        return { digest: pushed?.digest ?? "", steps: build.steps, cachedSteps: build.cachedSteps, warnings };
    };
    const [amd64, arm64] = await Promise.all([build("amd64"), build("arm64")]);
    return { amd64, arm64 };
}

/** Makes both builders brand new: whatever they knew is gone. */
export async function renewBuilders(world: World): Promise<void> {
    await Promise.all(
        Object.values(world.builders).map(async (builder) => {
            await builder.stop();
            await builder.start({ empty: true });
        }),
    );
}
