import assert from "node:assert/strict";

import { MultiArchImage } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

/** What refresh tells apart, and how the next up repairs it. */
describe("refresh", () => {
    let world: World;
    let repository: string;
    let stack: TestStack;
    let password: string;

    before(async () => {
        world = await getWorld();
    });

    beforeEach(async () => {
        repository = world.newRepository();
        password = world.password;
        stack = await createStack(world, () => {
            const image = new MultiArchImage("app", {
                ...imageArgs(world, repository),
                registries: [{ address: world.registry, username: world.username, password }],
            });
            return Promise.resolve({ indexDigest: image.indexDigest });
        });
        writeContext(stack.folder, "one");
    });

    afterEach(() => stack.remove());

    it("sees a tag that was moved, and the next up moves it back without building", async () => {
        const first = await stack.up();
        const digest = String(first.outputs["indexDigest"]?.value);
        const view = viewRegistry(world);
        const index = await view.manifest(`${repository}:latest`);
        await view.moveTag(`${repository}@${index.manifests[0]?.digest ?? ""}`, `${repository}:latest`);
        await stack.stack.refresh();
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, update: 1 });
        assert.equal(await view.digestOf(`${repository}:latest`), digest);
    });

    it("sees an index that is lost, and the next up pushes it again without building", async () => {
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        const view = viewRegistry(world);
        await view.deleteManifest(`${repository}@${digest}`);
        assert.equal(await view.digestOf(`${repository}:latest`), undefined);
        await stack.stack.refresh();
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, create: 1 });
        assert.equal(await view.digestOf(`${repository}:latest`), digest);
    });

    it("keeps the state and warns when the registry refuses the account", async () => {
        await stack.up();
        const before = await stack.stack.exportStack();
        password = "wrong";
        await stack.up();
        const { stdout } = await stack.stack.refresh();
        assert.match(stdout, /not refreshed, the state stays as it was.*\[registry-unauthorized\]/s);
        const after = await stack.stack.exportStack();
        const urns = (state: typeof before) =>
            (state.deployment as { resources: { urn: string }[] }).resources.map(({ urn }) => urn).sort();
        assert.deepEqual(urns(after), urns(before));
        password = world.password;
        assert.equal((await stack.up()).summary.resourceChanges?.create, undefined);
    });
});
