import assert from "node:assert/strict";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";

/** What refresh tells apart, and how the next up repairs it. */
describe("refresh", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "one"));

    const setPassword = (password: string): void => {
        const { registry, username } = stack.world;
        stack.args = { registries: [{ address: registry, username, password }] };
    };

    it("sees a tag that was moved, and the next up moves it back without building", async () => {
        const first = await stack.up();
        const digest = String(first.outputs["indexDigest"]?.value);
        const index = await stack.view.manifest(`${stack.repository}:latest`);
        await stack.view.moveTag(
            `${stack.repository}@${index.manifests[0]?.digest ?? ""}`,
            `${stack.repository}:latest`,
        );
        await stack.stack.refresh();
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, update: 1 });
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), digest);
    });

    it("sees an index that is lost, and the next up pushes it again without building", async () => {
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        await stack.view.deleteManifest(`${stack.repository}@${digest}`);
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), undefined);
        await stack.stack.refresh();
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, create: 1 });
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), digest);
    });

    it("sees a part of an image that is lost, and the next up builds that platform alone", async () => {
        const { outputs } = await stack.up();
        const digests = outputs["platformDigests"]?.value as Record<string, string>;
        const image = await stack.view.manifest(`${stack.repository}@${digests["linux/arm64"] ?? ""}`);
        await stack.view.deleteBlob(stack.repository, image.config?.digest ?? "");
        const { stdout } = await stack.stack.refresh();
        assert.match(stdout, /is lost \(the config sha256:\w+ is not there\)\. The next up builds it again/);
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, create: 1 });
        assert.ok(await stack.view.config(`${stack.repository}@${digests["linux/arm64"] ?? ""}`));
    });

    it("keeps the state and warns when the registry refuses the account", async () => {
        await stack.up();
        const before = await stack.stack.exportStack();
        setPassword("wrong");
        await stack.up();
        const { stdout } = await stack.stack.refresh();
        assert.match(stdout, /not refreshed, the state stays as it was.*\[registry-unauthorized\]/s);
        assert.match(stdout, /next: Check user name and password .* uses the account of the last up: run `pulumi up`/);
        const after = await stack.stack.exportStack();
        const urns = (state: typeof before) =>
            (state.deployment as { resources: { urn: string }[] }).resources.map(({ urn }) => urn).sort();
        assert.deepEqual(urns(after), urns(before));
        setPassword(stack.world.password);
        assert.equal((await stack.up()).summary.resourceChanges?.create, undefined);
    });
});
