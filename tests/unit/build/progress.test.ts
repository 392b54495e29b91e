import assert from "node:assert/strict";
import { parseMetadata } from "../../../sdk/build/metadata";
import { createProgressReader, describeProgress, type ProgressReader } from "../../../sdk/build/progress";
import { createRedactor } from "../../../sdk/build/redact";
import { parseSolveStatus } from "../../../sdk/build/solveStatus";
import { captured, metadata } from "./testRequests";

function read(name: string, secrets: string[] = []): { reader: ProgressReader; texts: string[]; plain: string[] } {
    const reader = createProgressReader(createRedactor(secrets));
    const texts: string[] = [];
    const plain: string[] = [];
    for (const line of captured(name)) {
        const events = reader.push(line);
        texts.push(...(events ?? []).map(describeProgress));
        plain.push(...(events ? [] : [line]));
    }
    return { reader, texts, plain };
}

describe("the progress of a build", () => {
    it("names every step as it begins and ends, and then the push", () => {
        assert.deepEqual(read("built").texts, [
            "step 1/5 [base 1/1] COPY rootfs/ /",
            "step 1/5 [base 1/1] COPY rootfs/ / (done)",
            'step 2/5 [build 1/2] RUN echo "hi" > /out.txt && cat /out.txt',
            'step 2/5 [build 1/2] RUN echo "hi" > /out.txt && cat /out.txt (done)',
            "step 3/5 [build 2/2] COPY big.bin /big.bin",
            "step 3/5 [build 2/2] COPY big.bin /big.bin (done)",
            "step 4/5 [stage-2 1/2] COPY --from=build /out.txt /out.txt",
            "step 4/5 [stage-2 1/2] COPY --from=build /out.txt /out.txt (done)",
            "step 5/5 [stage-2 2/2] RUN --mount=type=secret,id=token echo done",
            "step 5/5 [stage-2 2/2] RUN --mount=type=secret,id=token echo done (done)",
            "pushing the image",
        ]);
    });

    it("adds up steps, bytes and times", () => {
        const { steps, cachedSteps, bytesSent, startedAt, pushStartedAt, pushDoneAt } = read("built").reader.totals();
        assert.deepEqual({ steps, cachedSteps, bytesSent }, { steps: 5, cachedSteps: 0, bytesSent: 2_699_801 });
        assert.equal((pushStartedAt ?? 0) - (startedAt ?? 0), 1_159);
        assert.equal((pushDoneAt ?? 0) - (pushStartedAt ?? 0), 48);
    });

    it("tells the steps that came from the cache", () => {
        const { reader, texts } = read("cached");
        assert.equal(reader.totals().cachedSteps, 5);
        assert.equal(texts.filter((text) => text.endsWith("(cached)")).length, 5);
        assert.equal(texts.at(-1), "pushing the image");
    });

    it("warns of a cache that could not be used, and not of one that does not exist yet", () => {
        const reader = createProgressReader(createRedactor(["s3cret"]));
        const push = (digest: string, name: string, error: string) =>
            reader.push(JSON.stringify({ vertexes: [{ digest, name, started: "2026-01-01T00:00:00Z", error }] })) ?? [];
        const events = [
            ...push("1", "importing cache manifest from host/app:buildcache", "host/app:buildcache: not found"),
            ...push("2", "importing cache manifest from s3:123", "StatusCode: 403, s3cret"),
            ...push("3", "writing layer sha256:1", "refused"),
            ...push("4", "exporting cache to Amazon S3", "error writing layer blob: refused"),
            ...push("5", "exporting to GitHub Actions Cache", "cache token expired"),
        ];
        assert.deepEqual(events.map(describeProgress), [
            "the cache could not be read: StatusCode: 403, [secret]",
            "the cache could not be written: error writing layer blob: refused",
            "the cache could not be written: cache token expired",
        ]);
        assert.match(reader.failure()?.name ?? "", /^importing/, "it is what failed where nothing else did");
        push("6", "[1/1] RUN false", "exit code: 1");
        assert.equal(reader.failure()?.name, "[1/1] RUN false");
    });

    it("keeps the step that failed, with the end of its output", () => {
        const { reader, plain } = read("failing-step");
        const failure = reader.failure();
        assert.ok(failure);
        assert.match(failure.name, /^\[2\/2\] RUN for i in 1 2 3/);
        assert.match(failure.error, /did not complete successfully: exit code: 7$/);
        assert.equal(failure.lines.length, 20);
        assert.deepEqual(failure.lines.slice(-2), ["line 25", "went wrong"]);
        assert.match(plain.at(-1) ?? "", /^ERROR: failed to build/);
    });

    it("shows no secret, neither in names nor in output", () => {
        const { reader, texts } = read("built", ["hi", "done", "cat /out.txt"]);
        assert.equal(texts.join().includes("cat /out.txt"), false);
        assert.match(texts[2] ?? "", /RUN echo "hi" > \/out\.txt && \[secret\]$/);
        const failed = read("failing-step", ["went wrong", "line 25"]).reader.failure();
        assert.ok(failed);
        assert.deepEqual(failed.lines.slice(-2), ["[secret]", "[secret]"]);
        assert.equal(failed.name.includes("went wrong"), false);
        assert.equal(reader.failure(), undefined);
    });

    it("shows no secret in the error of a step, and in hints", () => {
        const reader = createProgressReader(createRedactor(["hunter22"]));
        const short = Buffer.from("Ouch: ARG hunter22").toString("base64");
        const vertex = { digest: "d", name: "[1/1] RUN x", error: "process hunter22 failed" };
        const events = reader.push(JSON.stringify({ vertexes: [vertex], warnings: [{ vertex: "d", short }] }));
        assert.deepEqual(events, [{ kind: "warning", text: "Ouch: ARG [secret]" }]);
        assert.equal(reader.failure()?.error, "process [secret] failed");
    });

    it("does not begin before the builder answers", () => {
        assert.equal(read("builder-down").reader.totals().startedAt, undefined);
    });

    it("shows hints about the Dockerfile", () => {
        const short = Buffer.from("JSONArgsRecommended: use JSON").toString("base64");
        const line = JSON.stringify({ warnings: [{ vertex: "v", short, url: "https://x" }] });
        assert.deepEqual(createProgressReader().push(line), [
            { kind: "warning", text: "JSONArgsRecommended: use JSON" },
        ]);
    });

    it("keeps long scripts to one short line", () => {
        const reader = createProgressReader();
        const name = `[1/1] RUN <<EOF\n${"echo something\n".repeat(100)}EOF`;
        const [event] =
            reader.push(JSON.stringify({ vertexes: [{ digest: "d", name, started: "2026-01-01T00:00:00Z" }] })) ?? [];
        assert.ok(event?.kind === "step");
        assert.equal(event.step.name.length, 200);
        assert.equal(event.step.name.includes("\n"), false);
    });

    it("takes no other line for progress, whatever it looks like", () => {
        for (const line of ["", "ERROR: x", "{", "{}", "[]", "null", '{"a":1}', '{"vertexes":"x"}', "{broken"]) {
            assert.equal(parseSolveStatus(line), undefined, line);
        }
        assert.deepEqual(parseSolveStatus('{"vertexes":[1,null,{"name":"x"},{"digest":"d"}]}')?.vertexes, [
            { digest: "d", name: "" },
        ]);
    });

    it("tells of another try", () => {
        assert.equal(
            describeProgress({ kind: "retry", tries: 1, waitSeconds: 2, reason: "the connection was lost" }),
            "try 1 failed (the connection was lost), next one in 2 s",
        );
        assert.equal(
            describeProgress({ kind: "retrying", tries: 2, builder: "tcp://b:1", reason: "the connection was lost" }),
            "retrying on tcp://b:1 (try 2), because the connection was lost",
        );
    });
});

describe("the metadata of a build", () => {
    it("give digest and descriptor", () => {
        const digest = `sha256:${"a".repeat(64)}`;
        const mediaType = "application/vnd.oci.image.manifest.v1+json";
        assert.deepEqual(parseMetadata(metadata), { digest, descriptor: { mediaType, digest, size: 856 } });
    });

    it("give nothing when the digest is missing or does not fit", () => {
        for (const text of [
            "",
            "{}",
            "[]",
            "null",
            metadata.replace('":"sha256:aa', '":"sha256:ba'),
            metadata.replace("856", '"x"'),
        ]) {
            assert.equal(parseMetadata(text), undefined, text);
        }
    });
});
