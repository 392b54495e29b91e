import assert from "node:assert/strict";
import { chooseManifest } from "../../../sdk/baseImages/platformChoice";
import { type Descriptor, digestOf, type ImagePlatform, mediaTypes } from "../../../sdk/registry/manifests";

/** A manifest for each platform; `any` names none. */
function index(...platforms: (string | ImagePlatform)[]): Descriptor[] {
    return platforms.map((platform, position) => {
        const [os = "", architecture = "", variant] = typeof platform === "string" ? platform.split("/") : [];
        const named = typeof platform === "string" ? { os, architecture, ...(variant ? { variant } : {}) } : platform;
        const digest = digestOf(Buffer.from(String(position)));
        return {
            mediaType: mediaTypes.ociManifest,
            digest,
            size: 1,
            ...(platform === "any" ? {} : { platform: named }),
        };
    });
}

describe("the manifest a build starts from", () => {
    const windows = { os: "windows", architecture: "amd64" };
    const cases: [title: string, platform: string, manifests: Descriptor[], position: number | undefined][] = [
        ["is the one for the platform", "linux/arm64", index("linux/amd64", "linux/arm64"), 1],
        ["may be written in another way", "linux/arm64", index("linux/amd64", "linux/aarch64/v8"), 1],
        ["is never one for another system", "linux/amd64", index("windows/amd64", "unknown/unknown"), undefined],
        ["is never one for a newer variant", "linux/arm/v6", index("linux/arm/v7", "linux/amd64/v2"), undefined],
        ["is that of the newest older variant", "linux/arm/v7", index("linux/arm/v5", "linux/arm/v6"), 1],
        ["is that of the variant itself first", "linux/arm/v7", index("linux/arm/v6", "linux/arm"), 1],
        ["may be for a plain amd64", "linux/amd64/v3", index("linux/386", "linux/amd64", "linux/amd64/v2"), 2],
        ["may be for 386 on amd64", "linux/amd64", index("linux/arm64", "linux/386"), 1],
        ["may be for arm on arm64", "linux/arm64", index("linux/arm/v6", "linux/arm/v7", "linux/amd64"), 1],
        ["is the first of two for the platform", "linux/amd64", index("linux/386", "linux/amd64", "linux/amd64"), 1],
        ["is one without a platform only where no other fits", "linux/amd64", index("any", "linux/amd64"), 1],
        ["may be one without a platform", "linux/amd64", index("linux/arm64", "any"), 1],
        [
            "is the first one for Windows, whatever its version",
            "windows/amd64",
            index({ ...windows, "os.version": "10.0.20348.1", "os.features": ["win32k"] }, windows),
            0,
        ],
        [
            "is none that needs a feature",
            "linux/amd64",
            index({ os: "linux", architecture: "amd64", "os.features": ["x"] }, "linux/386"),
            1,
        ],
        ["is none of an empty index", "linux/amd64", [], undefined],
    ];
    for (const [title, platform, manifests, position] of cases) {
        it(title, () => {
            const chosen = chooseManifest(manifests, platform);
            assert.equal(chosen && manifests.indexOf(chosen), position);
        });
    }
});
