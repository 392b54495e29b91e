import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { readContent } from "../../../sdk/resources/contentHash";
import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { startGitServer } from "../context/gitServer";

/** What makes an image another one. What of the files counts is tested with sdk/context. */
describe("the content of an image", () => {
    let folder: string;
    let base: Properties;

    before(() => {
        folder = mkdtempSync(join(tmpdir(), "multiarch-content-"));
        writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
        base = { platform: "linux/amd64", context: { location: folder }, buildArgs: { A: "1", B: "2" } };
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    const hash = async (change: Properties = {}, bases?: Record<string, string>): Promise<string> => {
        return (await readContent({ ...base, ...change }, bases, new AbortController().signal)).hash;
    };

    const others: [string, Properties][] = [
        ["another platform", { platform: "linux/arm64" }],
        ["another target", { target: "test" }],
        ["another value of a build argument", { buildArgs: { A: "1", B: "3" } }],
        ["a build argument more", { buildArgs: { A: "1", B: "2", C: "" } }],
        ["a build argument less", { buildArgs: { A: "1" } }],
        ["another Dockerfile", { dockerfile: { inline: "FROM scratch\nLABEL a=b\n" } }],
        ["a hash of its own", { ownContentHash: "commit" }],
        ["another extra text", { invalidation: { extra: "week 1" } }],
        ["labels", { labels: { a: "b" } }],
        ["annotations", { annotations: { a: "b" } }],
        ["another network", { network: "none" }],
        ["more hosts", { addHosts: ["db:10.0.0.7"] }],
        ["a fixed time", { sourceDateEpoch: 0 }],
        ["another compression", { compression: "zstd" }],
        ["another level of compression", { compressionLevel: 9 }],
        ["new compression of base images", { forceCompression: true }],
        ["a provenance", { attestations: { provenance: "min" } }],
        ["a list of contents", { attestations: { sbom: true } }],
    ];
    for (const [title, change] of others) {
        it(`is other with ${title}`, async () => {
            assert.notEqual(await hash(change), await hash());
        });
    }

    it("is other with another base image, and only where those are tracked", async () => {
        assert.notEqual(await hash({}, { base: "sha256:a" }), await hash({}, { base: "sha256:b" }));
        assert.notEqual(await hash({}, { base: "sha256:a" }), await hash());
    });

    const same: [string, Properties][] = [
        ["attestations that are none", { attestations: { provenance: "none", sbom: false } }],
        ["the order of build arguments", { buildArgs: { B: "2", A: "1" } }],
        ["builders", { nodes: [{ platform: "linux/amd64", address: "tcp://elsewhere:1" }] }],
        ["caches", { cache: { inline: {} } }],
        ["accounts", { registries: [{ address: "r", username: "u", password: "p" }] }],
        ["secrets", { secrets: { token: "1" } }],
        ["the place it is pushed to", { repository: "elsewhere/app" }],
        ["time limits", { timeoutSeconds: 1, retries: 9 }],
        ["labels and annotations without any", { labels: {}, annotations: {} }],
        ["agents and keys", { ssh: [{ id: "default" }] }],
        ["files with secrets", { secretFiles: { token: "/nowhere" } }],
        ["limits of steps", { ulimits: [{ name: "core", soft: 0 }], shmSize: "1g", resources: { memory: "1g" } }],
        ["what is run again", { noCache: true, noCacheFilters: ["a"] }],
        ["what the build may do", { allow: ["network.host"], cgroupParent: "/x" }],
    ];
    for (const [title, change] of same) {
        it(`is the same whatever ${title}`, async () => {
            assert.equal(await hash(change), await hash());
        });
    }

    it("is other with another secret where secrets count", async () => {
        const invalidation = { secrets: true };
        assert.notEqual(
            await hash({ invalidation, secrets: { token: "1" } }),
            await hash({ invalidation, secrets: { token: "2" } }),
        );
    });

    it("is other with another secret in a file where secrets count", async () => {
        const file = join(folder, "..", `${basename(folder)}.secret`);
        const inputs = { invalidation: { secrets: true }, secretFiles: { token: file } };
        try {
            writeFileSync(file, "1");
            const first = await hash(inputs);
            writeFileSync(file, "2");
            assert.notEqual(await hash(inputs), first);
        } finally {
            rmSync(file, { force: true });
        }
    });

    it("is the same whatever the order of labels", async () => {
        assert.equal(await hash({ labels: { a: "1", b: "2" } }), await hash({ labels: { b: "2", a: "1" } }));
    });

    it("leaves build arguments out that are set aside", async () => {
        const invalidation = { ignoreBuildArgs: ["B"] };
        assert.equal(await hash({ invalidation }), await hash({ invalidation, buildArgs: { A: "1", B: "other" } }));
    });

    it("is unknown while an input is", async () => {
        assert.equal(await hash({ target: unknownValue }), unknownValue);
        assert.equal(await hash({ secrets: unknownValue, invalidation: { secrets: true } }), unknownValue);
        assert.notEqual(await hash({ secrets: unknownValue }), unknownValue);
    });

    it("comes with the commit that it was read from, which is then built", async () => {
        const server = await startGitServer();
        try {
            const context = { location: `${server.remote}#main:app` };
            const content = await readContent({ ...base, context }, undefined, new AbortController().signal);
            assert.deepEqual(content.context, { location: `${server.remote}#${server.commit}:app` });
        } finally {
            server.close();
        }
    });

    it("is not known before the token for its repository is", async () => {
        const context = { location: "https://git.invalid/app.git" };
        assert.equal(await hash({ context, secrets: { GIT_AUTH_TOKEN: unknownValue } }), unknownValue);
        assert.equal(await hash({ secrets: { GIT_AUTH_TOKEN: unknownValue } }), await hash());
    });
});
