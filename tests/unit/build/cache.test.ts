import assert from "node:assert/strict";
import fc from "fast-check";
import { cacheArgv, platformCacheRef } from "../../../sdk/build/cache";

const scope = { platform: "linux/arm64", repository: "registry.example.com:5000/team/app", baseDirectory: "/project" };

describe("a cache in a registry", () => {
    it("has a tag of its own for each platform, in the repository of the image", () => {
        const ref = "ref=registry.example.com:5000/team/app:buildcache-linux-arm64";
        assert.deepEqual(cacheArgv({ registry: {} }, scope), [
            ...["--cache-from", `type=registry,${ref}`],
            "--cache-to",
            `type=registry,${ref},image-manifest=true,oci-mediatypes=true,mode=max,ignore-error=true`,
        ]);
    });

    it("is read and not written when it is read-only", () => {
        const args = cacheArgv({ registry: {}, readOnly: true }, scope);
        assert.deepEqual(args.length, 2);
        assert.equal(args[0], "--cache-from");
    });

    it("fails the build only when that is wanted", () => {
        const [, , , to] = cacheArgv({ registry: {}, mode: "min", ignoreError: false }, scope);
        assert.match(to ?? "", /mode=min,ignore-error=false$/);
    });

    const refs: [ref: string, platform: string, scoped: string][] = [
        ["host/app", "linux/amd64", "host/app:buildcache-linux-amd64"],
        ["host/app:main", "linux/arm/v7", "host/app:main-linux-arm-v7"],
        ["host:5000/app", "linux/amd64", "host:5000/app:buildcache-linux-amd64"],
        ["host:5000/app:x", "linux/amd64/v3", "host:5000/app:x-linux-amd64-v3"],
    ];
    for (const [ref, platform, scoped] of refs) {
        it(`at ${ref} is at ${scoped} for ${platform}`, () => {
            assert.equal(platformCacheRef(ref, platform), scoped);
        });
    }

    it("keeps to the longest tag a registry takes, and long tags apart", () => {
        const tag = fc.string({ minLength: 1, maxLength: 128, unit: fc.constantFrom("a", "b", "-", "1") });
        fc.assert(
            fc.property(tag, tag, (one, other) => {
                const [a, b] = [one, other].map((text) => platformCacheRef(`host/app:${text}`, "linux/arm64"));
                assert.ok((a ?? "").length <= "host/app:".length + 128);
                assert.match(a ?? "", /-linux-arm64$/);
                assert.equal(a === b, one === other);
            }),
        );
        const long = "a".repeat(127);
        assert.notEqual(
            platformCacheRef(`h/a:${long}a`, "linux/arm64"),
            platformCacheRef(`h/a:${long}b`, "linux/arm64"),
        );
    });
});

describe("a cache in a folder", () => {
    it("has a folder of its own for each platform", () => {
        assert.deepEqual(cacheArgv({ local: { directory: "../cache, all" } }, scope), [
            ...["--cache-from", 'type=local,"src=/cache, all/linux-arm64"'],
            ...["--cache-to", 'type=local,"dest=/cache, all/linux-arm64",mode=max,ignore-error=true'],
        ]);
    });
});

describe("a cache inside the image", () => {
    it("is read from the last image and written with the new one", () => {
        assert.deepEqual(cacheArgv({ inline: {} }, scope), [
            ...["--cache-from", "type=registry,ref=registry.example.com:5000/team/app:latest"],
            ...["--cache-to", "type=inline"],
        ]);
    });

    it("is read from the images that are named", () => {
        const from = ["host/app@sha256:1", "host/app:v1"];
        assert.deepEqual(cacheArgv({ inline: { from }, readOnly: true }, scope), [
            ...["--cache-from", "type=registry,ref=host/app@sha256:1"],
            ...["--cache-from", "type=registry,ref=host/app:v1"],
        ]);
    });
});

describe("no cache", () => {
    it("needs no arguments", () => {
        assert.deepEqual(cacheArgv(undefined, scope), []);
    });
});
