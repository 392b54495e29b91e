import assert from "node:assert/strict";

import type { Properties } from "../../../sdk/resources/values";
import { checkEngine } from "../../../sdk/validation/engine";

const check = (inputs: Properties): string[] => {
    return checkEngine({ engine: "docker-build", ...inputs }).map(({ property }) => property);
};

describe("the engine of a MultiArchImage", () => {
    it("is refused nothing when it is buildx", () => {
        assert.deepEqual(checkEngine({ engine: "buildx", shmSize: "1g" }), []);
        assert.deepEqual(checkEngine({ shmSize: "1g" }), []);
    });

    it("is refused what docker-build has not, each by its place", () => {
        const inputs = {
            platforms: ["linux/amd64", "linux/arm/v6", "linux/arm/v7"],
            attestations: { provenance: "min" },
            contentTags: true,
            contentHash: "x",
            baseImages: "track",
            invalidation: { secrets: true, extra: "week 7", ignoreBuildArgs: ["A"] },
            ssh: [{ id: "a" }, { id: "b", key: "K" }],
            secretFiles: { npmrc: "./npmrc" },
            ulimits: [{ name: "nofile", soft: 1 }],
            shmSize: "1g",
            cgroupParent: "x",
            resources: { memory: "1g" },
            allow: ["network.host"],
            noCacheFilters: ["a"],
            cache: { s3: {}, mode: "max", registry: { ref: "x", compression: "zstd" } },
            builders: { docker: {}, ec2: {}, nodes: [{ ec2: {} }, { named: "x" }] },
            annotations: { manifest: { "org.example.A": "x" }, index: { "org.example.A": "x" } },
            platformOverrides: { "linux/amd64": { annotations: { B: "x" } } },
            somethingNew: 1,
        };
        assert.deepEqual(check(inputs).sort(), [
            "allow",
            'annotations.manifest["org.example.A"]',
            "attestations",
            "baseImages",
            "builders.docker",
            "builders.nodes[1].named",
            "cache.registry.compression",
            "cache.s3",
            "cgroupParent",
            "contentHash",
            "contentTags",
            "invalidation.extra",
            "invalidation.ignoreBuildArgs",
            "noCacheFilters",
            'platformOverrides["linux/amd64"].annotations["B"]',
            "platforms[1]",
            "resources",
            "secretFiles",
            "shmSize",
            "somethingNew",
            "ssh[1].key",
            "ulimits",
        ]);
    });

    it("takes what it has, and what asks for nothing", () => {
        const nothing = { attestations: { provenance: "none", sbom: false }, contentTags: false, baseImages: "ignore" };
        const known = {
            platforms: ["linux/arm64"],
            ssh: [{ id: "a", paths: ["k"] }],
            cache: { registry: {} },
            pull: true,
        };
        assert.deepEqual(check({ ...nothing, ...known, allow: [], builders: { endpoints: [] } }), []);
    });

    it("says what to do", () => {
        const [problem] = checkEngine({ engine: "docker-build", shmSize: "1g" });
        assert.equal(problem?.reason, "the engine docker-build has no shmSize; leave it out, or use engine: buildx");
    });
});
