import assert from "node:assert/strict";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

/**
 * Fails on arm64 unless a secret says otherwise: secrets do not change the content, so amd64 stays finished. Every test
 * has content of its own, because BuildKit takes a step from its cache when only a secret differs.
 */
const dockerfile = [
    "FROM alpine:latest",
    "ARG TARGETARCH",
    "COPY content.txt /",
    'RUN --mount=type=secret,id=pass echo "for $TARGETARCH" && { [ $TARGETARCH = amd64 ] || [ -s /run/secrets/pass ]; }',
].join("\n");

/** Rule 1: a tag never points at less than everything. */
describe("an index that is not complete", () => {
    let world: World;
    let repository: string;
    let stack: TestStack;
    let args: Partial<MultiArchImageArgs>;

    before(async () => {
        world = await getWorld();
    });

    beforeEach(async () => {
        repository = world.newRepository();
        args = { secrets: { pass: "yes" } };
        stack = await createStack(world, () => {
            const { indexDigest } = new MultiArchImage("app", { ...imageArgs(world, repository), ...args });
            return Promise.resolve({ indexDigest });
        });
    });

    afterEach(() => stack.remove());

    it("moves no tag when one platform fails, and the next up builds only that platform", async () => {
        writeContext(stack.folder, `${repository} one`, dockerfile);
        const first = await stack.up();
        const before = String(first.outputs["indexDigest"]?.value);

        writeContext(stack.folder, `${repository} two`, dockerfile);
        args = { secrets: { pass: "" }, retries: 3 };
        const printed = await stack.upFails();
        assert.match(printed, /linux\/arm64.*\[build-step-failed\]/);
        assert.match(printed, /\| .*for arm64/, "the last lines of the step are shown");
        assert.doesNotMatch(printed, /try \d+ failed/, "a failing step is never tried again");
        const view = viewRegistry(world);
        assert.equal(await view.digestOf(`${repository}:latest`), before, "the tag stays where it was");

        args = { secrets: { pass: "yes" } };
        const { summary, outputs } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 2, update: 3 }, "amd64 was finished and is kept");
        assert.equal(await view.digestOf(`${repository}:latest`), outputs["indexDigest"]?.value);
        assert.notEqual(outputs["indexDigest"]?.value, before);
    });

    it("has no tag at all when a platform fails the first time", async () => {
        writeContext(stack.folder, `${repository} one`, dockerfile);
        args = { secrets: { pass: "" } };
        await stack.upFails();
        const view = viewRegistry(world);
        assert.deepEqual(await view.tags(repository), []);
        assert.equal(view.pushedManifests(repository).length, 1, "the finished platform is kept");
        args = { secrets: { pass: "yes" } };
        const { summary } = await stack.up();
        assert.equal(summary.resourceChanges?.create, 2, "only arm64 and the index are new");
    });

    it("is not tagged when an image was lost between its build and the index", async () => {
        writeContext(stack.folder, `${repository} one`, dockerfile);
        const { outputs } = await stack.up();
        const view = viewRegistry(world);
        const index = await view.manifest(`${repository}:latest`);
        await view.deleteManifest(`${repository}@${index.manifests[1]?.digest ?? ""}`);
        args = { secrets: { pass: "yes" }, tags: ["latest", "next"] };
        const printed = await stack.upFails();
        assert.match(printed, /\[index-incomplete\]/);
        assert.match(printed, /linux\/arm64/);
        assert.deepEqual(await view.tags(repository), ["latest"]);

        await stack.stack.refresh();
        const repaired = await stack.up();
        assert.equal(repaired.outputs["indexDigest"]?.value, outputs["indexDigest"]?.value);
        assert.deepEqual((await view.tags(repository)).sort(), ["latest", "next"]);
        assert.equal(repaired.summary.resourceChanges?.create, 1, "one platform is built");
    });
});
