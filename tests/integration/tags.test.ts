import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { UpResult } from "@pulumi/pulumi/automation";

import { ImageIndex, MultiArchImage } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { createStack } from "../support/stack";

/** Tags that others move too, and state that comes and goes. */
describe("a tag", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "one"));

    const digestOf = (tag: string): Promise<string | undefined> => stack.view.digestOf(`${stack.repository}:${tag}`);
    const moveElsewhere = async (): Promise<string> => {
        const index = await stack.view.manifest(`${stack.repository}:latest`);
        const elsewhere = index.manifests[0]?.digest ?? "";
        await stack.view.moveTag(`${stack.repository}@${elsewhere}`, `${stack.repository}:latest`);
        return elsewhere;
    };

    it("that another pipeline has moved stops an up that is told to fail, before any tag moves", async () => {
        stack.args = { onTagConflict: "fail" };
        await stack.up();
        const elsewhere = await moveElsewhere();
        writeFileSync(join(stack.folder, "app", "content.txt"), "two");
        stack.args = { onTagConflict: "fail", tags: ["first", "latest"] };
        const printed = await stack.upFails();
        assert.match(printed, /\[tag-conflict\]/);
        assert.ok(printed.includes(`latest points to ${elsewhere}`));
        assert.equal(await digestOf("latest"), elsewhere);
        assert.equal(await digestOf("first"), undefined, "no tag moves before all may");
        stack.args = { onTagConflict: "overwrite", tags: ["first", "latest"] };
        const { outputs } = await stack.up();
        assert.equal(await digestOf("latest"), outputs["indexDigest"]?.value);
    });

    it("that exists already stops a first up that is told to fail", async () => {
        await stack.up();
        await moveElsewhere();
        await stack.stack.destroy();
        stack.args = { onTagConflict: "fail" };
        assert.match(await stack.upFails(), /\[tag-conflict\]/);
    });

    it("that two images of a program would both move is refused by the preview", async () => {
        const { world, repository } = stack;
        const args = { ...imageArgs(world, repository), platforms: ["linux/amd64"] };
        const both = await createStack(world, () => {
            return Promise.resolve(["one", "two"].map((name) => new MultiArchImage(name, args)));
        });
        try {
            writeContext(both.folder, "one");
            await assert.rejects(
                both.stack.preview(),
                /:latest is a tag of both ImageIndex .*-index and ImageIndex .*-index/,
            );
        } finally {
            await both.remove();
        }
    });

    it("loses nothing when the state forgets the index: the next up takes it up again", async () => {
        const first = await stack.up();
        const state = await stack.stack.exportStack();
        const deployment = state.deployment as { resources: { urn: string }[] };
        deployment.resources = deployment.resources.filter(({ urn }) => !urn.includes("ImageIndex"));
        await stack.stack.importStack(state);
        const { summary, outputs } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, create: 1 });
        assert.equal(outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
    });

    it("can be imported with its index, and shows no changes afterwards", async () => {
        const { outputs } = await stack.up();
        const { manifests } = await stack.view.manifest(`${stack.repository}:latest`);
        const { repository, world } = stack;
        const importing = await createStack(world, () => {
            const args = {
                repository,
                tags: ["latest"],
                images: manifests.map((manifest) => ({
                    platform: `${manifest.platform.os}/${manifest.platform.architecture}`,
                    digest: manifest.digest,
                    manifests: [manifest as never],
                })),
            };
            const index = new ImageIndex("taken", args, { import: `${repository}:latest` });
            return Promise.resolve({ digest: index.digest });
        });
        try {
            // An import has no inputs yet, so the account comes from the machine's docker configuration.
            const auth = Buffer.from(`${world.username}:${world.password}`).toString("base64");
            const config = { auths: { [world.registry]: { auth } } };
            writeFileSync(join(importing.env["DOCKER_CONFIG"] ?? "", "config.json"), JSON.stringify(config));
            const taken = await importing.up();
            assert.equal(taken.outputs["digest"]?.value, outputs["indexDigest"]?.value);
            assert.deepEqual((await importing.up()).summary.resourceChanges, { same: 2 });
        } finally {
            await importing.remove();
        }
        assert.equal(await digestOf("latest"), outputs["indexDigest"]?.value);
    });
});

/** `deletion: untag` removes names, and nothing else. */
describe("tags that are not wanted any longer", () => {
    const stack = useImageStack(() => ({ deletion: "untag", tags: ["one", "two"] }));

    beforeEach(() => writeContext(stack.folder, "one"));

    const digestOf = (tag: string): Promise<string | undefined> => stack.view.digestOf(`${stack.repository}:${tag}`);

    it("are removed when they are taken off the list, and the index stays", async () => {
        const { outputs } = await stack.up();
        stack.args = { deletion: "untag", tags: ["two"] };
        await stack.up();
        assert.equal(await digestOf("one"), undefined);
        assert.equal(await digestOf("two"), outputs["indexDigest"]?.value);
    });

    it("are removed by destroy while they point to the index of the stack, and no manifest with them", async () => {
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        const before = stack.view.pushedManifests(stack.repository).sort();
        const index = await stack.view.manifest(`${stack.repository}@${digest}`);
        const elsewhere = index.manifests[0]?.digest ?? "";
        await stack.view.moveTag(`${stack.repository}@${elsewhere}`, `${stack.repository}:two`);
        await stack.stack.destroy();
        assert.equal(await digestOf("one"), undefined);
        assert.equal(await digestOf("two"), elsewhere, "somebody else's by now");
        assert.deepEqual(stack.view.pushedManifests(stack.repository).sort(), before);
        assert.equal(await stack.view.digestOf(`${stack.repository}@${digest}`), digest);
    });

    it("stay where the program still wants them: under another name, and when the index is replaced", async () => {
        const { world, repository } = stack;
        let name = "app";
        const args = { ...imageArgs(world, repository), ...stack.args, platforms: ["linux/amd64"] };
        const renamed = await createStack(world, () => {
            const { indexDigest } = new MultiArchImage(name, args);
            return Promise.resolve({ indexDigest });
        });
        const assertTagged = async ({ outputs }: UpResult): Promise<void> => {
            const digest = outputs["indexDigest"]?.value as string;
            assert.deepEqual([await digestOf("one"), await digestOf("two")], [digest, digest]);
        };
        try {
            writeContext(renamed.folder, "one");
            await assertTagged(await renamed.up());
            name = "other";
            const { summary } = await renamed.up();
            assert.equal(summary.resourceChanges?.delete, 3);
            await assertTagged(await renamed.up());
            const urn = "urn:pulumi:test::*::**ImageIndex::*";
            const replaced = await renamed.stack.up({ replace: [urn] });
            assert.equal(replaced.summary.resourceChanges?.replace, 1);
            await assertTagged(replaced);
            await renamed.stack.destroy();
            assert.deepEqual([await digestOf("one"), await digestOf("two")], [undefined, undefined]);
        } finally {
            await renamed.remove();
        }
    });
});
