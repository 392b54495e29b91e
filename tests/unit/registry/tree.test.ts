import assert from "node:assert/strict";
import { mediaTypes } from "../../../sdk/registry/manifests";
import { findWhole, listPlatforms, readTree } from "../../../sdk/registry/tree";
import { from, storeExample } from "../../support/copyExample";
import { assertFails, useRegistryStage } from "../../support/registryClient";

describe("everything that an index refers to", () => {
    const stage = useRegistryStage();

    async function setUp() {
        const double = await stage.double();
        const example = storeExample(double);
        return { double, example, client: stage.client(), where: { registry: double.host, repository: from } };
    }

    it("is each manifest and content once, a child before its parent, without what is kept elsewhere", async () => {
        const { client, where, example } = await setUp();
        const root = await client.getManifest({ ...where, tag: "v1" });
        const { manifests, blobs } = await readTree(client, where, root);
        assert.deepEqual(
            [...manifests.map(({ descriptor }) => descriptor.digest)].sort(),
            [...example.manifests].sort(),
        );
        assert.equal(manifests.at(-1)?.descriptor.digest, example.index);
        assert.deepEqual(blobs.map(({ digest }) => digest).sort(), [...example.blobs].sort());
    });

    it("is whole only when every part is there", async () => {
        const { double, client, where, example } = await setUp();
        assert.equal((await findWhole(client, where, example.index))?.descriptor.digest, example.index);
        for (const part of [...example.blobs, ...example.manifests]) {
            const bytes = double.content(from, part) ?? Buffer.alloc(0);
            double.removeContent(part);
            assert.equal(await findWhole(client, where, example.index), undefined, `${part} is missing`);
            if (example.blobs.includes(part)) {
                double.putBlob(from, bytes);
            } else {
                double.putManifest(from, JSON.parse(bytes.toString()) as object);
            }
        }
    });

    it("is not called incomplete when the registry cannot be read", async () => {
        const { double, client, where, example } = await setUp();
        double.failNext({ request: /^HEAD .*blobs/, times: 99, answer: { status: 403 } });
        await assertFails(findWhole(client, where, example.index), "registry-forbidden");
    });

    it("has the platforms of its images, and none for attestations and what is no image", async () => {
        const { double, client, where, example } = await setUp();
        const [amd64, arm64] = example.manifests;
        const root = await client.getManifest({ ...where, digest: example.index });
        assert.deepEqual(await listPlatforms(client, where, root), { "linux/amd64": amd64, "linux/arm64": arm64 });
        const image = await client.getManifest({ ...where, digest: arm64 ?? "" });
        assert.deepEqual(await listPlatforms(client, where, image), { "linux/arm64": arm64 });
        const config = double.putBlob(from, "{}");
        const chart = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
        const { digest } = double.putManifest(from, chart);
        assert.deepEqual(await listPlatforms(client, where, await client.getManifest({ ...where, digest })), {});
    });
});
