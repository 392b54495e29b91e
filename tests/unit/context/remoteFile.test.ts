import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { MultiArchError } from "../../../sdk/errors";
import { hashContext } from "../../../sdk/context/hash";
import { hashRemoteFile } from "../../../sdk/context/remoteFile";
import { createAuthority } from "../builders/testCertificates";
import { createFolders } from "./folders";

const property = "context.location";

describe("a context behind a URL", () => {
    let server: Server;
    let host = "";
    let body = randomBytes(1024 * 1024);
    let authorization: string | undefined;
    const open: ServerResponse[] = [];
    let losses = 0;

    before(async () => {
        server = createServer((request, response) => {
            authorization = request.headers.authorization;
            if (request.url === "/app.tar.gz") {
                response.end(body);
            } else if (request.url?.startsWith("/lost")) {
                losses += 1;
                if (request.url === "/lost" || losses === 1) {
                    response.writeHead(200, { "content-length": body.length });
                    response.write(body.subarray(0, 100), () => response.destroy());
                } else {
                    response.end(body);
                }
            } else if (request.url === "/drip") {
                open.push(response);
                const timer = setInterval(() => response.write("x"), 20);
                response.on("close", () => {
                    clearInterval(timer);
                });
            } else if (request.url === "/endless") {
                response.write("x");
                open.push(response);
            } else {
                response.writeHead(request.url === "/broken" ? 503 : 404).end("nothing here");
            }
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
        server.closeAllConnections();
        server.close();
    });

    it("is hashed by its bytes", async () => {
        const expected = createHash("sha256").update(body).digest("hex");
        assert.equal(await hashRemoteFile(`http://${host}/app.tar.gz`, { property }), expected);
    });

    it("changes the hash of the build when its bytes change, and has no local files", async () => {
        const request = { context: { location: `http://${host}/app.tar.gz` } };
        const before = await hashContext(request);
        assert.equal((await hashContext(request)).digest, before.digest);
        assert.deepEqual([before.files, before.bytes], [0, 0]);
        body = randomBytes(1024);
        assert.notEqual((await hashContext(request)).digest, before.digest);
    });

    it("gets the account in its URL, which errors do not show", async () => {
        await hashRemoteFile(`http://user:pa%40ss@${host}/app.tar.gz`, { property });
        assert.equal(authorization, `Basic ${Buffer.from("user:pa@ss").toString("base64")}`);
        await assert.rejects(
            hashRemoteFile(`http://user:pass@${host}/nope?token=pass`, { property }),
            (error) => error instanceof MultiArchError && !error.message.includes("pass"),
        );
    });

    for (const [path, transient] of [
        ["nope", false],
        ["broken", true],
    ] as const) {
        it(`is an error when the server has only an error for it: ${path}`, async () => {
            await assert.rejects(
                hashRemoteFile(`http://${host}/${path}`, { property }),
                (error) =>
                    error instanceof MultiArchError &&
                    error.code === "context-unresolved" &&
                    error.transient === transient &&
                    error.fields.property === property,
            );
        });
    }

    it("is trusted through SSL_CERT_FILE, and only then", async () => {
        const authority = await createAuthority();
        const pair = await authority.issue({ names: [{ type: "dns", value: "localhost" }] });
        const secure = createTlsServer(pair, (_, response) => response.end(body));
        await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
        const folders = createFolders();
        const before = process.env.SSL_CERT_FILE;
        try {
            const location = `https://localhost:${(secure.address() as AddressInfo).port}/app.tar.gz`;
            await assert.rejects(
                hashRemoteFile(location, { property }),
                (error) => error instanceof MultiArchError && error.message.includes("cannot be read (UNABLE_TO_"),
            );
            process.env.SSL_CERT_FILE = join(folders.make({ "ca.pem": authority.ca }), "ca.pem");
            const expected = createHash("sha256").update(body).digest("hex");
            assert.equal(await hashRemoteFile(location, { property }), expected);
        } finally {
            restore("SSL_CERT_FILE", before);
            folders.remove();
            secure.closeAllConnections();
            secure.close();
        }
    });

    it("is read once more when the connection is lost, and not more often", async () => {
        losses = 0;
        const expected = createHash("sha256").update(body).digest("hex");
        assert.equal(await hashRemoteFile(`http://${host}/lost-once`, { property }), expected);
        assert.equal(losses, 2);
        losses = 0;
        await assert.rejects(
            hashRemoteFile(`http://${host}/lost`, { property }),
            (error) => error instanceof MultiArchError && error.code === "context-unresolved" && error.transient,
        );
        assert.equal(losses, 2);
    });

    for (const [path, limits, text] of [
        ["endless", { idleMs: 200, totalMs: 60_000 }, /sent nothing for 0.2 seconds/],
        ["drip", { idleMs: 60_000, totalMs: 300 }, /was not read in 0.3 seconds/],
    ] as const) {
        it(`is an error when it takes too long: ${path}`, async () => {
            await assert.rejects(
                hashRemoteFile(`http://${host}/${path}`, { property, limits }),
                (error) =>
                    error instanceof MultiArchError && error.code === "context-unresolved" && text.test(error.message),
            );
        });
    }

    it("is an error when nobody answers", async () => {
        const closed = createServer();
        await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
        const { port } = closed.address() as AddressInfo;
        await new Promise((resolve) => closed.close(resolve));
        await assert.rejects(
            hashRemoteFile(`http://127.0.0.1:${port}/app.tar.gz`, { property }),
            (error) => error instanceof MultiArchError && error.message.includes("cannot be read (ECONNREFUSED)"),
        );
    });

    it("stops with the reason of the signal while bytes are still coming", async () => {
        const reason = new Error("stop");
        const controller = new AbortController();
        setTimeout(() => {
            controller.abort(reason);
        }, 50);
        await assert.rejects(hashRemoteFile(`http://${host}/endless`, { property, signal: controller.signal }), reason);
    });
});

function restore(name: string, value: string | undefined): void {
    if (value === undefined) {
        Reflect.deleteProperty(process.env, name);
    } else {
        process.env[name] = value;
    }
}
