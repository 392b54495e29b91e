import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { digestOf } from "../../../sdk/registry/manifests";
import { account, assertFails, refer, useRegistryStage } from "../../support/registryClient";

describe("content that a registry keeps elsewhere", () => {
    const stage = useRegistryStage();
    const content = '{"os":"linux"}';

    it("follows a redirect to storage elsewhere, and does not show it the account", async () => {
        for (const auth of ["basic", "bearer"] as const) {
            const storage = await stage.double();
            const double = await stage.double({ auth, blobStorage: `http://${storage.host}/v2/team/app/blobs` });
            const { digest } = double.putBlob("team/app", content);
            storage.putBlob("team/app", content);
            const client = stage.client({ registries: [{ address: double.host, ...account }] });
            assert.deepEqual(await client.getBlobJson(refer(double), digest), { os: "linux" });
            assert.deepEqual(
                storage.requests.map(({ path, authorization }) => [path, authorization]),
                [[`/v2/team/app/blobs/${digest}?signature=abc`, undefined]],
            );
            assert.ok(double.requests.at(-1)?.authorization);
        }
    });

    it("asks for no token where storage elsewhere refuses, whatever it offers", async () => {
        const storage = await stage.double();
        const double = await stage.double({ auth: "bearer", blobStorage: `http://${storage.host}/x` });
        const { digest } = double.putBlob("team/app", content);
        const headers = { "www-authenticate": `Bearer realm="http://${storage.host}/token",service="evil"` };
        storage.failNext({ request: /x/, times: 9, answer: { status: 401, headers } });
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        await assertFails(client.getBlobJson(refer(double), digest), "registry-unauthorized");
        assert.deepEqual(
            storage.requests.map(({ path, authorization }) => [path, authorization]),
            [[`/x/${digest}?signature=abc`, undefined]],
        );
    });

    it("sends content to an upload elsewhere without the account, and asks for no token there", async () => {
        for (const auth of ["basic", "bearer"] as const) {
            const storage = await stage.double();
            const double = await stage.double({ auth });
            const client = stage.client({ registries: [{ address: double.host, ...account }] });
            await client.checkAccess(refer(double), ["pull", "push"]);
            const location = `http://${storage.host}/v2/team/app/blobs/uploads/u1`;
            const begun = { status: 202, headers: { location } };
            const blob = { digest: digestOf(Buffer.from(content)), size: content.length };
            const open = () => Promise.resolve(Readable.from([Buffer.from(content)]));
            double.failNext({ request: /^POST/, answer: begun });
            await client.putBlob(refer(double), blob, open);
            assert.equal(storage.content("team/app", blob.digest)?.toString(), content);
            const headers = { "www-authenticate": `Bearer realm="http://${storage.host}/token"` };
            storage.failNext({ request: /^PUT/, times: 9, answer: { status: 401, headers } });
            double.failNext({ request: /^POST/, times: 9, answer: begun });
            await assertFails(client.putBlob(refer(double), blob, open), "registry-unauthorized");
            assert.deepEqual(
                storage.requests.filter(({ path, authorization }) => authorization ?? path.startsWith("/token")),
                [],
            );
        }
    });

    it("says where a refusal came from after a redirect, without the signature in its address", async () => {
        const storage = await stage.double();
        const double = await stage.double({ blobStorage: `http://127.0.0.1:${storage.host.split(":")[1] ?? ""}/x` });
        const { digest } = double.putBlob("team/app", content);
        storage.failNext({ request: /x/, answer: { status: 403, body: "<Error>AccessDenied</Error>" } });
        const error = await assertFails(
            stage.client().getBlobJson(refer(double), digest),
            "registry-forbidden",
            /was refused by 127\.0\.0\.1:/,
        );
        assert.doesNotMatch(error.message, /signature|AccessDenied/);
    });

    it("gives up when redirects do not end", async () => {
        const double = await stage.double();
        const { digest } = double.putBlob("team/app", content);
        const headers = { location: `/v2/team/app/blobs/${digest}` };
        double.failNext({ request: /blobs/, times: 99, answer: { status: 302, headers } });
        await assertFails(stage.client().getBlobJson(refer(double), digest), "registry-broken", /5 redirects/);
    });
});
