import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import { defineFileStep } from "../../../sdk/builders/control/llb";
import { preflight, type Stage } from "../../../sdk/builders/preflight";
import { daysLeft, noteEnds } from "../../../sdk/builders/preflightCertificates";
import type { ErrorCode } from "../../../sdk/errors";
import { nodeOn, refusalOf, startBuilder, type TestBuilder, type TestServer } from "./testBuilders";

// A server of this process stands in for BuildKit: tests/integration/preflightDisk.test.ts has real ones on real disks.

const noSpace = "no space left on device";

describe("the check of a builder's disk", () => {
    const servers: TestServer[] = [];

    async function open(builder: TestBuilder): Promise<number> {
        const server = await startBuilder(builder);
        servers.push(server);
        return server.port;
    }

    afterEach(async () => {
        await Promise.all(servers.splice(0).map((server) => server.close()));
    });

    for (const [details, code, text, builder] of [
        [`write /file: ${noSpace}`, "builder-disk-full", /the disk of the builder is full \[/, {}],
        [`write /var/lib/mkdir/open: ${noSpace}`, "builder-disk-full", /is full \[/, {}],
        [`mkdir /var/lib/x: ${noSpace}`, "builder-disk-full", /no space, or no inodes left/, {}],
        [`mkdir /var/lib/x: ${noSpace}`, "builder-disk-full", /is full \[/, { wasChecked: true, freeBytes: 2 ** 20 }],
        [`mkdir /var/lib/x: ${noSpace}`, "builder-inodes-exhausted", /but no inodes left/, { wasChecked: true }],
        [`open /var/lib/x/file: ${noSpace}`, "builder-inodes-exhausted", /but no inodes left/, { wasChecked: true }],
        ["write /file: disk quota exceeded", "builder-disk-full", /used up its quota/, {}],
        ["write /var/lib/x.db: read-only file system", "builder-read-only", /file system is read-only/, {}],
        ["write /file: input/output error", "builder-unhealthy", /failed to write a file/, {}],
    ] as const) {
        it(`tells ${code} by "${details}"${"wasChecked" in builder ? ", with what a check has left" : ""}`, async () => {
            const port = await open({ step: { code: grpc.status.UNKNOWN, details }, ...builder });
            const error = await refusalOf(nodeOn(port), code satisfies ErrorCode);
            assert.match(error.message, text);
            assert.deepEqual(error.fields.lines, [details]);
            assert.equal(error.transient, false);
        });
    }

    it("notes that little space is left", async () => {
        const { notes } = await preflight(nodeOn(await open({ freeBytes: 2 ** 29 })));
        assert.deepEqual(notes, ["has less than 1 GiB of free space on its disk"]);
    });

    it("tells a daemon that goes away while it writes", async () => {
        const port = await open({ step: { code: grpc.status.UNAVAILABLE, details: "Connection dropped" } });
        assert.equal((await refusalOf(nodeOn(port), "builder-unhealthy")).transient, true);
    });

    it("tells a disk that hangs while nothing is built there, within its time", async () => {
        const port = await open({ step: "runs" });
        const begin = Date.now();
        const error = await refusalOf(nodeOn(port), "builder-unhealthy", 2_000);
        assert.match(error.message, /wrote no file within \d\.\d s, though nothing is built there/);
        assert.match(error.message, /next: Look at the disk of the builder/);
        assert.ok(Date.now() - begin < 2_300);
    });

    it("takes a slow disk for what it is while others build there", async () => {
        const port = await open({ step: "runs", builds: 2 });
        const { notes } = await preflight(nodeOn(port), { timeoutMs: 2_000 });
        assert.match(notes.join(), /wrote no file within \d\.\d s while 2 builds run there/);
    });

    it("does not wait for a builder that is busy", async () => {
        const port = await open({ step: "waits" });
        const begin = Date.now();
        const { notes } = await preflight(nodeOn(port), { timeoutMs: 5_000 });
        assert.match(notes.join(), /its disk was not checked/);
        assert.ok(Date.now() - begin < 2_500);
    });

    it("stops at once when the user cancels", async () => {
        const port = await open({ step: "runs" });
        const begin = Date.now();
        const signal = AbortSignal.timeout(300);
        await assert.rejects(preflight(nodeOn(port), { signal }), { code: "build-cancelled" });
        assert.ok(Date.now() - begin < 1_500);
    });
});

describe("the stages of a check", () => {
    async function stagesOf(builder: TestBuilder): Promise<Stage[]> {
        const server = await startBuilder(builder);
        const stages: Stage[] = [];
        await preflight(nodeOn(server.port), { onStage: (stage) => stages.push(stage) }).catch(() => undefined);
        await server.close();
        return stages;
    }

    it("are told in order, with what was found", async () => {
        const stages = await stagesOf({ platforms: ["linux/amd64", "linux/386"] });
        assert.deepEqual(
            stages.map(({ name, detail }) => [name, detail]),
            [
                ["settings", ""],
                ["name", "127.0.0.1"],
                ["port", ""],
                ["tls", "without TLS"],
                ["buildkit", "BuildKit v0.31.1"],
                ["platform", "native; it offers linux/amd64, linux/386"],
                ["disk", "writable"],
            ],
        );
        assert.ok(stages.every(({ milliseconds }) => milliseconds >= 0 && milliseconds < 5_000));
    });

    it("end with the one that fails", async () => {
        const stages = await stagesOf({ version: "v0.12.0" });
        assert.deepEqual(
            stages.slice(-2).map(({ name, error }) => [name, (error as { code?: string } | undefined)?.code]),
            [
                ["buildkit", undefined],
                ["platform", "builder-too-old"],
            ],
        );
    });
});

describe("the days of certificates", () => {
    const now = Date.parse("2030-01-01T12:00:00Z");

    it("are whole days", () => {
        assert.equal(daysLeft("2030-01-02T11:59:59Z", now), 0);
        assert.equal(daysLeft("2030-01-03T12:00:00Z", now), 2);
    });

    it("are a note in the last week", () => {
        const dates = { builder: "2030-01-08T11:59:59Z", client: "2030-01-08T12:00:00Z" };
        assert.deepEqual(noteEnds(dates, now), [
            "the certificate of the builder ends in 6 days, on 2030-01-08T11:59:59Z",
        ]);
        assert.deepEqual(noteEnds(undefined, now), []);
    });
});

describe("a step in BuildKit's own form", () => {
    it("is these bytes, and goes by their digest", () => {
        const mkfile = { path: "/f", mode: 0o600, data: Buffer.from("x") };
        const { def, metadata } = defineFileStep("n", [{ mkfile }, { rm: { path: "/f" } }]);
        const none = "ffffffffffffffffff01";
        const written = `123808${none}10${none}18${none}2a150a022f661080031a017828${none}`;
        const removed = `1215080010${none}18003a040a022f66`;
        assert.equal(Buffer.from(def[0] ?? []).toString("hex"), `2251${written}${removed}`);
        const digest = "sha256:18b38925e3796798abbee73742abbcc6020a9f4d4504692d9d45f69ad38cc667";
        assert.equal(Buffer.from(def[1] ?? []).toString("latin1"), `\nK\nG${digest}\x10\0`);
        assert.deepEqual(metadata, { [digest]: { ignore_cache: true, description: { "llb.customname": "n" } } });
    });
});
