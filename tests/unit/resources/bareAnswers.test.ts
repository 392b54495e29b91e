import assert from "node:assert/strict";
import type { OperationContext } from "../../../sdk/resources/lifecycle";
import { buildIndex, mediaTypes } from "../../../sdk/registry/manifests";
import { imageCopyLifecycle } from "../../../sdk/resources/imageCopyLifecycle";
import { imageIndexLifecycle } from "../../../sdk/resources/imageIndexLifecycle";
import { moveTags, refuseTagConflicts } from "../../../sdk/resources/tags";
import { assertFails, refer, useRegistryStage } from "../../support/registryClient";
import type { RegistryDouble } from "../../support/registryDouble";

const index = buildIndex([]);

function createContext(warnings: string[] = []): OperationContext {
    const reporter = {
        info: () => undefined,
        status: () => undefined,
        warn: (text: string) => void warnings.push(text),
    };
    return { urn: "urn", reporter, signal: new AbortController().signal, secrets: [] };
}

/** Stores a whole image for linux/arm64, and describes it as an index takes it. */
function pushImage(double: RegistryDouble) {
    const arm64 = { os: "linux", architecture: "arm64" };
    const mediaType = "application/vnd.oci.image.config.v1+json";
    const config = { ...double.putBlob("team/app", JSON.stringify(arm64)), mediaType };
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = double.putManifest("team/app", document);
    return { platform: "linux/arm64", digest: image.digest, manifests: [{ ...image, platform: arm64 }] };
}

describe("a registry that does not say what is missing", () => {
    const stage = useRegistryStage();

    for (const absence of [403, 404] as const) {
        it(`gets its first index and tags all the same (${absence})`, async () => {
            const double = await stage.double({ absence });
            const images = [pushImage(double)];
            const inputs = { repository: `${double.host}/team/app`, tags: ["1.0", "latest"], images };
            const { outputs } = await imageIndexLifecycle.create(inputs, createContext());
            for (const name of [...inputs.tags, String(outputs["digest"])]) {
                assert.ok(double.content("team/app", name), name);
            }
        });

        it(`has its tags moved without a word about somebody else (${absence})`, async () => {
            const double = await stage.double({ absence });
            const warnings: string[] = [];
            const known = { v1: `sha256:${"a".repeat(64)}` };
            await moveTags(stage.client(), refer(double), ["v1"], index, known, createContext(warnings));
            assert.deepEqual(double.content("team/app", "v1"), index.bytes);
            assert.deepEqual(warnings, []);
        });
    }

    it("has no conflict where it hides nothing, and an unreadable tag is not taken", async () => {
        const [bare, hiding] = [await stage.double({ absence: 404 }), await stage.double({ absence: 403 })];
        await refuseTagConflicts(stage.client(), refer(bare), ["v1"], [index.digest]);
        const call = refuseTagConflicts(stage.client(), refer(hiding), ["v1"], [index.digest]);
        await assertFails(call, "registry-forbidden");
        bare.putManifest("team/app", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }, "v1");
        await assertFails(refuseTagConflicts(stage.client(), refer(bare), ["v1"], []), "tag-conflict");
    });

    it("does not answer for longer than the program allows", async () => {
        const double = await stage.double();
        double.failNext({ request: /manifests/, times: 100, answer: "hang" });
        const inputs = { repository: `${double.host}/team/app`, tags: ["1.0"], images: [pushImage(double)] };
        const limited = { ...createContext(), timeoutMs: 300 };
        const started = Date.now();
        await assertFails(imageIndexLifecycle.create(inputs, limited), "registry-timeout", /0\.3 s of customTimeouts/);
        const copy = { repository: `${double.host}/team/copy`, tags: ["1.0"], source: `${double.host}/team/app:1.0` };
        await assertFails(imageCopyLifecycle.create(copy, limited), "registry-timeout", /customTimeouts/);
        assert.ok(Date.now() - started < 5_000);
        const cancelled = new AbortController();
        setTimeout(() => cancelled.abort(), 100);
        const both = { ...limited, timeoutMs: 60_000, signal: cancelled.signal };
        await assertFails(imageIndexLifecycle.create(inputs, both), "build-cancelled");
    });

    it("keeps its state when it is refreshed", async () => {
        const double = await stage.double({ absence: 404 });
        const inputs = { repository: `${double.host}/team/app`, tags: ["1.0"], images: [] };
        const warnings: string[] = [];
        const outputs = { digest: index.digest };
        const state = await imageIndexLifecycle.read("id", { inputs, outputs }, createContext(warnings));
        assert.deepEqual(state, { id: "id", outputs });
        assert.match(warnings[0] ?? "", /not refreshed/);
    });
});
