import assert from "node:assert/strict";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";

/**
 * Fails on arm64 unless a secret says otherwise: secrets do not change the content, so amd64 stays finished. Every test
 * has content of its own, because BuildKit takes a step from its cache when only a secret differs.
 */
const dockerfile = [
    "FROM alpine:latest",
    "ARG TARGETARCH",
    "COPY content.txt /",
    'RUN --mount=type=secret,id=pass echo "for $TARGETARCH" && { [ $TARGETARCH = amd64 ] || [ -s /run/secrets/pass ]; }',
].join("\n");

/** Rule 1: a tag never points at less than everything. */
describe("an index that is not complete", () => {
    const stack = useImageStack(() => ({ secrets: { pass: "yes" } }));

    it("moves no tag when one platform fails, and the next up builds only that platform", async () => {
        writeContext(stack.folder, `${stack.repository} one`, dockerfile);
        const first = await stack.up();
        const before = String(first.outputs["indexDigest"]?.value);

        writeContext(stack.folder, `${stack.repository} two`, dockerfile);
        stack.args = { secrets: { pass: "" }, retries: 3 };
        const printed = await stack.upFails();
        assert.match(printed, /linux\/arm64.*\[build-step-failed\]/);
        assert.match(printed, /\| .*for arm64/, "the last lines of the step are shown");
        assert.doesNotMatch(printed, /try \d+ failed/, "a failing step is never tried again");
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), before, "the tag stays where it was");

        stack.args = { secrets: { pass: "yes" } };
        const { summary, outputs } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 2, update: 3 }, "amd64 was finished and is kept");
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
        assert.notEqual(outputs["indexDigest"]?.value, before);
    });

    it("has no tag at all when a platform fails the first time", async () => {
        writeContext(stack.folder, `${stack.repository} one`, dockerfile);
        stack.args = { secrets: { pass: "" } };
        await stack.upFails();
        assert.deepEqual(await stack.view.tags(stack.repository), []);
        assert.equal(stack.view.pushedManifests(stack.repository).length, 1, "the finished platform is kept");
        stack.args = { secrets: { pass: "yes" } };
        const { summary } = await stack.up();
        assert.equal(summary.resourceChanges?.create, 2, "only arm64 and the index are new");
    });

    it("is not tagged when an image was lost between its build and the index", async () => {
        writeContext(stack.folder, `${stack.repository} one`, dockerfile);
        const { outputs } = await stack.up();
        const index = await stack.view.manifest(`${stack.repository}:latest`);
        await stack.view.deleteManifest(`${stack.repository}@${index.manifests[1]?.digest ?? ""}`);
        stack.args = { secrets: { pass: "yes" }, tags: ["latest", "next"] };
        const printed = await stack.upFails();
        assert.match(printed, /\[index-incomplete\]/);
        assert.match(printed, /linux\/arm64/);
        assert.deepEqual(await stack.view.tags(stack.repository), ["latest"]);

        await stack.stack.refresh();
        const repaired = await stack.up();
        assert.equal(repaired.outputs["indexDigest"]?.value, outputs["indexDigest"]?.value);
        assert.deepEqual((await stack.view.tags(stack.repository)).sort(), ["latest", "next"]);
        assert.equal(repaired.summary.resourceChanges?.create, 1, "one platform is built");
    });
});
