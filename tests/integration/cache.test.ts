import assert from "node:assert/strict";

import { MultiArchImage, type BuildReport } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

const dockerfile = "FROM alpine:latest\nCOPY content.txt /\nRUN cat /content.txt > /copy.txt\n";

/** One declaration of a cache, and a scope of its own for each platform. */
describe("the registry cache", () => {
    let world: World;
    let repository: string;
    let stack: TestStack;
    let target: string;

    before(async () => {
        world = await getWorld();
    });

    beforeEach(async () => {
        repository = world.newRepository();
        target = repository;
        stack = await createStack(world, () => {
            const args = { ...imageArgs(world, target), cache: { registry: { ref: `${repository}:cache` } } };
            const { builds, platformDigests } = new MultiArchImage("app", args);
            return Promise.resolve({ builds, platformDigests });
        });
        writeContext(stack.folder, repository, dockerfile);
    });

    afterEach(() => stack.remove());

    it("gives every step of both platforms to builders that are brand new", async () => {
        const first = await stack.up();
        const before = first.outputs["builds"]?.value as Record<string, BuildReport>;
        assert.equal(before["linux/arm64"]?.cachedSteps, 0);
        const tags = await viewRegistry(world).tags(repository);
        assert.deepEqual(tags.sort(), ["cache-linux-amd64", "cache-linux-arm64", "latest"]);

        for (const builder of Object.values(world.builders)) {
            await builder.stop();
            await builder.start({ empty: true });
        }
        target = world.newRepository();
        const second = await stack.up();
        const builds = second.outputs["builds"]?.value as Record<string, BuildReport>;
        for (const platform of ["linux/amd64", "linux/arm64"]) {
            const { steps, cachedSteps } = builds[platform] ?? { steps: 0, cachedSteps: -1 };
            // The base image is looked up, not built; BuildKit does not count it as cached.
            assert.equal(cachedSteps, steps - 1, `${platform}: ${cachedSteps} of ${steps} steps are cached`);
        }
        assert.deepEqual(second.outputs["platformDigests"]?.value, first.outputs["platformDigests"]?.value);
    });
});
