import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyImage, type CopyProgress } from "../../../sdk/registry/copy";
import { assertCopied, copyExample, findRequests, from, storeExample, to } from "../../support/copyExample";
import { account, useRegistryStage } from "../../support/registryClient";

describe("copying an index to another registry", () => {
    const stage = useRegistryStage();

    it("copies every byte, attestations included, and no tag", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const example = storeExample(source);
        const result = await copyExample(source, target, stage.client());
        assertCopied(source, target, example);
        assert.equal(result.digest, example.index);
        assert.deepEqual(result.bytes, source.content(from, example.index));
        assert.deepEqual([...result.manifests].sort(), [...example.manifests].sort());
        assert.deepEqual({ copied: result.blobsCopied, mounted: result.blobsMounted }, { copied: 7, mounted: 0 });
        assert.deepEqual(findRequests(target, /manifests\/(?!sha256:)/), [], "tags are not touched");
    });

    it("writes contents before manifests, and children before the index", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const example = storeExample(source);
        await copyExample(source, target, stage.client());
        const written = findRequests(target, /^PUT/);
        const firstManifest = written.findIndex((line) => line.includes("/manifests/"));
        assert.ok(written.slice(firstManifest).every((line) => line.includes("/manifests/")));
        assert.match(written.at(-1) ?? "", new RegExp(`/manifests/${example.index}$`));
    });

    it("sends nothing the second time", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        storeExample(source);
        await copyExample(source, target, stage.client());
        const before = target.requests.length;
        const again = await copyExample(source, target, stage.client());
        assert.deepEqual({ copied: again.blobsCopied, bytes: again.bytesCopied }, { copied: 0, bytes: 0 });
        assert.ok(target.requests.slice(before).every(({ method }) => method === "HEAD" || method === "GET"));
    });

    it("sends only what is missing after a part was lost", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const example = storeExample(source);
        await copyExample(source, target, stage.client());
        const child = example.manifests[0] ?? "";
        const before = target.requests.length;
        target.removeContent(child);
        await copyExample(source, target, stage.client());
        assertCopied(source, target, example);
        const written = target.requests.slice(before).filter(({ method }) => ["PUT", "POST"].includes(method));
        assert.deepEqual(
            written.map(({ method, path }) => `${method} ${path}`),
            [`PUT /v2/${to}/manifests/${child}`],
        );
    });

    it("tells how far it is, and counts what was sent twice only once", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const example = storeExample(source, randomBytes(300_000));
        target.failNext({ request: /^PUT .*blobs/, answer: { status: 503 } });
        const seen: CopyProgress[] = [];
        const result = await copyExample(source, target, stage.client(), {
            onProgress: (progress) => seen.push(progress),
        });
        const size = example.blobs.reduce((sum, digest) => sum + (source.content(from, digest)?.length ?? 0), 0);
        assert.deepEqual(seen.at(-1), { blobs: 7, blobsDone: 7, bytesCopied: size });
        assert.equal(result.bytesCopied, size);
    });

    it("works with registries that hand out tokens, each with its own account", async () => {
        const users = { other: { password: "hunter2", canPush: true } };
        const source = await stage.double({ auth: "bearer" });
        const target = await stage.double({ auth: "bearer", users });
        const example = storeExample(source);
        const registries = [
            { address: source.host, ...account },
            { address: target.host, username: "other", password: account.password },
        ];
        await copyExample(source, target, stage.client({ registries }));
        assertCopied(source, target, example);
    });

    it("follows a redirect to storage elsewhere, and does not show it the account", async () => {
        const storage = await stage.double();
        const blobStorage = `http://${storage.host}/v2/${from}/blobs`;
        const source = await stage.double({ auth: "basic", blobStorage });
        const target = await stage.double();
        const example = storeExample(source);
        storeExample(storage);
        await copyExample(source, target, stage.client({ registries: [{ address: source.host, ...account }] }));
        assertCopied(source, target, example);
        assert.ok(storage.requests.length >= 7);
        assert.ok(storage.requests.every(({ authorization }) => authorization === undefined));
    });

    it("begins anew with an expired token", async () => {
        const source = await stage.double();
        const target = await stage.double({ auth: "bearer" });
        const example = storeExample(source);
        const client = stage.client({ registries: [{ address: target.host, ...account }] });
        const refusal = { status: 401, headers: { "www-authenticate": `Bearer realm="http://${target.host}/token"` } };
        target.failNext({ request: /^PUT .*blobs/, answer: refusal });
        await copyExample(source, target, client);
        assertCopied(source, target, example);
    });
});

describe("copying inside a registry", () => {
    const stage = useRegistryStage();

    for (const auth of [undefined, "basic", "bearer"] as const) {
        it(`links the contents in place of sending them${auth ? ` (${auth})` : ""}`, async () => {
            const double = await stage.double(auth === undefined ? {} : { auth });
            const example = storeExample(double);
            const registries = [{ address: double.host, ...account }];
            const result = await copyExample(double, double, stage.client({ registries }));
            assertCopied(double, double, example);
            assert.deepEqual({ copied: result.blobsCopied, mounted: result.blobsMounted }, { copied: 0, mounted: 7 });
            assert.deepEqual(findRequests(double, /^GET .*team\/app\/blobs/), []);
            if (auth === "bearer") {
                const asked = findRequests(double, /token/).map((line) => decodeURIComponent(line));
                assert.ok(
                    asked.some((line) =>
                        line.endsWith("scope=repository:prod/app:pull,push&scope=repository:team/app:pull"),
                    ),
                    "one token is for both repositories",
                );
            }
        });
    }

    it("sends them where the registry does not link, with the upload it began instead", async () => {
        const double = await stage.double({ withoutMounts: true });
        const example = storeExample(double);
        const result = await copyExample(double, double, stage.client());
        assertCopied(double, double, example);
        assert.equal(result.blobsCopied, 7);
        assert.equal(findRequests(double, /^POST/).length, 7);
    });

    for (const status of [400, 401, 403, 404, 405]) {
        it(`sends them where linking is refused with ${status}`, async () => {
            const double = await stage.double();
            const example = storeExample(double);
            double.failNext({ request: /^POST .*mount=/, times: 99, answer: { status } });
            const result = await copyExample(double, double, stage.client());
            assertCopied(double, double, example);
            assert.equal(result.blobsCopied, 7);
        });
    }

    it("needs nothing when source and target are the same repository", async () => {
        const double = await stage.double();
        storeExample(double);
        const client = stage.client();
        const repository = { registry: double.host, repository: from };
        const root = await client.getManifest({ ...repository, tag: "v1" });
        await copyImage({ client, repository, root }, { client, repository });
        assert.deepEqual(findRequests(double, /^(?:PUT|POST|PATCH|DELETE)/), []);
    });
});
