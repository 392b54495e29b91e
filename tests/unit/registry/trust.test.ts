import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type LookupFunction } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryClient, RegistryClientOptions } from "../../../sdk/registry/client";
import { isLoopback } from "../../../sdk/registry/transport";
import { account, assertFails, useRegistryStage } from "../../support/registryClient";
import type { RegistryDouble } from "../../support/registryDouble";
import { createAuthority, type LeafOptions, type TestAuthority } from "../builders/testCertificates";

const name = "registry.example.com";

/** Every name is this machine: the double has to be known by a name that is not. */
const lookup: LookupFunction = (_name, options, done) => {
    if (options.all) {
        done(null, [{ address: "127.0.0.1", family: 4 }]);
    } else {
        done(null, "127.0.0.1", 4);
    }
};

describe("a registry with TLS", () => {
    const stage = useRegistryStage();
    let folder: string;
    let authority: TestAuthority;

    before(async () => {
        folder = await mkdtemp(join(tmpdir(), "multiarch-trust-"));
        authority = await createAuthority();
        await writeFile(join(folder, "ca.pem"), `some text\n${authority.ca}\nmore text`);
    });
    after(async () => {
        await rm(folder, { recursive: true });
    });

    async function startTls(options: LeafOptions = {}): Promise<RegistryDouble & { port: string }> {
        const tls = await authority.issue({ names: [{ type: "dns", value: name }], ...options });
        const double = await stage.double({ tls });
        double.putManifest("team/app", { schemaVersion: 2, mediaType: "x", manifests: [] }, "v1");
        return Object.assign(double, { port: double.host.split(":")[1] ?? "" });
    }

    function head(client: RegistryClient, port: string, host = name) {
        return client.headManifest({ registry: `${host}:${port}`, repository: "team/app", tag: "v1" });
    }

    it("is trusted through SSL_CERT_FILE", async () => {
        const { port } = await startTls();
        assert.ok(await head(stage.client({ lookup, env: { SSL_CERT_FILE: join(folder, "ca.pem") } }), port));
    });

    it("is trusted through SSL_CERT_DIR", async () => {
        const { port } = await startTls();
        assert.ok(await head(stage.client({ lookup, env: { SSL_CERT_DIR: `/nonexistent:${folder}` } }), port));
    });

    it("is trusted through docker's folder for this registry, and for no other", async () => {
        const one = await startTls();
        const other = await startTls();
        const certsDir = join(folder, "certs.d");
        await mkdir(join(certsDir, `${name}:${one.port}`), { recursive: true });
        await writeFile(join(certsDir, `${name}:${one.port}`, "ca.crt"), authority.ca);
        const client = stage.client({ lookup, certsDir });
        assert.ok(await head(client, one.port));
        await assertFails(head(client, other.port), "registry-untrusted");
    });

    it("is refused when its authority is unknown, and sees no account", async () => {
        const double = await startTls();
        const client = stage.client({ lookup, registries: [{ address: `${name}:${double.port}`, ...account }] });
        await assertFails(
            head(client, double.port),
            "registry-untrusted",
            /its certificate is not trusted .UNABLE_TO_/,
            /SSL_CERT_FILE/,
        );
        assert.deepEqual(double.requests, []);
    });

    const flaws: [string, LeafOptions, RegExp][] = [
        ["is for another name", { names: [{ type: "dns", value: "other.example.com" }] }, /is for another name/],
        ["has expired", { notBefore: new Date(1e12), notAfter: new Date(1.1e12) }, /has expired .CERT_HAS_EXPIRED/],
        [
            "is not valid yet",
            { notBefore: new Date(Date.now() + 1e9), notAfter: new Date(Date.now() + 2e9) },
            /not valid yet/,
        ],
    ];
    for (const [flaw, leaf, text] of flaws) {
        it(`is refused when its certificate ${flaw}`, async () => {
            const { port } = await startTls(leaf);
            const client = stage.client({ lookup, env: { SSL_CERT_FILE: join(folder, "ca.pem") } });
            await assertFails(head(client, port), "registry-untrusted", text);
        });
    }

    it("is reached through the proxy that HTTPS_PROXY names, unless NO_PROXY excludes it", async () => {
        const { port } = await startTls();
        const tunnels: string[] = [];
        const proxy = createServer();
        proxy.on("connect", (request, socket) => {
            tunnels.push(request.url ?? "");
            const upstream = connect(Number(port), "127.0.0.1", () => {
                socket.write("HTTP/1.1 200 OK\r\n\r\n");
                upstream.pipe(socket).pipe(upstream);
            });
            upstream.on("error", () => socket.destroy());
            socket.on("error", () => upstream.destroy());
        });
        await listen(proxy);
        try {
            const { port: proxyPort } = proxy.address() as AddressInfo;
            const env = {
                HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
                SSL_CERT_FILE: join(folder, "ca.pem"),
            };
            assert.ok(await head(stage.client({ lookup, env }), port));
            assert.deepEqual(tunnels, [`${name}:${port}`]);
            assert.ok(await head(stage.client({ lookup, env: { ...env, NO_PROXY: "example.com" } }), port));
            assert.equal(tunnels.length, 1);
        } finally {
            proxy.closeAllConnections();
            proxy.close();
        }
    });
});

describe("plain HTTP", () => {
    const stage = useRegistryStage();

    async function headPlain(host: string, options: RegistryClientOptions = {}) {
        const double = await stage.double({ auth: "basic" });
        double.putManifest("team/app", { schemaVersion: 2, mediaType: "x", manifests: [] }, "v1");
        const registry = `${host}:${double.host.split(":")[1] ?? ""}`;
        const client = stage.client({ ...options, lookup, registries: [{ address: registry, ...account }] });
        return { double, answer: client.headManifest({ registry, repository: "team/app", tag: "v1" }) };
    }

    it("is used for this machine when the registry does not speak TLS", async () => {
        for (const host of ["localhost", "127.0.0.1"]) {
            const { answer } = await headPlain(host);
            assert.ok(await answer);
        }
    });

    it("is never used for another machine, which sees neither a request nor the account", async () => {
        const { double, answer } = await headPlain(name);
        await assertFails(
            answer,
            "registry-untrusted",
            /it does not speak TLS/,
            /plain HTTP is used for localhost only/,
        );
        assert.deepEqual(double.requests, []);
    });

    it("is not followed to another machine", async () => {
        const double = await stage.double();
        const { digest } = double.putBlob("team/app", "{}");
        double.failNext({ request: /blobs/, answer: { status: 307, headers: { location: `http://${name}/x` } } });
        const client = stage.client({ lookup });
        const call = client.getBlobJson({ registry: double.host, repository: "team/app" }, digest);
        await assertFails(call, "registry-untrusted", /leads to plain HTTP on another machine/);
    });

    it("knows this machine by these names only", () => {
        const own = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "::1"];
        const others = ["127.0.0.1.example.com", "127.example.com", "10.0.0.1", "localhost.example.com", "[::2]", ""];
        assert.deepEqual(
            own.map(isLoopback),
            own.map(() => true),
        );
        assert.deepEqual(
            others.map(isLoopback),
            others.map(() => false),
        );
    });
});

function listen(server: Server): Promise<void> {
    return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}
