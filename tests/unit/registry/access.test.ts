import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mediaTypes } from "../../../sdk/registry/manifests";
import { account, assertFails, refer, useRegistryStage } from "../../support/registryClient";

const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
const users = { user: { password: "hunter2", canPush: true }, reader: { password: "hunter2", canPush: false } };

for (const auth of ["basic", "bearer"] as const) {
    describe(`checking an account, ${auth}`, () => {
        const stage = useRegistryStage();

        it("succeeds for one that may push, and leaves no upload behind", async () => {
            const double = await stage.double({ auth });
            const client = stage.client({ registries: [{ address: double.host, ...account }] });
            await client.checkAccess(refer(double), ["pull", "push"]);
            const uploads = double.requests.filter(({ path }) => path.includes("/uploads/"));
            assert.deepEqual(new Set(uploads.map(({ method }) => method)), new Set(["POST", "DELETE"]));
            assert.equal(double.uploads.size, 0);
        });

        it("succeeds when the upload cannot be given up", async () => {
            const double = await stage.double({ auth });
            double.failNext({ request: /^DELETE/, answer: { status: 405 } });
            const client = stage.client({ registries: [{ address: double.host, ...account }] });
            await client.checkAccess(refer(double), ["pull", "push"]);
        });

        it("refuses a wrong password, and says where it came from", async () => {
            const double = await stage.double({ auth });
            const client = stage.client({
                registries: [{ address: double.host, username: "user", password: "wrong!" }],
            });
            for (const actions of [["pull"], ["pull", "push"]] as const) {
                const error = await assertFails(
                    client.checkAccess(refer(double), actions),
                    "registry-unauthorized",
                    /HTTP 401/,
                    /those from registries were used/,
                );
                assert.doesNotMatch(error.message, /wrong!/);
            }
            assert.ok(!double.requests.some(({ method }) => method === "POST"));
        });

        it("refuses to go without an account, and says how to give one", async () => {
            const double = await stage.double({ auth });
            const call = stage.client().checkAccess(refer(double), ["pull", "push"]);
            await assertFails(call, "registry-unauthorized", /Give an account for localhost:\d+ in registries/);
        });

        it("finds out that an account may only read", async () => {
            const double = await stage.double({ auth, users });
            const registries = [{ address: double.host, username: "reader", password: "hunter2" }];
            const client = stage.client({ registries });
            await client.checkAccess(refer(double), ["pull"]);
            const call = client.checkAccess(refer(double), ["pull", "push"]);
            await assertFails(call, "registry-forbidden", /asking whether this account may push/);
            assert.equal(double.uploads.size, 0);
        });
    });
}

describe("checking an account", () => {
    const stage = useRegistryStage();

    it("gives the upload up also when the work is cancelled meanwhile", async () => {
        const double = await stage.double();
        const controller = new AbortController();
        const sleep = (): Promise<void> => {
            controller.abort();
            return Promise.resolve();
        };
        const client = stage.client({ signal: controller.signal, retry: { sleep } });
        double.failNext({ request: /^DELETE/, answer: "cut" });
        await client.checkAccess(refer(double), ["push"]);
        assert.equal(controller.signal.aborted, true);
        assert.equal(double.uploads.size, 0);
    });

    it("says so when something else than a registry answers", async () => {
        const double = await stage.double();
        double.failNext({ request: /\/v2\//, answer: { status: 404, body: "<html></html>" } });
        const call = stage.client().checkAccess(refer(double), ["push"]);
        await assertFails(call, "registry-broken", /but not a registry/);
    });

    it("says so when the repository has to be created first", async () => {
        const double = await stage.double();
        const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository does not exist"}]}';
        double.failNext({ request: /^POST/, answer: { status: 404, body } });
        const call = stage.client().checkAccess(refer(double), ["push"]);
        await assertFails(call, "registry-not-found", /NAME_UNKNOWN/, /create the repository first/);
    });
});

describe("access tokens", () => {
    const stage = useRegistryStage();

    it("are asked for once for each right, and shared by requests at the same time", async () => {
        const double = await stage.double({ auth: "bearer" });
        const { digest } = double.putManifest("team/app", index, "v1");
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        await client.headManifest(refer(double, { digest }));
        await Promise.all(["v1", "v1", "v1"].map((tag) => client.headManifest(refer(double, { tag }))));
        await client.putManifest(refer(double, { tag: "v2" }), Buffer.from("{}"), mediaTypes.ociIndex);
        const asked = double.requests.filter(({ path }) => path.startsWith("/token"));
        assert.deepEqual(
            asked.map(({ path }) => new URL(path, "http://x").searchParams.getAll("scope")),
            [["repository:team/app:pull"], ["repository:team/app:pull,push"]],
        );
        assert.equal(new URL(asked[0]?.path ?? "", "http://x").searchParams.get("service"), "registry, double");
    });

    it("are never asked for another repository than the request's own", async () => {
        const double = await stage.double({ auth: "bearer" });
        const realm = `Bearer realm="http://${double.host}/token",service="registry, double"`;
        const scope = "repository:user/image:pull registry:catalog:* repository:team/app:delete";
        const headers = { "www-authenticate": `${realm},scope="${scope}"` };
        double.failNext({ request: /^GET \/v2\/$/, answer: { status: 401, headers } });
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        await client.checkAccess(refer(double), ["pull", "push"]);
        const [asked] = double.requests.filter(({ path }) => path.startsWith("/token"));
        assert.deepEqual(new URL(asked?.path ?? "", "http://x").searchParams.getAll("scope"), [
            "repository:team/app:pull,push",
            "registry:catalog:*",
            "repository:team/app:delete",
        ]);
    });

    it("are renewed once when they have expired", async () => {
        const double = await stage.double({ auth: "bearer" });
        double.putManifest("team/app", index, "v1");
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        await client.headManifest(refer(double, { tag: "v1" }));
        double.expireTokens();
        assert.ok(await client.headManifest(refer(double, { tag: "v1" })));
        const asked = double.requests.filter(({ path }) => path.startsWith("/token"));
        assert.equal(asked.length, 2);
    });

    it("are not renewed without end when the registry takes none", async () => {
        const double = await stage.double({ auth: "bearer" });
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        const challenge = { "www-authenticate": `Bearer realm="http://${double.host}/token"` };
        double.failNext({ request: /manifests/, times: 99, answer: { status: 401, headers: challenge } });
        await assertFails(client.headManifest(refer(double, { tag: "v1" })), "registry-unauthorized");
        assert.equal(double.requests.filter(({ path }) => path.includes("manifests")).length, 2);
    });

    it("are exchanged for a refresh token by POST", async () => {
        const double = await stage.double({ auth: "bearer", refreshToken: "refresh-hunter2" });
        double.putManifest("team/app", index, "v1");
        const client = stage.client({ registries: [{ address: double.host, password: "refresh-hunter2" }] });
        assert.ok(await client.headManifest(refer(double, { tag: "v1" })));
        const [asked] = double.requests.filter(({ path }) => path.startsWith("/token"));
        assert.equal(asked?.method, "POST");
        assert.equal(asked.authorization, undefined);
        assert.deepEqual(Object.fromEntries(new URLSearchParams(asked.body)), {
            grant_type: "refresh_token",
            client_id: "pulumi-multiarch",
            service: "registry, double",
            scope: "repository:team/app:pull",
            refresh_token: "refresh-hunter2",
        });
    });

    it("are sent as they are when the docker configuration holds one", async () => {
        const folder = await mkdtemp(join(tmpdir(), "multiarch-token-"));
        try {
            const double = await stage.double({ auth: "bearer" });
            const config = { auths: { [double.host]: { registrytoken: "token-given" } } };
            await writeFile(join(folder, "config.json"), JSON.stringify(config));
            const call = stage.client({ dockerConfigDir: folder }).headManifest(refer(double, { tag: "v1" }));
            await assertFails(call, "registry-unauthorized", /those from the docker configuration were used/);
            assert.equal(double.requests.at(-1)?.authorization, "Bearer token-given");
        } finally {
            await rm(folder, { recursive: true });
        }
    });

    it("are not asked for over plain HTTP on another machine", async () => {
        const double = await stage.double({ auth: "bearer", realm: "http://auth.example.com/token" });
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        const call = client.headManifest(refer(double, { tag: "v1" }));
        await assertFails(call, "registry-broken", /names no https address/);
    });

    it("are a fault of the registry when the token service answers nonsense", async () => {
        const double = await stage.double({ auth: "bearer" });
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        for (const body of ["<html>", "{}", '{"token":""}', '{"token":"a\\r\\nX-Evil: 1"}']) {
            double.failNext({ request: /token/, times: 4, answer: { status: 200, body } });
            const call = client.headManifest(refer(double, { tag: "v1" }));
            await assertFails(call, "registry-broken", /asking for an access token failed: the answer holds no token/);
        }
    });

    it("are asked for again when half an answer came", async () => {
        const double = await stage.double({ auth: "bearer" });
        double.putManifest("team/app", { schemaVersion: 2, mediaType: "x", manifests: [] }, "v1");
        const client = stage.client({ registries: [{ address: double.host, ...account }] });
        double.failNext({ request: /token/, answer: { status: 200, body: '{"token":"hal' } });
        assert.ok(await client.headManifest(refer(double, { tag: "v1" })));
    });
});
