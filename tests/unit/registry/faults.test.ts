import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { account, assertFails, refer, useRegistryStage } from "../../support/registryClient";
import type { RegistryDouble } from "../../support/registryDouble";

const ask = /manifests/;
const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] };

describe("a registry that does not answer as it should", () => {
    const stage = useRegistryStage();
    let double: RegistryDouble;

    beforeEach(async () => {
        double = await stage.double();
        double.putManifest("team/app", index, "v1");
    });

    function read(options: Parameters<typeof stage.client>[0] = {}) {
        return stage.client(options).getManifest(refer(double, { tag: "v1" }));
    }

    it("is asked again after a lost connection, half an answer, 429 and 5xx", async () => {
        for (const answer of ["cut", "truncate", { status: 429 }, { status: 500 }, { status: 503 }] as const) {
            double.failNext({ request: ask, times: 3, answer });
            await read();
        }
        assert.equal(double.requests.length, 5 * 4);
    });

    it("waits as long as it is asked to", async () => {
        const pauses: number[] = [];
        const sleep = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
        double.failNext({ request: ask, answer: { status: 429, headers: { "retry-after": "42" } } });
        await read({ retry: { sleep } });
        assert.deepEqual(pauses, [42_000]);
    });

    it("is rate limited when it keeps answering 429, and the error says how long to wait", async () => {
        const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}';
        double.failNext({ request: ask, answer: { status: 429, headers: { "retry-after": "3600" }, body } });
        const error = await assertFails(
            read(),
            "registry-rate-limited",
            /HTTP 429, TOOMANYREQUESTS/,
            /\| TOOMANYREQUESTS: pull rate limit/,
            /asks to wait 3600 s/,
        );
        assert.equal(error.transient, true);
        assert.equal(double.requests.length, 1);
    });

    it("is broken when it keeps answering 500", async () => {
        double.failNext({ request: ask, times: 9, answer: { status: 500, body: "<html>Oops</html>" } });
        const error = await assertFails(read(), "registry-broken", /HTTP 500/, /a web page, not the answer/);
        assert.equal(error.transient, true);
        assert.equal(double.requests.length, 4);
    });

    it("is unreachable when connections stay lost, and when it never answers", async () => {
        double.failNext({ request: ask, times: 4, answer: "cut" });
        assert.equal((await assertFails(read(), "registry-unreachable", /the connection was lost/)).transient, true);
        double.failNext({ request: ask, times: 9, answer: "hang" });
        const hasty = { timeouts: { headersMs: 100 }, retry: { tries: 1 } };
        await assertFails(read(hasty), "registry-unreachable", /no answer came in time/);
    });

    it("is asked once when it refuses, and the error tells the refusals apart", async () => {
        const refusals = [
            [400, "registry-refused"],
            [401, "registry-unauthorized"],
            [403, "registry-forbidden"],
            [404, "registry-not-found"],
            [418, "registry-refused"],
        ] as const;
        for (const [status, code] of refusals) {
            double.failNext({ request: ask, answer: { status } });
            const error = await assertFails(read(), code, new RegExp(`HTTP ${status}`));
            assert.equal(error.transient, false);
        }
        assert.equal(double.requests.length, refusals.length);
    });

    it("has its report shortened, escaped and cleaned of secrets", async () => {
        const basic = await stage.double({ auth: "basic" });
        const pair = Buffer.from("user:hunter2").toString("base64");
        const message = `\u001b[2Jyour password hunter2 and ${pair}\nis\tweak ${"x".repeat(5000)}`;
        const errors = [{ code: "DEN\u0007IED", message }, {}, "text", null, { code: 7 }];
        const body = JSON.stringify({ errors });
        basic.failNext({ request: ask, answer: { status: 401, headers: { "www-authenticate": "Basic" } } });
        basic.failNext({ request: ask, answer: { status: 403, body } });
        const client = stage.client({ registries: [{ address: basic.host, ...account }] });
        const error = await assertFails(
            client.getManifest(refer(basic, { tag: "v1" })),
            "registry-forbidden",
            /DEN\\x07IED: \\x1b\[2Jyour password \[secret\] and \[secret\] is weak x/,
        );
        assert.ok(error.message.length < 1000, error.message);
        // eslint-disable-next-line no-control-regex -- control characters are what this is about
        assert.doesNotMatch(error.message, /[\u0000-\u0009\u000b-\u001f]/);
    });

    it("stops waiting when the work is cancelled", async () => {
        double.failNext({ request: ask, times: 9, answer: "hang" });
        const controller = new AbortController();
        setTimeout(() => {
            controller.abort();
        }, 50);
        await assertFails(
            read({ signal: controller.signal }),
            "build-cancelled",
            /reading the manifest v1 was cancelled/,
        );
    });

    it("stops between two tries when the work is cancelled", async () => {
        double.failNext({ request: ask, times: 9, answer: { status: 500 } });
        const controller = new AbortController();
        const sleep = (): Promise<void> => {
            controller.abort();
            return Promise.reject(new Error("aborted"));
        };
        await assertFails(read({ signal: controller.signal, retry: { sleep } }), "build-cancelled");
        assert.equal(double.requests.length, 1);
    });
});

describe("a registry that is not there", () => {
    const stage = useRegistryStage();

    it("is unreachable when its name does not resolve, and is asked for once", async () => {
        let asked = 0;
        const client = stage.client({
            lookup: (_name, _options, done) => {
                asked += 1;
                done(Object.assign(new Error("no such host"), { code: "ENOTFOUND" }), "", 0);
            },
        });
        const reference = { registry: "registry.example.com", repository: "team/app", tag: "v1" };
        await assertFails(
            client.getManifest(reference),
            "registry-unreachable",
            /the name does not resolve .ENOTFOUND/,
        );
        assert.equal(asked, 1);
    });

    it("is unreachable when nothing listens on its port", async () => {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise((resolve) => server.close(resolve));
        const reference = { registry: `127.0.0.1:${port}`, repository: "team/app", tag: "v1" };
        const call = stage.client().getManifest(reference);
        await assertFails(call, "registry-unreachable", /nothing listens there .ECONNREFUSED/);
    });

    it("is unreachable when it accepts connections and stays silent", async () => {
        const sockets: Socket[] = [];
        const server = createServer((socket) => sockets.push(socket));
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        try {
            const client = stage.client({ timeouts: { connectMs: 200 } });
            const call = client.getManifest({ registry: `127.0.0.1:${port}`, repository: "team/app", tag: "v1" });
            await assertFails(call, "registry-unreachable", /nothing answered in time/);
        } finally {
            sockets.forEach((socket) => socket.destroy());
            server.close();
        }
    });

    it("names no password of a proxy that cannot be used", async () => {
        const client = stage.client({ env: { HTTPS_PROXY: "http://me:hunter2@proxy example/" } });
        const reference = { registry: "registry.example.com", repository: "team/app", tag: "v1" };
        await assertFails(client.getManifest(reference), "registry-unreachable", /address of the proxy/);
    });
});
