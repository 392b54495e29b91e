import assert from "node:assert/strict";

import { isTransient } from "../../../sdk/dockerBuild/hooks";
import { buildArgsOf, cacheArgs, ignoredSecrets, rawExport } from "../../../sdk/dockerBuild/imageArgs";
import { toDockerBuildPlatform } from "../../../sdk/dockerBuild/platforms";

const repository = "registry.example.com/team/app";
const arm64 = { platform: "linux/arm64", repository };

describe("the inputs of a docker_build.Image", () => {
    it("push by digest, and say nothing that was not asked for", () => {
        assert.equal(
            rawExport({ repository, options: {} }),
            `type=image,name=${repository},push-by-digest=true,name-canonical=true,push=true,oci-mediatypes=true`,
        );
        assert.equal(rawExport({ repository, options: { push: false, annotations: { a: "b" } } }), "type=cacheonly");
    });

    it("have compression, fixed times and annotations, commas included", () => {
        const annotations = { "org.example.note": "one, two=3" };
        const output = rawExport({ repository, options: { compression: "zstd", sourceDateEpoch: 7, annotations } });
        assert.match(
            output,
            /,rewrite-timestamp=true,compression=zstd,"annotation-manifest\.org\.example\.note=one, two=3"$/,
        );
    });

    it("have the fixed time as a build argument", () => {
        assert.deepEqual(buildArgsOf({ A: "b" }, 7), { A: "b", SOURCE_DATE_EPOCH: "7" });
        assert.equal(buildArgsOf(undefined, undefined), undefined);
    });

    it("have a cache scope of their own, and none is written that is read only", () => {
        const ref = `${repository}:buildcache-linux-arm64`;
        assert.deepEqual(cacheArgs({ registry: {}, mode: "min" }, arm64), {
            cacheFrom: [{ registry: { ref } }],
            cacheTo: [{ registry: { ref, mode: "min", ignoreError: true, imageManifest: true, ociMediaTypes: true } }],
        });
        assert.deepEqual(cacheArgs({ local: { directory: "cache" }, readOnly: true }, arm64), {
            cacheFrom: [{ local: { src: "cache/linux-arm64" } }],
            cacheTo: [],
        });
        assert.deepEqual(cacheArgs({ inline: {} }, arm64), {
            cacheFrom: [{ registry: { ref: `${repository}:latest` } }],
            cacheTo: [{ inline: {} }],
        });
        assert.deepEqual(cacheArgs(undefined, arm64), { cacheFrom: [], cacheTo: [] });
    });

    it("ignore changed secrets, unless they count", () => {
        assert.deepEqual(ignoredSecrets({ b: "1", a: "2" }, undefined), ["a", "b"]);
        assert.deepEqual(ignoredSecrets({ b: "1" }, { secrets: true }), []);
    });

    it("name platforms as docker-build does", () => {
        assert.equal(toDockerBuildPlatform("linux/aarch64"), "linux/arm64");
        assert.equal(toDockerBuildPlatform("linux/arm/v7"), "linux/arm");
        assert.equal(toDockerBuildPlatform("linux/arm/v6"), undefined);
    });

    it("are tried again after a transient fault, and never after a failing step", () => {
        assert.equal(isTransient("failed to push reg/app: unexpected status: 503 Service Unavailable"), true);
        assert.equal(isTransient("rpc error: code = Unavailable desc = error reading from server: EOF"), true);
        assert.equal(
            isTransient(
                'process "/bin/sh -c echo code = Unavailable; false" did not complete successfully: exit code: 1',
            ),
            false,
        );
        assert.equal(isTransient("dockerfile parse error on line 1: unknown instruction: FRO"), false);
    });
});
