import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { accountsFor, getOtherRegistry, useCopyStack } from "../support/copyStack";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { pushExample } from "../support/pushedExample";
import { viewRegistry } from "../support/registryView";
import type { RegistryPlace } from "../support/world";

/** The same index in more repositories: one of the same registry, and one of another registry on another host. */
describe("an image with additional repositories", () => {
    const stack = useImageStack();
    let other: RegistryPlace;
    let near: string;
    let far: string;

    beforeEach(async () => {
        other = await getOtherRegistry();
        near = stack.world.newRepository();
        far = stack.world.newRepository(other);
        stack.args = { additionalRepositories: [near, far], registries: accountsFor(stack.world, other) };
        writeContext(stack.folder, "one");
    });

    it("is there with the same digest for all platforms, and the second up shows no changes", async () => {
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        assert.deepEqual(outputs["additionalRefs"]?.value, [`${near}@${digest}`, `${far}@${digest}`]);
        const platforms = outputs["platformDigests"]?.value as Record<string, string>;
        for (const [place, repository] of [
            [stack.world, near],
            [other, far],
        ] as const) {
            const view = viewRegistry(place);
            const seen = await view.inspect(`${repository}:latest`, join(stack.folder, "docker"));
            assert.deepEqual(seen, { digest, platforms: ["linux/amd64", "linux/arm64"] });
            for (const [platform, image] of Object.entries(platforms)) {
                const folder = join(stack.folder, "pulled", place.registry, platform);
                await view.pull(`${repository}@${image}`, folder);
                assert.equal(readFileSync(join(folder, "content.txt"), "utf8"), "one");
                assert.equal(
                    `linux/${String((await view.config(`${repository}@${image}`))["architecture"])}`,
                    platform,
                );
            }
        }
        assert.match(stack.output(), /copied \S+ to \S+app-\S+: 0 contents sent \(0\.0 MB\), [1-9]\d* linked/);
        assert.match(stack.output(), /copied \S+ to \S+app-\S+: [1-9]\d* contents sent \(\S+ MB\), 0 linked/);

        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 7 });
        assert.deepEqual((await stack.stack.preview({ expectNoChanges: true })).changeSummary, { same: 7 });
        await stack.stack.refresh({ expectNoChanges: true });
    });

    it("is promoted again when the content changes, and moves its tags everywhere without a build", async () => {
        const first = await stack.up();
        writeContext(stack.folder, "two");
        stack.args = { ...stack.args, tags: ["latest", "1.0"] };
        const { outputs } = await stack.up();
        assert.notEqual(outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
        stack.args = { ...stack.args, tags: ["1.1"] };
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 3, update: 4 }, "component, index and copies");
        for (const tag of ["latest", "1.0", "1.1"]) {
            assert.equal(await viewRegistry(other).digestOf(`${far}:${tag}`), outputs["indexDigest"]?.value);
            assert.equal(await stack.view.digestOf(`${near}:${tag}`), outputs["indexDigest"]?.value);
        }
    });
});

/** Promotion by a resource of its own. */
describe("a copy", () => {
    const stack = useCopyStack();

    const digestOf = (name: string): Promise<string | undefined> => stack.view.digestOf(`${stack.repository}${name}`);

    it("has the digest of its source, and its attestations", async () => {
        const { outputs } = await stack.up();
        const { index, platforms, attestations } = stack.pushed;
        assert.equal(outputs["ref"]?.value, `${stack.repository}@${index}`);
        assert.deepEqual(outputs["platformDigests"]?.value, platforms);
        assert.equal(await digestOf(":latest"), index);
        const expected = [index, ...Object.values(platforms), ...attestations].sort();
        assert.deepEqual(stack.view.pushedManifests(stack.repository).sort(), expected);
        assert.deepEqual(await stack.view.tags(stack.repository), ["latest"]);
    });

    it("is known in preview, and nothing is copied by it", async () => {
        const refs: unknown[] = [];
        await stack.stack.preview({
            onEvent: ({ resOutputsEvent }) => {
                const { urn = "", new: state } = resOutputsEvent?.metadata ?? {};
                if (urn.endsWith("ImageCopy::copy")) {
                    refs.push((state?.outputs as Record<string, unknown>)["ref"]);
                }
            },
        });
        assert.deepEqual(refs, [`${stack.repository}@${stack.pushed.index}`]);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
    });

    it("is repaired by the next up when it is lost, or a part of it, or when a tag was moved", async () => {
        await stack.up();
        const { index, platforms, attestations } = stack.pushed;
        for (const digest of [index, attestations[0] ?? ""]) {
            await stack.view.deleteManifest(`${stack.repository}@${digest}`);
            await stack.stack.refresh();
            const { summary } = await stack.up();
            assert.equal(summary.resourceChanges?.create, 1);
            assert.equal(await digestOf(`@${digest}`), digest);
            assert.equal(await digestOf(":latest"), index);
        }
        const { layers = [] } = await stack.view.manifest(`${stack.repository}@${platforms["linux/amd64"] ?? ""}`);
        await stack.view.deleteBlob(stack.repository, layers[0]?.digest ?? "");
        await stack.stack.refresh();
        assert.equal((await stack.up()).summary.resourceChanges?.create, 1);
        await stack.stack.refresh({ expectNoChanges: true });
        await stack.view.moveTag(`${stack.repository}@${platforms["linux/amd64"] ?? ""}`, `${stack.repository}:latest`);
        await stack.stack.refresh();
        assert.equal((await stack.up()).summary.resourceChanges?.update, 1);
        assert.equal(await digestOf(":latest"), index);
    });

    it("needs its source no longer once it is there", async () => {
        await stack.up();
        for (const digest of stack.sourceView.pushedManifests(stack.source)) {
            await stack.sourceView.deleteManifest(`${stack.source}@${digest}`);
        }
        await stack.stack.refresh({ expectNoChanges: true });
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 2 });
        stack.args = { tags: ["latest", "stable"] };
        assert.equal((await stack.up()).summary.resourceChanges?.update, 1);
        assert.equal(await digestOf(":stable"), stack.pushed.index);
    });

    it("follows a tag of the source when refresh has seen it move, and not before", async () => {
        stack.args = { source: `${stack.source}:v1` };
        await stack.up();
        const moved = await pushExample(stack.world, stack.source, "v1", "two");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 2 });
        await stack.stack.refresh();
        const { summary, outputs } = await stack.up();
        assert.equal(summary.resourceChanges?.update, 1);
        assert.equal(outputs["digest"]?.value, moved.index);
        assert.equal(await digestOf(":latest"), moved.index);
        assert.equal(await digestOf(`@${stack.pushed.index}`), stack.pushed.index, "what was copied before stays");
    });

    it("moves no tag when it cannot be made, and the error names the account or the source", async () => {
        const { world, other } = stack;
        stack.args = { registries: accountsFor(world, { ...other, password: "wrong" }) };
        assert.match(await stack.upFails(), /\[registry-unauthorized\]\s+property: registries\[1\]\.password/);
        stack.args = { registries: accountsFor({ ...world, password: "wrong" }, other) };
        assert.match(await stack.upFails(), /\[registry-unauthorized\]\s+property: registries\[0\]\.password/);
        stack.args = { source: `${stack.source}:nothing` };
        assert.match(await stack.upFails(), /there is no \S+:nothing to copy.*\s+property: source/);
        assert.deepEqual(await stack.view.tags(stack.repository), []);
        stack.args = {};
        await stack.up();
        assert.equal(await digestOf(":latest"), stack.pushed.index);
    });

    it("keeps the state and warns when its registry cannot be read", async () => {
        await stack.up();
        stack.args = { registries: accountsFor(stack.world, { ...stack.other, password: "wrong" }) };
        await stack.up();
        const { stdout } = await stack.stack.refresh();
        assert.match(stdout, /not refreshed, the state stays as it was.*\[registry-unauthorized\]/s);
        stack.args = {};
        assert.equal((await stack.up()).summary.resourceChanges?.create, undefined);
    });

    it("stays when the stack is destroyed, and loses its tags only where the program says so", async () => {
        stack.args = { tags: ["one", "two"] };
        await stack.up();
        const before = stack.view.pushedManifests(stack.repository).sort();
        stack.args = { tags: ["two"], deletion: "untag" };
        await stack.up();
        assert.equal(await digestOf(":one"), undefined);
        stack.args = { tags: ["two"] };
        await stack.up();
        await stack.stack.destroy();
        assert.equal(await digestOf(":two"), stack.pushed.index);
        assert.deepEqual(stack.view.pushedManifests(stack.repository).sort(), before);
    });

    it("can be imported, and shows no changes afterwards", async () => {
        await stack.up();
        const { stack: engine, other } = stack;
        // An import has no inputs yet, so the account comes from the machine's docker configuration.
        const auth = Buffer.from(`${other.username}:${other.password}`).toString("base64");
        const config = { auths: { [other.registry]: { auth } } };
        writeFileSync(join(stack.env["DOCKER_CONFIG"] ?? "", "config.json"), JSON.stringify(config));
        await engine.destroy();
        await engine.import({
            resources: [{ type: "multiarch:index:ImageCopy", name: "copy", id: `${stack.repository}:latest` }],
            protect: false,
            generateCode: false,
        });
        const { summary, outputs } = await stack.up();
        assert.equal(summary.resourceChanges?.create, undefined, "nothing is made anew");
        assert.equal(outputs["digest"]?.value, stack.pushed.index);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 2 });
    });
});
