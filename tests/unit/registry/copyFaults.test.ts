import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { assertCopied, copyExample, findRequests, from, storeExample, to } from "../../support/copyExample";
import { assertFails, useRegistryStage } from "../../support/registryClient";

describe("copying with faults", () => {
    const stage = useRegistryStage();
    const large = randomBytes(2_000_000);

    const onSource = ["cut", "truncate", { status: 503 }, { status: 429 }] as const;
    for (const answer of onSource) {
        const name = typeof answer === "string" ? answer : String(answer.status);
        it(`begins again when reading a content fails (${name})`, async () => {
            const [source, target] = [await stage.double(), await stage.double()];
            const example = storeExample(source, large);
            source.failNext({ request: new RegExp(`^GET .*blobs/${example.blobs[0] ?? ""}`), times: 2, answer });
            await copyExample(source, target, stage.client());
            assertCopied(source, target, example);
        });
    }

    const onTarget = ["cut", { status: 500 }, { status: 429, headers: { "retry-after": "1" } }] as const;
    for (const [request, step] of [
        [/^HEAD .*blobs/, "looking for a content"],
        [/^POST/, "beginning an upload"],
        [/^PUT .*blobs/, "writing a content"],
        [/^PUT .*manifests/, "writing a manifest"],
    ] as const) {
        for (const answer of onTarget) {
            const name = typeof answer === "string" ? answer : String(answer.status);
            it(`begins again when ${step} fails (${name})`, async () => {
                const [source, target] = [await stage.double(), await stage.double()];
                const example = storeExample(source, large);
                target.failNext({ request, times: 2, answer });
                await copyExample(source, target, stage.client());
                assertCopied(source, target, example);
            });
        }
    }

    it("does not multiply the tries of one step by those of the whole", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        storeExample(source);
        target.failNext({ request: /^POST/, times: 999, answer: { status: 503 } });
        await assertFails(copyExample(source, target, stage.client()), "registry-broken", /writing the content.*503/);
        // Four contents are under way at once.
        assert.ok(findRequests(target, /^POST/).length <= 16);
    });

    it("never completes an upload whose content does not fit its digest", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const example = storeExample(source, large);
        const wrong = Buffer.concat([large.subarray(1), Buffer.from("x")]);
        const [shared = ""] = example.blobs;
        source.failNext({ request: new RegExp(`^GET .*${shared}`), answer: { status: 200, bytes: wrong } });
        const text = new RegExp(`^${source.host}/${from}: reading the content ${shared} failed: .* fit its digest`);
        await assertFails(copyExample(source, target, stage.client()), "registry-broken", text);
        assert.deepEqual(findRequests(target, /^PUT .*manifests/), []);
        assert.equal(target.content(to, shared), undefined);
        assert.ok(target.requests.every(({ body }) => body.length < large.length));
    });

    it("writes no manifest when the source lacks a part, and names the part", async () => {
        for (const part of ["blobs", "manifests"] as const) {
            const [source, target] = [await stage.double(), await stage.double()];
            const missing = storeExample(source)[part][1] ?? "";
            source.removeContent(missing);
            const error = await assertFails(
                copyExample(source, target, stage.client()),
                "registry-not-found",
                new RegExp(`${from}: reading the (?:content|manifest) ${missing}`),
            );
            assert.equal(error.fields.registry, source.host);
            assert.deepEqual(findRequests(target, /^PUT .*manifests/), []);
            assert.deepEqual([...target.uploads], [], "what was begun is given up");
        }
    });

    it("ends at once when it is cancelled, and gives up what it began", async () => {
        const [source, target] = [await stage.double(), await stage.double()];
        const { blobs } = storeExample(source);
        const stop = new AbortController();
        target.failNext({ request: /^PUT .*blobs/, times: 99, answer: "hang" });
        const copying = copyExample(source, target, stage.client({ signal: stop.signal }), { signal: stop.signal });
        const failing = assertFails(copying, "build-cancelled");
        while (findRequests(target, /^PUT .*blobs/).length < 4) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        stop.abort();
        await failing;
        assert.deepEqual([...target.uploads], []);
        assert.ok(blobs.every((digest) => target.content(to, digest) === undefined));
    });
});
