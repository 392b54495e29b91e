import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { preflight, preflightAll } from "../../../sdk/builders/preflight";
import { MultiArchError } from "../../../sdk/errors";
import {
    findClosedPort,
    nodeOn,
    refusalOf,
    startBuilder,
    startOtherGrpc,
    startServer,
    type TestServer,
} from "./testBuilders";

// Servers of this process stand in for builders. What they cannot show is a host that drops packets.

describe("the check of a builder without TLS", () => {
    const servers: TestServer[] = [];

    async function open(starting: Promise<TestServer>): Promise<number> {
        const server = await starting;
        servers.push(server);
        return server.port;
    }

    afterEach(async () => {
        await Promise.all(servers.splice(0).map((server) => server.close()));
    });

    it("gives the facts of a fit one", async () => {
        const labels = { team: "images" };
        const port = await open(startBuilder({ platforms: ["linux/arm64", "linux/arm/v7"], labels }));
        assert.deepEqual(await preflight(nodeOn(port, { platform: "linux/arm64" })), {
            version: "v0.31.1",
            workerId: "worker-1",
            platforms: ["linux/arm64", "linux/arm/v7"],
            labels,
            native: true,
            notes: [],
        });
    });

    it("reaches one through a socket", async () => {
        const folder = await mkdtemp(path.join(tmpdir(), "preflight-"));
        const socket = path.join(folder, "b.sock");
        const port = await open(startBuilder({}));
        const relay = net.createServer((client) => client.pipe(net.connect(port, "127.0.0.1")).pipe(client));
        await new Promise<void>((resolve) => relay.listen(socket, resolve));
        try {
            const facts = await preflight(nodeOn(0, { address: `unix://${socket}` }));
            assert.equal(facts.workerId, "worker-1");
        } finally {
            relay.close();
            await rm(folder, { recursive: true });
        }
    });

    it("refuses an unprotected address unless the user wrote that it is wanted", async () => {
        const error = await refusalOf(nodeOn(1, { insecure: false }), "builder-insecure");
        assert.equal(error.fields.property, "builders.endpoints[1].tls");
    });

    it("tells an address that cannot be read", async () => {
        const error = await refusalOf(nodeOn(1, { address: "tcp://127.0.0.1" }), "builder-address");
        assert.match(error.message, /has no port/);
    });

    it("tells a name that does not resolve", async () => {
        const node = nodeOn(1, { address: "tcp://builder.invalid:1234" });
        const error = await refusalOf(node, "builder-unresolvable");
        assert.match(error.message, /the name builder\.invalid does not resolve/);
    });

    it("tells a closed port", async () => {
        const error = await refusalOf(nodeOn(await findClosedPort()), "builder-refused");
        assert.equal(error.transient, true);
    });

    it("tells a socket that is not there", async () => {
        const node = nodeOn(1, { address: "unix:///nowhere/buildkitd.sock" });
        const error = await refusalOf(node, "builder-refused");
        assert.match(error.message, /there is no socket \/nowhere\/buildkitd\.sock/);
    });

    it("tells a server of HTTP/1 from BuildKit", async () => {
        const port = await open(startServer(http.createServer((_, answer) => answer.end("hello"))));
        await refusalOf(nodeOn(port), "builder-not-buildkit");
    });

    it("tells another gRPC service from BuildKit", async () => {
        await refusalOf(nodeOn(await open(startOtherGrpc())), "builder-not-buildkit");
    });

    it("tells a server that closes every connection", async () => {
        const port = await open(startServer(net.createServer((socket) => socket.destroy())));
        await refusalOf(nodeOn(port), "builder-not-buildkit");
    });

    it("gives up on a server that says nothing, within its time", async () => {
        const port = await open(startServer(net.createServer()));
        const begin = Date.now();
        const error = await refusalOf(nodeOn(port), "builder-not-buildkit", 300);
        assert.match(error.message, /silent/);
        assert.ok(Date.now() - begin < 1_500);
    });

    it("stops at once when the user cancels", async () => {
        const port = await open(startServer(net.createServer()));
        const begin = Date.now();
        await assert.rejects(
            preflight(nodeOn(port), { timeoutMs: 5_000, signal: AbortSignal.timeout(100) }),
            (error) => error instanceof MultiArchError && error.code === "build-cancelled",
        );
        assert.ok(Date.now() - begin < 1_500);
    });

    it("checks several at once, and one that fails hides no other", async () => {
        const good = nodeOn(await open(startBuilder({})));
        const old = nodeOn(await open(startBuilder({ version: "v0.12.5" })));
        const closed = nodeOn(await findClosedPort());
        const results = await preflightAll([old, good, closed], { timeoutMs: 3_000 });
        assert.deepEqual(
            results.map((result) => ("error" in result ? result.error.code : "fit")),
            ["builder-too-old", "fit", "builder-refused"],
        );
    });

    it("finds wrong platforms, emulation and old versions in what the builder says", async () => {
        const port = await open(startBuilder({ platforms: ["linux/amd64", "linux/arm64"] }));
        const wrong = await refusalOf(nodeOn(port, { platform: "linux/s390x" }), "builder-wrong-platform");
        assert.match(wrong.message, /does not have linux\/s390x: it offers linux\/amd64, linux\/arm64/);
        await refusalOf(nodeOn(port, { platform: "linux/arm64" }), "builder-emulated");
        const facts = await preflight(nodeOn(port, { platform: "linux/arm64", emulation: "allow" }));
        assert.equal(facts.native, false);
        await refusalOf(nodeOn(await open(startBuilder({ workers: 0 }))), "builder-unhealthy");
    });
});
