import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { judgeRules } from "../../../sdk/builders/cacheFacts";
import { findClosedPort, startBuilder, type TestBuilder, type TestServer } from "../builders/testBuilders";
import { createAuthority, type TestAuthority } from "../builders/testCertificates";
import { runIn } from "./runConvert";

// Servers of this process stand in for builders: tests/integration/doctor.test.ts has real ones.

/** A little before so many days have passed. */
const inDays = (days: number): Date => new Date(Date.now() + (days * 24 - 1) * 3_600_000);

describe("the command doctor", () => {
    const servers: TestServer[] = [];
    let folder = "";
    let authority: TestAuthority;
    const buildx = process.env["MULTIARCH_BUILDX"];

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "doctor-"));
        authority = await createAuthority();
        const { cert, key } = await authority.issue({ commonName: "client", notAfter: inDays(60) });
        Object.entries({ ca: authority.ca, cert, key }).forEach(([name, text]) => {
            writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 });
        });
        // What stands in for buildx says its version only.
        const file = join(folder, "buildx");
        writeFileSync(file, "#!/bin/sh\necho github.com/docker/buildx v0.35.0 abc\n", { mode: 0o755 });
        process.env["MULTIARCH_BUILDX"] = file;
    });

    afterEach(async () => {
        await Promise.all(servers.splice(0).map((server) => server.close()));
    });

    after(() => {
        if (buildx === undefined) {
            delete process.env["MULTIARCH_BUILDX"];
        } else {
            process.env["MULTIARCH_BUILDX"] = buildx;
        }
        rmSync(folder, { recursive: true });
    });

    async function open(builder: TestBuilder, over?: TestAuthority): Promise<string> {
        const server = await startBuilder(builder, over);
        servers.push(server);
        return `tcp://127.0.0.1:${server.port}`;
    }

    const doctor = (...args: string[]) => runIn(folder, ["doctor", ...args]);
    const tls = ["--ca", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];
    /** The text with numbers that differ from run to run left out. */
    const steady = (text: string): string =>
        text
            .replace(/ +\d+ ms/g, " N ms")
            .replace(/127\.0\.0\.1:\d+/g, "HOST")
            .replace(/on \d{4}-.*Z/, "on DATE");

    it("says for each stage of a fit builder what was found", async () => {
        const address = await open({ platforms: ["linux/arm64"] }, authority);
        const { status, stdout, stderr } = await doctor("--platform", "linux/arm64", "--address", address, ...tls);
        assert.deepEqual([status, stderr], [0, ""], stdout);
        const lines = [
            "this machine",
            `  ok    node               ${process.versions.node}`,
            "  ok    buildx             0.35.0",
            "",
            "linux/arm64  tcp://HOST",
            "  ok    settings N ms",
            "  ok    name N ms  127.0.0.1",
            "  ok    port N ms",
            "  ok    tls N ms  certificates end in 0 days (builder) and 59 days (client)",
            "  ok    buildkit N ms  BuildKit v0.31.1",
            "  ok    platform N ms  native; it offers linux/arm64",
            "  ok    disk N ms  writable",
            "  ok    cache              0.0 GiB without a limit, in 0 entries",
            "  note  the certificate of the builder ends in 0 days, on DATE",
            "  note  collects no garbage: its cache grows until the disk is full",
            "",
            "All builders are fit: 1 of 1.",
            "",
        ];
        assert.equal(steady(stdout), lines.join("\n"));
    });

    it("says what is wrong with one, and what to do", async () => {
        const address = `tcp://127.0.0.1:${await findClosedPort()}`;
        const { status, stdout } = await doctor("--platform", "linux/amd64", "--address", address, ...tls);
        assert.equal(status, 1);
        const lines = [
            "  ok    name N ms  127.0.0.1",
            "  FAIL  port N ms",
            "        port PORT of 127.0.0.1 refuses connections [builder-refused]",
            "        next: Check that buildkitd runs and listens on this port, and that a firewall does not reject it.",
            "",
            "Fit builders: 0 of 1.",
            "Without a fit builder: linux/amd64.",
        ];
        assert.ok(
            steady(stdout)
                .replace(/port \d+ of/, "port PORT of")
                .includes(lines.join("\n")),
            stdout,
        );
    });

    it("takes several from a file, and gives them to programs as JSON", async () => {
        const good = await open({ platforms: ["linux/arm64"] }, authority);
        const old = await open({ version: "v0.12.0" });
        const file = join(folder, "builders.yaml");
        const text = `
            platforms: [linux/arm64, linux/amd64]
            builders:
                endpoints:
                    - platform: linux/arm64
                      address: ${good}
                      tls: { ca: ./ca.pem, cert: ./cert.pem, key: ${join(folder, "key.pem")} }
                    - { platform: linux/amd64, address: "${old}", insecure: true }`;
        writeFileSync(file, text);
        const { status, stdout } = await doctor("--file", file, "--json");
        assert.equal(status, 1);
        const { fit, builders } = JSON.parse(stdout) as { fit: boolean; builders: Record<string, unknown>[] };
        assert.equal(fit, false);
        const [first = {}, second = {}] = builders;
        assert.deepEqual([first["fit"], first["native"], first["version"]], [true, true, "v0.31.1"]);
        assert.match((first["certificates"] as { builder: string }).builder, /^\d{4}-\d\d-\d\dT/);
        assert.equal(second["property"], "builders.endpoints[1]");
        assert.equal((second["error"] as { code: string }).code, "builder-too-old");
    });

    it("takes what a stack puts out, with the keys in it, from the standard input", async () => {
        const address = await open({}, authority);
        const pem = Object.fromEntries(
            Object.entries({ ca: authority.ca, ...(await authority.issue({ commonName: "client" })) }),
        );
        const input = JSON.stringify({ endpoints: [{ platform: "linux/amd64", address, tls: pem }] });
        const { status, stdout } = await runIn(folder, ["doctor", "--file", "-"], input);
        assert.equal(status, 0, stdout);
        assert.equal(stdout.includes("PRIVATE"), false);
    });

    it("is not content with a machine that has no buildx", async () => {
        const address = await open({});
        const file = process.env["MULTIARCH_BUILDX"];
        process.env["MULTIARCH_BUILDX"] = join(folder, "nothing");
        try {
            const { status, stdout } = await doctor("--platform", "linux/amd64", "--address", address, "--insecure");
            assert.equal(status, 1);
            assert.match(stdout, / {2}FAIL {2}buildx[^]*\[buildx-missing\][^]*Missing on this machine: buildx\./);
        } finally {
            process.env["MULTIARCH_BUILDX"] = file;
        }
    });

    const pem = "-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----";
    const at = ["--platform", "linux/amd64", "--address", "tcp://127.0.0.1:1"];
    for (const [name, args, text] of [
        ["nothing", [], /give one of --address/],
        ["no platform", ["--address", "tcp://127.0.0.1:1"], /give the one --platform/],
        ["two kinds", [...at, "--named", "team"], /give one of --address/],
        ["half a certificate", [...at, "--ca", "ca.pem"], /belong together/],
        ["no TLS at all", at, /builders\.endpoints\[0\]\.tls: is required for tcp:\/\//],
        ["a key in place of its file", [...at, ...tls.slice(0, 4), `--key=${pem}`], /--key takes the path of a file/],
        ["a file that is not there", [...at, ...tls.slice(0, 4), "--key", "no.pem"], /--key: the file cannot .*ENOENT/],
        [
            "TLS for a named one",
            ["--platform", "linux/amd64", "--named", "t", "--insecure"],
            /--insecure is for --address/,
        ],
        ["a key alone", [...at, pem.replace(/^-+/, "")], /a word that belongs to no option/],
        ["an unknown option", ["--adress", "x"], /--adress/],
        ["a wrong time", [...at, "--timeout", "soon"], /--timeout is a number of seconds/],
        [
            "both ways",
            ["--file", "b.yaml", "--address", "tcp://127.0.0.1:1"],
            /--address and --file exclude each other/,
        ],
        ["no such file", ["--file", "b.yaml"], /b\.yaml cannot be read \(ENOENT\)/],
        ["a wrong address", ["--platform", "linux/amd64", "--address", "127.0.0.1:1"], /has no scheme; write tcp:\/\//],
        ["a wrong platform", ["--platform", "linux", "--address", "unix:///b.sock"], /platform/],
    ] as const) {
        it(`ends with status 2 for ${name}`, async () => {
            const { status, stdout, stderr } = await doctor(...args);
            assert.deepEqual([status, stdout], [2, ""]);
            assert.match(stderr, text);
            assert.match(stderr, /doctor --help/);
            assert.equal(stderr.includes("TOPSECRET"), false);
        });
    }

    for (const [name, input, text] of [
        ["no YAML", `{ tls: { key: "${pem}`, /standard input is neither YAML nor JSON/],
        ["a list", "- a\n- b\n", /holds no builders/],
        ["something else", "name: x\n", /holds no builders/],
        ["a builder that names no platform", "named: [{ name: team }]", /platforms/],
        ["a wrong name in it", "endpoints: [{ platform: linux/amd64, adress: x }]", /adress: is not an input/],
    ] as const) {
        it(`ends with status 2 for a file with ${name}`, async () => {
            const { status, stderr } = await runIn(folder, ["doctor", "--file", "-"], input);
            assert.equal(status, 2, stderr);
            assert.match(stderr, text);
            assert.equal(stderr.includes("TOPSECRET"), false);
        });
    }
});

describe("the rules of a cache", () => {
    const hour = 3_600e9;
    const mounts = { all: false, keepDuration: 48 * hour, filters: ["type==source.local", "type==exec.cachemount"] };
    const all = { all: true, keepDuration: 0, filters: [], maxUsedSpace: 100e9 };

    it("are named when they throw warm mounts away", () => {
        const early = { ...mounts, maxUsedSpace: 512e6 };
        const notes = ["throws cache mounts away that were not used for 48 hours"];
        assert.deepEqual(judgeRules([early, all]), { limitBytes: 100e9, notes });
        assert.deepEqual(judgeRules([{ ...mounts, maxUsedSpace: 50e9 }, all]).notes, []);
        assert.deepEqual(judgeRules([{ ...early, keepDuration: 720 * hour }, all]).notes, []);
    });

    it("are missed when there are none", () => {
        assert.deepEqual(judgeRules([]).limitBytes, undefined);
        assert.match(judgeRules([]).notes.join(), /collects no garbage/);
    });
});
