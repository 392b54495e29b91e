import assert from "node:assert/strict";

import { isCalled, listNodes } from "../../../sdk/builders/listNodes";

describe("the builders of an image", () => {
    const platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
    const endpoint = { platform: "linux/arm64", address: "tcp://arm64:1234", insecure: true };

    it("serve what no other builder names, where they name no platform themselves", () => {
        const nodes = listNodes(
            { endpoints: [endpoint], docker: [{ context: "here" }], named: [{ name: "team" }] },
            platforms,
        );
        assert.deepEqual(nodes, [
            { ...endpoint, property: "builders.endpoints[0]" },
            { platform: "linux/amd64", docker: { context: "here" }, property: "builders.docker[0]" },
            { platform: "linux/s390x", docker: { context: "here" }, property: "builders.docker[0]" },
            { platform: "linux/amd64", named: "team", property: "builders.named[0]" },
            { platform: "linux/s390x", named: "team", property: "builders.named[0]" },
        ]);
    });

    it("serve what they name, however it is spelt, of all kinds in order", () => {
        const docker = [{ platforms: ["linux/x86_64"] }, {}];
        const named = [{ name: "team", platforms: ["linux/amd64", "linux/arm64"] }];
        const nodes = listNodes({ docker, named }, platforms);
        assert.deepEqual(
            nodes.map(({ platform, property }) => `${platform} ${property ?? ""}`),
            [
                "linux/x86_64 builders.docker[0]",
                "linux/s390x builders.docker[1]",
                "linux/amd64 builders.named[0]",
                "linux/arm64 builders.named[0]",
            ],
        );
    });

    it("run as many builds at once as they say, else as the image says", () => {
        const builders = {
            endpoints: [endpoint, { ...endpoint, maxParallelism: 2 }],
            docker: [{ maxParallelism: 3 }],
            named: [{ name: "team", maxParallelism: 1 }],
        };
        const parallelism = (own?: number): unknown[] => {
            return listNodes(builders, ["linux/amd64"], own).map(({ maxParallelism, docker }) => [
                maxParallelism,
                docker,
            ]);
        };
        assert.deepEqual(parallelism(7), [
            [7, undefined],
            [2, undefined],
            [3, {}],
            [1, undefined],
        ]);
        assert.deepEqual(
            listNodes(builders, ["linux/amd64"]).map((node) => "maxParallelism" in node),
            [false, true, true, true],
        );
    });

    it("are called by address, name or context", () => {
        assert.equal(isCalled("tcp://arm64:1234", endpoint), true);
        assert.equal(isCalled("team", { named: "team" }), true);
        assert.equal(isCalled("here", { docker: { context: "here" } }), true);
        assert.equal(isCalled("there", { docker: { context: "here" } }), false);
    });
});
