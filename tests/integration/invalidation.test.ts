import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { UpResult } from "@pulumi/pulumi/automation";

import { PlatformImage } from "../../sdk";
import { writeContext } from "../support/images";
import { createImageStack, useImageStack } from "../support/imageStack";
import { viewRegistry } from "../support/registryView";
import { createStack } from "../support/stack";
import { getWorld } from "../support/world";

/** What builds again, and what does not. */
describe("a change", () => {
    const stack = useImageStack();

    const touch = (text: string): void => writeFileSync(join(stack.folder, "app", "content.txt"), text);
    const changed = async (): Promise<number> => (await stack.up()).summary.resourceChanges?.update ?? 0;

    beforeEach(() => writeContext(stack.folder, "one", "FROM scratch\nARG COMMIT\nARG MODE\nCOPY content.txt /\n"));

    it("of a build argument that is set aside builds nothing, and of any other one does", async () => {
        const invalidation = { ignoreBuildArgs: ["COMMIT"] };
        stack.args = { buildArgs: { COMMIT: "1", MODE: "a" }, invalidation };
        await stack.up();
        stack.args = { buildArgs: { COMMIT: "2", MODE: "a" }, invalidation };
        assert.equal(await changed(), 1, "only the component shows its new inputs");
        stack.args = { buildArgs: { COMMIT: "2", MODE: "b" }, invalidation };
        assert.equal(await changed(), 4, "component, both platforms and the index");
    });

    it("of a secret builds only when secrets count", async () => {
        stack.args = { secrets: { token: "1" }, invalidation: { secrets: true } };
        await stack.up();
        stack.args = { secrets: { token: "2" }, invalidation: { secrets: true } };
        assert.equal(await changed(), 3);
    });

    it("of files builds nothing when the program brings its own hash, and a change of that hash does", async () => {
        stack.args = { contentHash: "commit-1" };
        await stack.up();
        touch("two");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        stack.args = { contentHash: "commit-2" };
        const { summary } = await stack.up();
        assert.equal(summary.resourceChanges?.update, 4, "component, both platforms and the index");
    });

    it("says in the preview which files and inputs make it build, and builds nothing", async () => {
        await stack.up();
        touch("two");
        writeFileSync(join(stack.folder, "app", "new.txt"), "new");
        stack.args = { buildArgs: { MODE: "b" } };
        const { stdout } = await stack.stack.preview();
        assert.match(stdout, /builds again: .*content\.txt.*new\.txt.*buildArgs added/s);
        assert.equal(stack.view.pushedManifests(stack.repository).length, 3);
    });
});

/** What the program tells the engine to ignore. */
describe("a change that the program ignores", () => {
    it("builds nothing, and a later build has what was there before", async () => {
        const world = await getWorld();
        const repository = world.newRepository();
        let commit = "1";
        const stack = await createStack(world, () => {
            const { registry, username, password } = world;
            const { endpoint } = world.builders.amd64;
            const args = { platform: endpoint.platform, nodes: [endpoint], emulation: "allow" as const, repository };
            const registries = [{ address: registry, username, password }];
            const inputs = { ...args, registries, context: { location: "./app" }, buildArgs: { COMMIT: commit } };
            const image = new PlatformImage("app", inputs, { ignoreChanges: ["buildArgs"] });
            return Promise.resolve({ digest: image.manifests.apply(([manifest]) => manifest?.digest ?? "") });
        });
        const dockerfile = "FROM scratch\nARG COMMIT\nCOPY content.txt /\nLABEL commit=$COMMIT\n";
        const labelOf = async ({ outputs }: UpResult): Promise<unknown> => {
            const config = await viewRegistry(world).config(`${repository}@${String(outputs["digest"]?.value)}`);
            return (config["config"] as { Labels?: Record<string, string> }).Labels?.["commit"];
        };
        try {
            writeContext(stack.folder, "one", dockerfile);
            const first = await stack.up();
            assert.equal(await labelOf(first), "1");
            commit = "2";
            assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 2 });
            writeContext(stack.folder, "two", dockerfile);
            const second = await stack.up();
            assert.equal(second.summary.resourceChanges?.update, 1);
            assert.notEqual(second.outputs["digest"]?.value, first.outputs["digest"]?.value);
            assert.equal(await labelOf(second), "1");
        } finally {
            await stack.remove();
        }
    });
});

/** Finished platforms are found again by their content. */
describe("a content tag", () => {
    const stack = useImageStack(() => ({ contentTags: true }));

    beforeEach(() => writeContext(stack.folder, "one"));

    it("lets a second stack find both platforms, and build nothing", async () => {
        const first = await stack.up();
        const other = await createImageStack(stack.world, {});
        try {
            other.repository = stack.repository;
            writeContext(other.folder, "one");
            const builders = stack.world.builders.amd64.endpoint;
            // No builder can be reached: nothing may ask for one.
            const endpoints = ["linux/amd64", "linux/arm64"].map((platform) => ({
                ...builders,
                platform,
                address: builders.address.replace("1234", "9"),
            }));
            other.args = { contentTags: true, tags: ["other"], builders: { endpoints } };
            const { outputs } = await other.up();
            assert.deepEqual(outputs["platformDigests"]?.value, first.outputs["platformDigests"]?.value);
            assert.equal(await stack.view.digestOf(`${stack.repository}:other`), first.outputs["indexDigest"]?.value);
        } finally {
            await other.remove();
        }
    });

    it("does not hide an image that was lost: only that platform is built", async () => {
        const first = await stack.up();
        const index = await stack.view.manifest(`${stack.repository}:latest`);
        await stack.view.deleteManifest(`${stack.repository}@${index.manifests[1]?.digest ?? ""}`);
        const other = await createImageStack(stack.world, {});
        try {
            Object.assign(other, { repository: stack.repository, args: { contentTags: true } });
            writeContext(other.folder, "one");
            const { outputs } = await other.up();
            assert.equal(outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
            const builds = outputs["builds"]?.value as Record<string, { builder: string }>;
            assert.equal(builds["linux/amd64"]?.builder, "", "found in the registry");
            assert.equal(builds["linux/arm64"]?.builder, stack.world.builders.arm64.endpoint.address);
        } finally {
            await other.remove();
        }
    });
});
