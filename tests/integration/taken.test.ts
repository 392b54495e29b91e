import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { MultiArchImage, PlatformImage } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { createStack } from "../support/stack";

/** Images that come into a stack, or move in it, without a build. */
describe("an image that is there already", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "one"));

    it("can be imported as the image of its platform, and is not built afterwards", async () => {
        const { outputs } = await stack.up();
        const { repository, world } = stack;
        const digest = (outputs["platformDigests"]?.value as Record<string, string>)["linux/amd64"] ?? "";
        const before = stack.view.pushedManifests(repository).sort();
        const importing = await createStack(world, () => {
            const { registries } = imageArgs(world, repository);
            const args = {
                context: { location: "./app" },
                platform: "linux/amd64",
                repository,
                nodes: [world.builders.amd64.endpoint],
                ...(registries === undefined ? {} : { registries }),
            };
            const image = new PlatformImage("taken", args, { import: `${repository}@${digest}` });
            return Promise.resolve({ digest: image.digest, build: image.build });
        });
        try {
            writeContext(importing.folder, "one");
            // An import has no inputs yet, so the account comes from the machine's docker configuration.
            const auth = Buffer.from(`${world.username}:${world.password}`).toString("base64");
            const config = { auths: { [world.registry]: { auth } } };
            mkdirSync(importing.env["DOCKER_CONFIG"] ?? "", { recursive: true });
            writeFileSync(join(importing.env["DOCKER_CONFIG"] ?? "", "config.json"), JSON.stringify(config));
            const taken = await importing.up();
            assert.equal(taken.outputs["digest"]?.value, digest);
            assert.equal((taken.outputs["build"]?.value as { steps: number }).steps, 0, "nothing was built");
            assert.deepEqual((await importing.up()).summary.resourceChanges, { same: 2 });
            writeContext(importing.folder, "two");
            const next = await importing.up();
            assert.notEqual(next.outputs["digest"]?.value, digest, "from here on its content counts");
        } finally {
            await importing.remove();
        }
        const after = stack.view.pushedManifests(repository);
        assert.deepEqual(
            before.filter((manifest) => !after.includes(manifest)),
            [],
        );
    });

    it("is neither built nor pushed when its component moves under another one", async () => {
        const { repository, world } = stack;
        const state = { moved: false };
        const moving = await createStack(world, () => {
            const parent = new pulumi.ComponentResource("tests:index:Service", "service");
            const opts = { parent, aliases: [{ parent: pulumi.rootStackResource }] };
            const image = new MultiArchImage("app", imageArgs(world, repository), state.moved ? opts : {});
            return Promise.resolve({ indexDigest: image.indexDigest });
        });
        try {
            writeContext(moving.folder, "one");
            const first = await moving.up();
            const before = stack.view.pushedManifests(repository).sort();
            state.moved = true;
            // Without builders, a build would fail.
            await Promise.all([world.builders.amd64.host.disconnect(), world.builders.arm64.host.disconnect()]);
            const second = await moving.up();
            assert.deepEqual(second.summary.resourceChanges, { same: 6 });
            assert.equal(second.outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
            assert.deepEqual(stack.view.pushedManifests(repository).sort(), before);
            const { deployment } = (await moving.stack.exportStack()) as {
                deployment: { resources: { urn: string; type: string }[] };
            };
            const images = deployment.resources.filter(({ type }) => type.startsWith("multiarch:index:"));
            assert.equal(images.length, 4);
            images.forEach(({ urn }) => assert.match(urn, /tests:index:Service\$multiarch:index:MultiArchImage/));
        } finally {
            await Promise.all([world.builders.amd64.host.connect(), world.builders.arm64.host.connect()]);
            await moving.remove();
        }
    });
});
