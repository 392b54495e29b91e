import assert from "node:assert/strict";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { findImageIndexProblems } from "../../../sdk/validation/imageIndex";

const digest = `sha256:${"a".repeat(64)}`;
const amd64 = { os: "linux", architecture: "amd64" };
const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 7, platform: amd64 };
const imageOf = (platform: string, change: object = {}) => ({ platform, digest, manifests: [manifest], ...change });

describe("inputs of an ImageIndex", () => {
    const find = (images: unknown): [property: string, reason: string][] => {
        const inputs = { repository: "registry.example.com/app", images } as Properties;
        return findImageIndexProblems(inputs).map(({ property, reason }) => [property, reason]);
    };

    it("are right with two platforms, and as far as they are known", () => {
        assert.deepEqual(find([imageOf("linux/amd64"), imageOf("linux/arm64")]), []);
        const unknown = { platform: unknownValue, digest: unknownValue, manifests: unknownValue };
        assert.deepEqual(find([unknown, imageOf("linux/amd64", { manifests: [unknownValue] }), unknownValue]), []);
        assert.deepEqual(find(unknownValue), []);
    });

    it("are told all that is wrong with them, by property", () => {
        const images = [
            imageOf("linux/arm64", { digest: "zzz" }),
            imageOf("linux/aarch64", { manifests: [manifest, { ...manifest, digest: "sha256:1" }] }),
            imageOf("linux/x", { manifests: [] }),
        ];
        const found = find(images);
        assert.deepEqual(found.map(([property]) => property).sort(), [
            "images[0].digest",
            "images[1].manifests[1].digest",
            "images[1].platform",
            "images[2].manifests",
            "images[2].platform",
        ]);
        const reasons = Object.fromEntries(found);
        assert.match(reasons["images[0].digest"] ?? "", /"zzz" is not sha256: followed by 64/);
        assert.match(reasons["images[1].platform"] ?? "", /is the same platform as images\[0\]\.platform/);
    });

    it("have at least one image", () => {
        assert.deepEqual(
            find([]).map(([property]) => property),
            ["images"],
        );
    });
});
