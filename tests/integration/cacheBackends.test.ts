import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CacheOptions } from "../../sdk/build/cache";
import type { BuildRequest } from "../../sdk/build/request";
import { buildBoth, renewBuilders, writeCacheContext, type CachedBuild } from "../support/cacheBuild";
import { startCacheServers, type CacheServers } from "../support/cacheServers";
import { watchProcesses } from "../support/processes";
import { buildWithSharedCache } from "../support/sharedCacheBuild";
import { getWorld, type Architecture, type World } from "../support/world";

interface Case {
    readonly title: string;
    readonly cache: (servers: CacheServers, repository: string) => CacheOptions;
    /** With which cache the new builders build, where it is another one. */
    readonly then?: (servers: CacheServers) => CacheOptions;
    /** How often a build is tried again. */
    readonly retries?: number;
    /** What the machine has in its environment. */
    readonly env?: (servers: CacheServers) => Record<string, string>;
}

const cases: readonly Case[] = [
    { title: "a registry", cache: () => ({ registry: {} }) },
    {
        title: "a folder",
        cache: (_, repository) => ({ local: { directory: repository.replace(/.*\//, "../cache-") } }),
    },
    { title: "a bucket", cache: ({ s3 }) => ({ s3: { ...s3, usePathStyle: true } }) },
    {
        title: "a bucket, with the account of the machine",
        cache: ({ s3: { endpointUrl, bucket } }) => ({ s3: { endpointUrl, bucket, usePathStyle: true } }),
        env: ({ s3 }) => ({
            AWS_REGION: s3.region,
            AWS_ACCESS_KEY_ID: s3.accessKeyId,
            AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        }),
    },
    // Both builds make its container, and one of them comes second.
    { title: "Azure Blob Storage", cache: ({ azblob }) => ({ azblob }), retries: 1 },
    {
        title: "GitHub Actions, with the address and token of the job",
        cache: () => ({ gha: {} }),
        env: ({ gha }) => ({
            ACTIONS_CACHE_SERVICE_V2: "true",
            ACTIONS_RESULTS_URL: gha.url,
            ACTIONS_RUNTIME_TOKEN: gha.token,
        }),
    },
    {
        title: "GitHub Actions, with a token of the program",
        cache: ({ gha: { url, token } }) => ({ gha: { url, token, scope: "other", timeoutSeconds: 60 } }),
    },
    {
        title: "another place that is only read",
        cache: ({ s3 }) => ({ s3: { ...s3, usePathStyle: true, name: "main" } }),
        then: ({ s3 }) => ({ registry: {}, from: [{ s3: { ...s3, usePathStyle: true, name: "main" } }] }),
    },
];

const nothingCached = { amd64: 0, arm64: 0 };
type Both = Record<Architecture, CachedBuild>;

/** One declaration of a cache: both platforms are built, the builders are made new, and both are built again. */
describe("a cache in", () => {
    let world: World;
    let servers: CacheServers;
    let folder: string;
    let seen: Set<string>;
    const rounds: { first: Both; second: Both }[] = [];
    const shared: Record<Architecture, { steps: number; cachedSteps: number }>[] = [];

    before(async () => {
        world = await getWorld();
        folder = mkdtempSync(join(tmpdir(), "multiarch-cache-"));
        servers = await startCacheServers(world);
        const repositories = cases.map(() => world.newRepository());
        const sharedRepository = world.newRepository();
        const watch = watchProcesses();
        const round = async (isFirst: boolean): Promise<Both[]> => {
            const results: Both[] = [];
            for (const [index, { cache: first, then = first, retries = 0, env }] of cases.entries()) {
                const cache = isFirst ? first : then;
                const repository = repositories[index] ?? "";
                const context = writeCacheContext(folder, `case${index}`);
                const more = { repository, context, env: env?.(servers) ?? {}, more: { retries } };
                results.push(await buildBoth(world, cache(servers, repository), more));
            }
            const context = writeCacheContext(folder, "shared");
            shared.push(await buildWithSharedCache(world, { repository: sharedRepository, context }));
            return results;
        };
        const firsts = await round(true);
        await renewBuilders(world);
        for (const [index, second] of (await round(false)).entries()) {
            rounds.push({ first: firsts[index] ?? second, second });
        }
        seen = watch.stop();
    });

    after(async () => {
        await servers.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    for (const [index, { title }] of cases.entries()) {
        it(`${title} gives every step of both platforms to builders that are brand new`, () => {
            const round = rounds[index];
            assert.ok(round);
            for (const { warnings } of [...Object.values(round.first), ...Object.values(round.second)]) {
                assert.deepEqual(warnings, []);
            }
            const { first, second } = round;
            assert.deepEqual({ amd64: first.amd64.cachedSteps, arm64: first.arm64.cachedSteps }, nothingCached);
            for (const architecture of ["amd64", "arm64"] as const) {
                const { steps, cachedSteps, digest } = second[architecture];
                assert.equal(steps, 3);
                assert.equal(cachedSteps, steps, `${architecture}: ${cachedSteps} of ${steps} steps are cached`);
                assert.equal(digest, first[architecture].digest);
            }
        });
    }

    it("one scope for all platforms, which is what buildx alone makes of one --cache-to, keeps the last one only", () => {
        const [first, second] = shared;
        assert.ok(first && second);
        assert.deepEqual({ amd64: first.amd64.cachedSteps, arm64: first.arm64.cachedSteps }, nothingCached);
        const whole = Object.values(second).filter(({ steps, cachedSteps }) => steps === 3 && cachedSteps === steps);
        assert.equal(whole.length, 1, JSON.stringify(second));
    });

    it("a server shows none of its keys in the arguments of a process", () => {
        assert.ok([...seen].some((argv) => argv.includes(" bake ") && argv.includes("rawjson")));
        for (const secret of [servers.s3.secretAccessKey, servers.azblob.secretAccessKey, servers.gha.token]) {
            const showing = [...seen].filter((argv) => argv.includes(secret));
            assert.deepEqual(showing, []);
        }
    });

    it("a server with a key makes the same image as one without, with all the options that a build has", async () => {
        const repository = world.newRepository();
        const context = writeCacheContext(folder, "options");
        writeFileSync(join(context, "text"), "text");
        const tricky = '${HOME} $${HOME} %{if} %%{x} 100% $ \\ "quoted", a=b';
        const inline = [
            "FROM scratch AS wanted",
            "ARG NOTE",
            "ARG PATH",
            "LABEL note=$NOTE path=$PATH",
            "COPY --from=other text /",
            "FROM scratch",
        ].join("\n");
        const more: Partial<BuildRequest> = {
            dockerfile: { inline },
            target: "wanted",
            context: { location: ".", named: { other: { location: "." } } },
            buildArgs: { NOTE: tricky, PATH: "/bin:${x}" },
            secrets: { token: tricky },
            options: {
                labels: { "org.example.note": tricky, "${key}": "1" },
                annotations: { "org.example.note": tricky },
                addHosts: ["db.internal:10.0.0.7"],
                network: "none",
                noCacheFilters: ["nothing"],
                shmSize: "128m",
                ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
                resources: { memory: "64m" },
                sourceDateEpoch: 1_700_000_000,
            },
        };
        const where = { repository, context, more };
        const plain = await buildBoth(world, { registry: {} }, where);
        const keyed = await buildBoth(world, { azblob: servers.azblob }, where);
        assert.deepEqual([keyed.amd64.digest, keyed.arm64.digest], [plain.amd64.digest, plain.arm64.digest]);
    });

    it("a server that refuses the key is a warning without the key, and an error where that is wanted", async () => {
        const secretAccessKey = "wr0ng-S3cret-key";
        const s3 = { ...servers.s3, usePathStyle: true, secretAccessKey };
        const where = { repository: world.newRepository(), context: writeCacheContext(folder, "refused") };
        const { arm64 } = await buildBoth(world, { s3 }, where);
        assert.match(arm64.warnings.join("\n"), /could not be read: .*SignatureDoesNotMatch/);
        assert.match(arm64.warnings.join("\n"), /could not be written: .*403/);
        assert.equal(arm64.warnings.join("\n").includes(secretAccessKey), false);
        await assert.rejects(buildBoth(world, { s3, ignoreError: false }, where), (error: Error) => {
            assert.match(error.message, /the build failed: .*S3/);
            assert.equal(error.message.includes(secretAccessKey), false);
            return true;
        });
    });

    it("GitHub Actions, outside of a job, is an error that says what is lacking", async () => {
        const where = { repository: world.newRepository(), context: writeCacheContext(folder, "outside") };
        await assert.rejects(buildBoth(world, { gha: {} }, where), {
            code: "cache-environment",
            fields: {
                what: "the cache of GitHub Actions has no token (ACTIONS_RUNTIME_TOKEN) and no url (ACTIONS_RESULTS_URL)",
                platform: "linux/amd64",
                property: "cache.gha",
            },
        });
    });
});
