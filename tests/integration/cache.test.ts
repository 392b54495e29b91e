import assert from "node:assert/strict";

import type { BuildReport } from "../../sdk";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";

const dockerfile = "FROM alpine:latest\nCOPY content.txt /\nRUN cat /content.txt > /copy.txt\n";

/** One declaration of a cache, and a scope of its own for each platform. */
describe("the registry cache", () => {
    const stack = useImageStack();

    it("gives every step of both platforms to builders that are brand new", async () => {
        const { repository } = stack;
        stack.args = { cache: { registry: { ref: `${repository}:cache` } } };
        writeContext(stack.folder, repository, dockerfile);
        const first = await stack.up();
        const before = first.outputs["builds"]?.value as Record<string, BuildReport>;
        assert.equal(before["linux/arm64"]?.cachedSteps, 0);
        const tags = await stack.view.tags(repository);
        assert.deepEqual(tags.sort(), ["cache-linux-amd64", "cache-linux-arm64", "latest"]);

        for (const builder of Object.values(stack.world.builders)) {
            await builder.stop();
            await builder.start({ empty: true });
        }
        stack.repository = stack.world.newRepository();
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
