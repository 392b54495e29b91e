import assert from "node:assert/strict";

import { writeContext } from "../support/images";
import { createImageStack, useImageStack, type ImageStack } from "../support/imageStack";

/** A new base image builds again, where the program wants it to; one that is new for another platform does not. */
describe("a base image", () => {
    const stack = useImageStack();
    let base: ImageStack;

    beforeEach(async () => {
        base = await createImageStack(stack.world, { tags: ["1"] });
        writeContext(base.folder, "base one");
        await base.up();
        writeContext(stack.folder, "app", `FROM ${base.repository}:1\nCOPY content.txt /app.txt\n`);
    });

    afterEach(() => base.remove());

    const renew = async (): Promise<void> => {
        writeContext(base.folder, "base two");
        await base.up();
    };

    it("builds nothing again by default when it is new", async () => {
        await stack.up();
        await renew();
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
    });

    it("builds again when it is tracked and new, and says so in the preview; an old one builds nothing", async () => {
        stack.args = { baseImages: "track" };
        const first = await stack.up();
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        await renew();
        const { stdout } = await stack.stack.preview();
        assert.match(stdout, /builds again: the base image .*:1 is new: sha256:/);
        const second = await stack.up();
        assert.notEqual(second.outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
    });

    it("that is not there is a problem of the input that asked for it", async () => {
        writeContext(stack.folder, "app", `FROM ${base.repository}:missing\nCOPY content.txt /app.txt\n`);
        stack.args = { pull: true };
        const printed = await stack.upFails();
        assert.match(printed, /pull: .*missing.*\[registry-not-found\]/);
    });
});
