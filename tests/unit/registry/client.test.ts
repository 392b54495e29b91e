import assert from "node:assert/strict";
import { digestOf, mediaTypes } from "../../../sdk/registry/manifests";
import { assertFails, refer, useRegistryStage } from "../../support/registryClient";

const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
const bytes = Buffer.from(JSON.stringify(index));

describe("looking for a manifest", () => {
    const stage = useRegistryStage();

    it("finds type, digest and size of a tag with a single request", async () => {
        const double = await stage.double();
        const stored = double.putManifest("team/app", index, "v1");
        assert.deepEqual(await stage.client().headManifest(refer(double, { tag: "v1" })), stored);
        assert.deepEqual(
            double.requests.map(({ method, path }) => `${method} ${path}`),
            ["HEAD /v2/team/app/manifests/v1"],
        );
    });

    for (const header of ["docker-content-digest", "content-type"]) {
        it(`reads the manifest itself where the registry leaves out ${header}`, async () => {
            const double = await stage.double({ withoutHeaders: [header] });
            const stored = double.putManifest("team/app", index, "v1");
            assert.deepEqual(await stage.client().headManifest(refer(double, { tag: "v1" })), stored);
        });
    }

    it("reads the manifest itself where the registry knows no HEAD", async () => {
        const double = await stage.double();
        const stored = double.putManifest("team/app", index, "v1");
        double.failNext({ request: /^HEAD/, answer: { status: 405 } });
        assert.deepEqual(await stage.client().headManifest(refer(double, { tag: "v1" })), stored);
    });

    for (const code of ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"]) {
        it(`finds nothing when the registry says ${code}`, async () => {
            const double = await stage.double();
            const answer = { status: 404, body: JSON.stringify({ errors: [{ code }] }) };
            double.failNext({ request: /manifests/, times: 2, answer });
            assert.equal(await stage.client().headManifest(refer(double, { tag: "v1" })), undefined);
        });
    }

    it("fails when a 404 does not come from a registry", async () => {
        const double = await stage.double();
        const client = stage.client();
        for (const body of ["<html>Not found</html>", "", '{"errors":[{"code":"PAGE_NOT_FOUND"}]}']) {
            double.failNext({ request: /manifests/, times: 2, answer: { status: 404, body } });
            const call = client.headManifest(refer(double, { tag: "v1" }));
            await assertFails(call, "registry-broken", /does not say that it is not there/);
        }
    });

    for (const status of [403, 404] as const) {
        it(`takes a bare ${status} for absence only where that is wanted`, async () => {
            const double = await stage.double({ absence: status });
            const reference = refer(double, { tag: "v1" });
            const client = stage.client();
            assert.equal(await client.headManifest(reference, { absentOn: [status] }), undefined);
            const code = status === 403 ? "registry-forbidden" : "registry-broken";
            await assertFails(client.headManifest(reference), code);
            await assertFails(client.headManifest(reference, { absentOn: [status === 403 ? 404 : 403] }), code);
            const stored = double.putManifest("team/app", index, "v1");
            assert.deepEqual(await client.headManifest(reference, { absentOn: [status] }), stored);
        });
    }

    it("fails when the registry answers with another digest than asked for", async () => {
        const double = await stage.double();
        const { digest } = double.putManifest("team/app", index);
        const headers = {
            "docker-content-digest": digestOf(Buffer.from("x")),
            "content-type": mediaTypes.ociIndex,
            "content-length": "3",
        };
        double.failNext({ request: /^HEAD/, answer: { status: 200, headers } });
        const call = stage.client().headManifest(refer(double, { digest }));
        await assertFails(call, "registry-broken", /answers with sha256:.* instead/);
    });
});

describe("reading a manifest", () => {
    const stage = useRegistryStage();

    it("gives its bytes and its content", async () => {
        const double = await stage.double();
        const stored = double.putManifest("team/app", index, "v1");
        const read = await stage.client().getManifest(refer(double, { tag: "v1" }));
        assert.deepEqual(read.descriptor, stored);
        assert.deepEqual(read.bytes, bytes);
        assert.equal(read.manifest.kind, "index");
    });

    it("fails with registry-not-found when there is none", async () => {
        const double = await stage.double();
        await assertFails(
            stage.client().getManifest(refer(double, { tag: "v1" })),
            "registry-not-found",
            new RegExp(`^${double.host}/team/app: reading the manifest v1 was refused .HTTP 404, MANIFEST_UNKNOWN.`),
            /\| MANIFEST_UNKNOWN: it is not here/,
        );
    });

    it("fails when the bytes never fit the digest", async () => {
        const double = await stage.double();
        const { digest } = double.putManifest("team/app", index);
        double.failNext({ request: /manifests/, times: 4, answer: { status: 200, body: `${bytes.toString()} ` } });
        await assertFails(
            stage.client().getManifest(refer(double, { digest })),
            "registry-broken",
            /does not fit its digest/,
        );
    });

    it("asks again when half of it came, whatever its length says", async () => {
        const double = await stage.double();
        const { digest } = double.putManifest("team/app", index, "v1");
        for (const target of [{ digest }, { tag: "v1" }]) {
            const body = bytes.toString().slice(0, 20);
            double.failNext({ request: /manifests/, answer: { status: 200, body } });
            const { descriptor } = await stage.client().getManifest(refer(double, target));
            assert.equal(descriptor.digest, digest);
        }
    });

    it("fails when the answer is not a manifest, of which no line is shown", async () => {
        const double = await stage.double();
        double.failNext({ request: /manifests/, times: 4, answer: { status: 200, body: "<html>Log in</html>" } });
        const call = stage.client().getManifest(refer(double, { tag: "v1" }));
        await assertFails(call, "registry-broken", /is not a manifest: it is not JSON/);
    });

    it("fails when the answer is longer than a manifest can be", async () => {
        const double = await stage.double();
        const body = "x".repeat(5 * 1024 * 1024);
        double.failNext({ request: /manifests/, answer: { status: 200, body } });
        const call = stage.client().getManifest(refer(double, { tag: "v1" }));
        await assertFails(call, "registry-broken", /the answer is too long/);
    });
});

describe("writing a manifest", () => {
    const stage = useRegistryStage();

    it("stores exactly these bytes under a digest, and under a tag", async () => {
        const double = await stage.double();
        const client = stage.client();
        const digest = digestOf(bytes);
        assert.equal(await client.putManifest(refer(double, { digest }), bytes, mediaTypes.ociIndex), digest);
        assert.equal(await client.putManifest(refer(double, { tag: "v1" }), bytes, mediaTypes.ociIndex), digest);
        assert.deepEqual((await client.getManifest(refer(double, { tag: "v1" }))).bytes, bytes);
    });

    it("sends nothing when the bytes do not fit the digest", async () => {
        const double = await stage.double();
        const digest = digestOf(Buffer.from("other"));
        const call = stage.client().putManifest(refer(double, { digest }), bytes, mediaTypes.ociIndex);
        await assertFails(call, "registry-broken", /the digest of what is to be written is sha256:/);
        assert.deepEqual(double.requests, []);
    });

    it("fails when the registry stored something else", async () => {
        const double = await stage.double();
        const headers = { "docker-content-digest": digestOf(Buffer.from("other")) };
        double.failNext({ request: /^PUT/, answer: { status: 201, headers } });
        const call = stage.client().putManifest(refer(double, { tag: "v1" }), bytes, mediaTypes.ociIndex);
        await assertFails(call, "registry-broken", /stored something else/);
    });

    it("succeeds on an immutable tag that points to the same manifest already, and only then", async () => {
        const double = await stage.double({ immutableTags: true });
        const client = stage.client();
        const reference = refer(double, { tag: "v1" });
        const digest = await client.putManifest(reference, bytes, mediaTypes.ociIndex);
        assert.equal(await client.putManifest(reference, bytes, mediaTypes.ociIndex), digest);
        const other = Buffer.from(JSON.stringify({ ...index, annotations: { a: "b" } }));
        await assertFails(
            client.putManifest(reference, other, mediaTypes.ociIndex),
            "registry-refused",
            /HTTP 400, TAG_INVALID/,
            /the tag v1 is immutable/,
        );
    });
});

describe("reading content", () => {
    const stage = useRegistryStage();
    const content = '{"os":"linux"}';

    it("gives a JSON document, and tells whether content is there", async () => {
        const double = await stage.double();
        const { digest } = double.putBlob("team/app", content);
        const client = stage.client();
        assert.deepEqual(await client.getBlobJson(refer(double), digest), { os: "linux" });
        assert.equal(await client.hasBlob(refer(double), digest), true);
        double.removeContent(digest);
        assert.equal(await client.hasBlob(refer(double), digest), false);
        await assertFails(client.getBlobJson(refer(double), digest), "registry-not-found", /BLOB_UNKNOWN/);
    });

    it("does not take content for missing when a 404 does not come from a registry", async () => {
        const double = await stage.double();
        double.failNext({ request: /blobs/, times: 2, answer: { status: 404, body: "no such page" } });
        await assertFails(stage.client().hasBlob(refer(double), digestOf(bytes)), "registry-broken");
    });

    it("fails when the bytes do not fit the digest, or are not JSON", async () => {
        const double = await stage.double();
        const client = stage.client();
        double.failNext({ request: /blobs/, times: 4, answer: { status: 200, body: "{}" } });
        await assertFails(client.getBlobJson(refer(double), digestOf(bytes)), "registry-broken", /fit its digest/);
        const { digest } = double.putBlob("team/app", "text");
        await assertFails(client.getBlobJson(refer(double), digest), "registry-broken", /is not JSON/);
    });

    it("is asked for again when half of it came", async () => {
        const double = await stage.double();
        const { digest } = double.putBlob("team/app", '{"os":"linux"}');
        double.failNext({ request: /blobs/, answer: { status: 200, body: '{"os":' } });
        assert.deepEqual(await stage.client().getBlobJson(refer(double), digest), { os: "linux" });
    });
});

describe("removing a tag", () => {
    const stage = useRegistryStage();

    it("fails when something answers 404 and the tag is still there", async () => {
        const double = await stage.double();
        double.putManifest("team/app", index, "v1");
        for (const body of ["no such page", '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}']) {
            double.failNext({ request: /^DELETE/, answer: { status: 404, body } });
            await assertFails(stage.client().deleteTag(refer(double), "v1"), "registry-not-found", /removing the tag/);
        }
    });

    it("succeeds when the tag is gone already", async () => {
        const double = await stage.double();
        double.failNext({ request: /^DELETE/, answer: { status: 404 } });
        assert.equal(await stage.client().deleteTag(refer(double), "v1"), true);
    });
});
