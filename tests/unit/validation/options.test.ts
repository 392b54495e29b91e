import assert from "node:assert/strict";

import { findComponentProblems } from "../../../sdk/validation/component";
import { findPlatformImageProblems } from "../../../sdk/validation/platformImage";

const base = {
    platforms: ["linux/amd64", "linux/arm64"],
    repository: "registry.example.com/team/app",
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: "unix:///run/amd64.sock" },
            { platform: "linux/arm64", address: "unix:///run/arm64.sock" },
        ],
    },
};

const wrong: [title: string, inputs: Record<string, unknown>, property: string][] = [
    ["a label without a name", { labels: { "": "x" } }, 'labels[""]'],
    ["a label with a space", { labels: { "a b": "x" } }, 'labels["a b"]'],
    ["an annotation with an equals sign", { annotations: { index: { "a=b": "x" } } }, 'annotations.index["a=b"]'],
    ["an unknown level of annotations", { annotations: { layer: { a: "x" } } }, "annotations.layer"],
    ["a network that is none of the three", { network: "bridge" }, "network"],
    ["a host without an address", { addHosts: ["db:10.0.0.7", "db"] }, "addHosts[1]"],
    ["two agents of one id", { ssh: [{ id: "default" }, { id: "default" }] }, "ssh[1].id"],
    ["an id with a comma", { ssh: [{ id: "a,b" }] }, "ssh[0].id"],
    ["a path with a comma", { ssh: [{ id: "a", paths: ["x,y"] }] }, "ssh[0].paths[0]"],
    ["a secret in two places", { secretFiles: { npm: "a" }, secrets: { npm: "b" } }, "secretFiles.npm"],
    ["a secret file with a comma in its id", { secretFiles: { "a,b": "a" } }, 'secretFiles["a,b"]'],
    ["a limit that does not exist", { ulimits: [{ name: "files", soft: 1 }] }, "ulimits[0].name"],
    [
        "a limit twice",
        {
            ulimits: [
                { name: "core", soft: 1 },
                { name: "core", soft: 2 },
            ],
        },
        "ulimits[1].name",
    ],
    ["a soft limit above the hard one", { ulimits: [{ name: "core", soft: 2, hard: 1 }] }, "ulimits[0].hard"],
    ["a size without a number", { shmSize: "big" }, "shmSize"],
    ["an empty control group", { cgroupParent: "" }, "cgroupParent"],
    ["an empty entitlement", { allow: [""] }, "allow[0]"],
    ["an empty stage", { noCacheFilters: ["test", ""] }, "noCacheFilters[1]"],
    ["a time before 1970", { sourceDateEpoch: -1 }, "sourceDateEpoch"],
    ["half a second", { sourceDateEpoch: 1.5 }, "sourceDateEpoch"],
    ["two times", { sourceDateEpoch: 1, buildArgs: { SOURCE_DATE_EPOCH: "2" } }, "buildArgs.SOURCE_DATE_EPOCH"],
    ["an unknown compression", { compression: "xz" }, "compression"],
    ["a level gzip does not have", { compressionLevel: 12 }, "compressionLevel"],
    ["a level of nothing", { compression: "uncompressed", compressionLevel: 1 }, "compressionLevel"],
    [
        "an override of a platform that is not built",
        { platformOverrides: { "linux/riscv64": {} } },
        'platformOverrides["linux/riscv64"]',
    ],
    ["an override of no platform", { platformOverrides: { arm: {} } }, "platformOverrides.arm"],
    [
        "a platform in two spellings",
        { platformOverrides: { "linux/arm64": {}, "linux/arm64/v8": {} } },
        'platformOverrides["linux/arm64/v8"]',
    ],
    [
        "the builder of another platform",
        { platformOverrides: { "linux/arm64": { builder: "unix:///run/amd64.sock" } } },
        'platformOverrides["linux/arm64"].builder',
    ],
    [
        "an override with a wrong name",
        { platformOverrides: { "linux/arm64": { dockerfile: "x" } } },
        'platformOverrides["linux/arm64"].dockerfile',
    ],
];

describe("the checks of build options", () => {
    for (const [title, inputs, property] of wrong) {
        it(`find ${title}`, () => {
            const problems = findComponentProblems({ ...base, ...inputs });
            assert.deepEqual(
                problems.map((problem) => problem.property),
                [property],
                JSON.stringify(problems),
            );
        });
    }

    it("take all that is right, on a component and on one image", () => {
        const options = {
            labels: { "org.opencontainers.image.source": "https://example.com/a=b" },
            network: "none",
            addHosts: ["db:10.0.0.7", "six=[::1]"],
            ssh: [{ id: "default" }, { id: "git", paths: ["~/.ssh/id"], key: "PEM" }],
            secretFiles: { npmrc: ".npmrc" },
            noCacheFilters: ["test"],
            ulimits: [{ name: "nofile", soft: 1024, hard: -1 }],
            shmSize: "1.5 GiB",
            cgroupParent: "/builds",
            resources: { memory: "2g" },
            allow: ["network.host"],
            sourceDateEpoch: 0,
            compression: "zstd",
            compressionLevel: 22,
        };
        const overrides = {
            platformOverrides: {
                "linux/arm64/v8": { builder: "unix:///run/arm64.sock", buildArgs: { A: "1" }, target: "small" },
            },
        };
        const annotations = { index: { a: "x" }, manifest: { b: "y" }, manifestDescriptor: { c: "z" } };
        assert.deepEqual(findComponentProblems({ ...base, ...options, ...overrides, annotations, push: false }), []);
        const image = { platform: "linux/amd64", repository: base.repository, nodes: base.builders.endpoints };
        assert.deepEqual(findPlatformImageProblems({ ...image, ...options, annotations: { b: "y" } }), []);
    });
});
