import assert from "node:assert/strict";

import { mediaTypes } from "../../../sdk/registry/manifests";
import { describePublishedArgs, type ConfigReader } from "../../../sdk/resources/publishedArgs";

const where = { registry: "registry.example.com", repository: "app" };
const descriptor = { mediaType: mediaTypes.ociManifest, digest: `sha256:${"a".repeat(64)}`, size: 7 };

function readerOf(config: object): ConfigReader & { asked: number } {
    const reader = {
        asked: 0,
        getManifest: () => {
            reader.asked += 1;
            const manifest = {
                kind: "image",
                mediaType: descriptor.mediaType,
                config: descriptor,
                layers: [],
            } as const;
            return Promise.resolve({ descriptor, manifest, bytes: Buffer.alloc(0) });
        },
        getBlobJson: () => Promise.resolve(config),
    };
    return reader;
}

describe("a secret build argument", () => {
    const history = [{ created_by: "RUN |2 KEY=hidden-value MODE=release /bin/sh -c make # buildkit" }];
    const request = {
        buildArgs: { KEY: "hidden-value", OTHER: "other-hidden", MODE: "release" },
        secrets: {},
        redact: ["hidden-value", "other-hidden"],
    };

    it("that is in the history, a label or a variable of the image is named, and its value is not", async () => {
        for (const config of [
            { history },
            { config: { Labels: { key: "hidden-value" } } },
            { config: { Env: ["A=b hidden-value"] } },
        ]) {
            const found = await describePublishedArgs(readerOf(config), where, descriptor, request);
            assert.equal(found.length, 1);
            assert.match(found[0] ?? "", /the secret build argument KEY to everyone who can pull it: .*secrets/);
            assert.doesNotMatch(found[0] ?? "", /hidden/);
        }
    });

    it("is looked for only where there is one", async () => {
        const reader = readerOf({ history });
        assert.deepEqual(await describePublishedArgs(reader, where, descriptor, { ...request, redact: [] }), []);
        assert.equal(reader.asked, 0);
    });
});
