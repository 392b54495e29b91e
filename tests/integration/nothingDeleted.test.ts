import assert from "node:assert/strict";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

/** Rule 2: nothing in use is ever deleted. */
describe("what was pushed", () => {
    let world: World;
    let repository: string;
    const stacks: TestStack[] = [];

    const newStack = async (args: () => Partial<MultiArchImageArgs> = () => ({})): Promise<TestStack> => {
        const stack = await createStack(world, () => {
            const image = new MultiArchImage("app", { ...imageArgs(world, repository), ...args() });
            return Promise.resolve({ indexDigest: image.indexDigest });
        });
        writeContext(stack.folder, "same");
        stacks.push(stack);
        return stack;
    };

    before(async () => {
        world = await getWorld();
    });

    beforeEach(() => {
        repository = world.newRepository();
    });

    afterEach(async () => {
        for (const stack of stacks.splice(0)) {
            await stack.remove();
        }
    });

    it("answers under both tags after a tag was renamed with equal content", async () => {
        let tags = ["v1"];
        const stack = await newStack(() => ({ tags }));
        const { outputs } = await stack.up();
        tags = ["v2"];
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 3, update: 2 }, "only component and index change");
        const view = viewRegistry(world);
        assert.equal(await view.digestOf(`${repository}:v1`), outputs["indexDigest"]?.value);
        assert.equal(await view.digestOf(`${repository}:v2`), outputs["indexDigest"]?.value);
    });

    it("answers for one stack after another with equal content was destroyed", async () => {
        const [one, other] = [await newStack(), await newStack()];
        const { outputs } = await one.up();
        const second = await other.up();
        assert.equal(
            second.outputs["indexDigest"]?.value,
            outputs["indexDigest"]?.value,
            "equal content, equal digest",
        );
        const view = viewRegistry(world);
        const before = view.pushedManifests(repository).sort();
        await one.stack.destroy();
        assert.deepEqual(view.pushedManifests(repository).sort(), before);
        assert.equal(await view.digestOf(`${repository}:latest`), outputs["indexDigest"]?.value);
        assert.deepEqual((await other.up()).summary.resourceChanges, { same: 5 });
    });

    it("stays in the old repository when the repository changes", async () => {
        const old = repository;
        const stack = await newStack();
        const { outputs } = await stack.up();
        repository = world.newRepository();
        await stack.up();
        const view = viewRegistry(world);
        assert.equal(await view.digestOf(`${old}:latest`), outputs["indexDigest"]?.value);
        assert.equal(await view.digestOf(`${repository}:latest`), outputs["indexDigest"]?.value);
    });
});
