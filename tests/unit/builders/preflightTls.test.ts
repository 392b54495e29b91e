import assert from "node:assert/strict";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import type { BuilderTls } from "../../../sdk/builders/node";
import { preflight } from "../../../sdk/builders/preflight";
import { explainHandshake } from "../../../sdk/builders/preflightTlsErrors";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import { nodeOn, refusalOf, startBuilder, startServer, type TestServer } from "./testBuilders";
import { createAuthority, type LeafOptions, type TestAuthority } from "./testCertificates";

const loopback: LeafOptions = { names: [{ type: "ip", value: "127.0.0.1" }] };
const day = 24 * 3_600_000;

describe("the check of a builder with TLS", () => {
    const servers: TestServer[] = [];
    let authority: TestAuthority;
    let stranger: TestAuthority;
    let material: BuilderTls;

    before(async () => {
        [authority, stranger] = await Promise.all([createAuthority(), createAuthority("another CA")]);
        material = { ca: authority.ca, ...(await authority.issue({ commonName: "client" })) };
    });

    afterEach(async () => {
        await Promise.all(servers.splice(0).map((server) => server.close()));
    });

    async function open(starting: Promise<TestServer>): Promise<number> {
        const server = await starting;
        servers.push(server);
        return server.port;
    }

    /** A TLS server with a certificate of its own, that never gets as far as BuildKit. */
    async function openTls(leaf: LeafOptions, options: tls.TlsOptions = {}): Promise<number> {
        const pair = await authority.issue(leaf);
        return open(startServer(tls.createServer({ ...pair, ALPNProtocols: ["h2"], ...options })));
    }

    it("finds a fit one, by its IP address", async () => {
        const port = await open(startBuilder({}, authority));
        assert.equal((await preflight(nodeOn(port, { tls: material }))).native, true);
    });

    it("makes no noise on the way", async () => {
        const warnings: Error[] = [];
        const collect = (warning: Error): void => void warnings.push(warning);
        process.on("warning", collect);
        const port = await open(startBuilder({}, authority));
        await preflight(nodeOn(port, { tls: material }));
        await new Promise((resolve) => setImmediate(resolve));
        process.off("warning", collect);
        assert.deepEqual(warnings, []);
    });

    it("tells an expired certificate, with its last day", async () => {
        const port = await openTls({ ...loopback, notAfter: new Date(Date.now() - day), notBefore: new Date(0) });
        const error = await refusalOf(nodeOn(port, { tls: material }), "builder-tls-expired");
        assert.match(error.message, /the builder's certificate expired on 20\d\d-/);
    });

    it("tells a certificate that is not valid yet", async () => {
        const soon = new Date(Date.now() + day);
        const port = await openTls({ ...loopback, notBefore: soon, notAfter: new Date(Date.now() + 2 * day) });
        await refusalOf(nodeOn(port, { tls: material }), "builder-tls-not-yet-valid");
    });

    it("tells a certificate of another CA", async () => {
        const port = await open(startBuilder({}, stranger));
        const error = await refusalOf(nodeOn(port, { tls: material }), "builder-tls-untrusted");
        assert.equal(error.fields.property, "builders.endpoints[1].tls.ca");
    });

    it("tells a certificate for another name, and lists its names", async () => {
        const port = await openTls({ names: [{ type: "dns", value: "builder.test" }] });
        const error = await refusalOf(nodeOn(port, { tls: material }), "builder-tls-name");
        assert.match(error.message, /is for DNS:builder\.test, and not for 127\.0\.0\.1/);
        const other = await refusalOf(nodeOn(port, { tls: material, serverName: "x.test" }), "builder-tls-name");
        assert.equal(other.fields.property, "builders.endpoints[1].serverName");
    });

    it("does not take the common name for a name, as Go does not", async () => {
        const port = await openTls({ commonName: "builder.test" });
        const error = await refusalOf(nodeOn(port, { tls: material, serverName: "builder.test" }), "builder-tls-name");
        assert.match(error.message, /no subject alternative name/);
    });

    it("tells a server that does not speak TLS", async () => {
        const port = await open(startBuilder({}));
        await refusalOf(nodeOn(port, { tls: material }), "builder-not-tls");
        const plain = await open(startServer(net.createServer((socket) => socket.end("HTTP/1.1 400 Bad\r\n\r\n"))));
        await refusalOf(nodeOn(plain, { tls: material }), "builder-not-tls");
    });

    it("tells a server that is silent", async () => {
        const port = await open(startServer(net.createServer()));
        await refusalOf(nodeOn(port, { tls: material }), "builder-unhealthy", 300);
    });

    it("tells a server of HTTPS from BuildKit", async () => {
        const pair = await authority.issue(loopback);
        const port = await open(startServer(https.createServer(pair, (_, answer) => answer.end("hello"))));
        await refusalOf(nodeOn(port, { tls: material }), "builder-not-buildkit");
    });

    it("tells a builder that wants TLS from one that needs none", async () => {
        const port = await open(startBuilder({}, authority));
        const error = await refusalOf(nodeOn(port), "builder-tls-missing");
        assert.equal(error.fields.property, "builders.endpoints[1].tls");
    });

    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        it(`tells a builder that refuses the client certificate over ${version}`, async () => {
            const pair = await authority.issue(loopback);
            const limits = { minVersion: version, maxVersion: version, requestCert: true, rejectUnauthorized: true };
            const server = tls.createServer({ ...pair, ca: authority.ca, ALPNProtocols: ["h2"], ...limits });
            const port = await open(startServer(server));
            const foreign = { ca: authority.ca, ...(await stranger.issue({ commonName: "client" })) };
            const error = await refusalOf(nodeOn(port, { tls: foreign }), "builder-tls-client-refused");
            assert.equal(error.fields.property, "builders.endpoints[1].tls.cert");
        });
    }

    const alerts: [code: string, reason: ErrorCode][] = [
        ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "builder-tls-client-refused"],
        ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "builder-tls-client-refused"],
        ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "builder-tls-client-refused"],
        ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "builder-tls-client-refused"],
        ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "builder-not-buildkit"],
        ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "builder-tls-name"],
        ["ERR_SSL_WRONG_VERSION_NUMBER", "builder-not-tls"],
        ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "builder-unhealthy"],
    ];
    for (const [code, reason] of alerts) {
        it(`takes ${code} for ${reason}`, () => {
            const error = explainHandshake(nodeOn(1, { tls: material }), Object.assign(new Error(), { code }));
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, reason);
        });
    }

    it("finds wrong material before it connects", async () => {
        const other = await authority.issue({});
        const late = await authority.issue({ notAfter: new Date(Date.now() - day), notBefore: new Date(0) });
        const cases = [
            [{ ...material, ca: "not PEM" }, "builder-tls-material", "tls.ca"],
            [{ ...material, cert: material.key }, "builder-tls-material", "tls.cert"],
            [{ ...material, key: "hunter22" }, "builder-tls-material", "tls.key"],
            [{ ...material, key: other.key }, "builder-tls-material", "tls.key"],
            [{ ca: material.ca, ...late }, "builder-tls-expired", "tls.cert"],
        ] as const;
        for (const [given, code, field] of cases) {
            const error = await refusalOf(nodeOn(1, { tls: given }), code);
            assert.equal(error.fields.property, `builders.endpoints[1].${field}`);
            assert.equal(error.message.includes("hunter22"), false);
        }
    });
});
