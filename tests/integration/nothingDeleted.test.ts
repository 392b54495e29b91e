import assert from "node:assert/strict";

import { writeContext } from "../support/images";
import { createImageStack, useImageStack } from "../support/imageStack";

/** Rule 2: nothing in use is ever deleted. */
describe("what was pushed", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "same"));

    it("answers under both tags after a tag was renamed with equal content", async () => {
        stack.args = { tags: ["v1"] };
        const { outputs } = await stack.up();
        stack.args = { tags: ["v2"] };
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 3, update: 2 }, "only component and index change");
        assert.equal(await stack.view.digestOf(`${stack.repository}:v1`), outputs["indexDigest"]?.value);
        assert.equal(await stack.view.digestOf(`${stack.repository}:v2`), outputs["indexDigest"]?.value);
    });

    it("answers for one stack after another with equal content was destroyed", async () => {
        const other = await createImageStack(stack.world, {});
        try {
            other.repository = stack.repository;
            writeContext(other.folder, "same");
            const { outputs } = await stack.up();
            const second = await other.up();
            assert.equal(
                second.outputs["indexDigest"]?.value,
                outputs["indexDigest"]?.value,
                "equal content, equal digest",
            );
            const before = stack.view.pushedManifests(stack.repository).sort();
            await stack.stack.destroy();
            assert.deepEqual(stack.view.pushedManifests(stack.repository).sort(), before);
            assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
            assert.deepEqual((await other.up()).summary.resourceChanges, { same: 5 });
        } finally {
            await other.remove();
        }
    });

    it("stays in the old repository when the repository changes", async () => {
        const old = stack.repository;
        const { outputs } = await stack.up();
        stack.repository = stack.world.newRepository();
        await stack.up();
        assert.equal(await stack.view.digestOf(`${old}:latest`), outputs["indexDigest"]?.value);
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
    });
});
