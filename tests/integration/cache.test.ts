import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { MultiArchImage, type BuildReport, type CacheArgs } from "../../sdk";
import { renewBuilders } from "../support/cacheBuild";
import { startCacheServers } from "../support/cacheServers";
import { imageArgs, writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { watchProcesses } from "../support/processes";
import { viewRegistry } from "../support/registryView";
import { createStack } from "../support/stack";
import { getWorld } from "../support/world";

const dockerfile = "FROM alpine:latest\nCOPY content.txt /\nRUN cat /content.txt > /copy.txt\n";
const platforms = ["linux/amd64", "linux/arm64"];

/** One declaration of a cache, and a scope of its own for each platform. The other kinds are in cacheBackends.test.ts. */
describe("a cache in a registry, and one inside the image,", () => {
    it("give every step of both platforms to builders that are brand new", async () => {
        const world = await getWorld();
        const [kept, inside] = [world.newRepository(), world.newRepository()];
        const images: Record<string, [repository: string, cache: CacheArgs]> = {
            kept: [kept, { registry: { ref: `${kept}:cache` } }],
            inside: [inside, { inline: {} }],
        };
        let extra = "first";
        const stack = await createStack(world, () => {
            const outputs = Object.entries(images).map(([name, [repository, cache]]) => {
                const own = { cache, context: { location: `./${name}/app` }, invalidation: { extra } };
                const { builds, platformDigests } = new MultiArchImage(name, {
                    ...imageArgs(world, repository),
                    ...own,
                });
                return [name, { builds, platformDigests }];
            });
            return Promise.resolve(Object.fromEntries(outputs) as object);
        });
        try {
            for (const [name, [repository]] of Object.entries(images)) {
                writeContext(join(stack.folder, name), repository, dockerfile);
            }
            // What other tests have left on the builders would count as cached.
            await renewBuilders(world);
            const first = (await stack.up()).outputs;
            assert.deepEqual((await viewRegistry(world).tags(kept)).sort(), [
                "cache-linux-amd64",
                "cache-linux-arm64",
                "latest",
            ]);
            await renewBuilders(world);
            extra = "second";
            const second = (await stack.up()).outputs;
            for (const name of Object.keys(images)) {
                const [before, after] = [first[name]?.value as Built, second[name]?.value as Built];
                for (const platform of platforms) {
                    assert.equal(before.builds[platform]?.cachedSteps, 0);
                    const { steps, cachedSteps } = after.builds[platform] ?? { steps: 0, cachedSteps: -1 };
                    // The base image is looked up, not built; BuildKit does not count it as cached.
                    assert.equal(cachedSteps, steps - 1, `${name}, ${platform}: ${cachedSteps} of ${steps} are cached`);
                }
                assert.deepEqual(after.platformDigests, before.platformDigests);
            }
        } finally {
            await stack.remove();
        }
    });
});

describe("a cache on a server", () => {
    const stack = useImageStack();

    it("shows its keys nowhere, and another one builds nothing", async () => {
        const servers = await startCacheServers(stack.world);
        const watch = watchProcesses();
        try {
            const { azblob, s3, gha } = servers;
            stack.args = { cache: { azblob, from: [{ gha: { url: gha.url, token: gha.token } }] } };
            writeContext(stack.folder, stack.repository);
            await stack.up();
            stack.args = { cache: { s3: { ...s3, usePathStyle: true } } };
            assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4, update: 1 });
        } finally {
            await servers.stop();
        }
        const seen = [...watch.stop()];
        assert.ok(seen.some((argv) => argv.includes(" bake ")));
        const files = listFiles(join(stack.folder, ".."));
        assert.ok(files.some((file) => file.endsWith("test.json")));
        for (const secret of [servers.azblob.secretAccessKey, servers.gha.token, servers.s3.secretAccessKey]) {
            assert.deepEqual(
                seen.filter((argv) => argv.includes(secret)),
                [],
            );
            assert.equal(stack.output().includes(secret), false, "in the output");
            assert.deepEqual(
                files.filter((file) => readFileSync(file, "latin1").includes(secret)),
                [],
            );
        }
    });
});

interface Built {
    readonly builds: Record<string, BuildReport>;
    readonly platformDigests: Record<string, string>;
}

function listFiles(folder: string): string[] {
    return readdirSync(folder, { recursive: true })
        .map((name) => join(folder, String(name)))
        .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}
