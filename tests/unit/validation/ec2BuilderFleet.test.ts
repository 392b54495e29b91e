import assert from "node:assert/strict";

import { Ec2BuilderFleet } from "../../../sdk";
import { findFleetProblems } from "../../../sdk/validation/ec2BuilderFleet";

const subnetId = "subnet-0a";

describe("the inputs of an Ec2BuilderFleet", () => {
    it("are named by every one that is wrong, at once", () => {
        const wrong = {
            subnetIds: ["vpc-1"],
            platforms: ["linux/amd64", "linux/s390x", "linux/amd64"],
            nodesPerPlatform: 0,
            allowedCidrs: ["10.0.0.0", "10.0.0.0/33"],
            instanceTypes: { "linux/amd64": [], "linux/386": ["a"] },
            amis: { "linux/amd64": "debian" },
            hourlyUsd: { "m7i.xlarge": -1, "m7g.xlarge": 0 },
            egress: [{ cidr: "x", port: 0 }],
            idleMinutes: 0,
            deadManHours: 200_000,
            cache: { sizeGiB: 5, iops: 1, throughput: 1 },
            maxParallelism: 0,
            port: 70_000,
            buildkit: { version: "9", sha256: {} },
            ssmEndpoint: "ssm",
            market: "spot",
        };
        const found = new Set(findFleetProblems(wrong).map(({ property }) => property));
        assert.deepEqual([...found].sort(), [
            "allowedCidrs[0]",
            "allowedCidrs[1]",
            'amis["linux/amd64"]',
            "buildkit.sha256.amd64",
            "buildkit.sha256.s390x",
            "buildkit.version",
            "cache.iops",
            "cache.sizeGiB",
            "cache.throughput",
            "deadManHours",
            "egress[0].cidr",
            "egress[0].port",
            'hourlyUsd["m7i.xlarge"]',
            "idleMinutes",
            'instanceTypes["linux/386"]',
            'instanceTypes["linux/amd64"]',
            "market",
            "maxParallelism",
            "nodesPerPlatform",
            "platforms[1]",
            "platforms[2]",
            "port",
            "ssmEndpoint",
            "subnetIds[0]",
        ]);
        assert.deepEqual(findFleetProblems({}), [
            { property: "subnetId", reason: "is required, or subnetIds in its place: exactly one of them" },
        ]);
        assert.deepEqual(findFleetProblems({ subnetId: "subnet-0a" }), []);
    });

    it("are refused by an error that names fleet and property", () => {
        const text = [
            "^Error: multiarch:index:Ec2BuilderFleet fleet has wrong inputs \\[input-invalid\\]",
            "idleMinutes: has to be a number of minutes above 0",
            "next: ",
        ].join("\n  ");
        assert.throws(() => new Ec2BuilderFleet("fleet", { subnetId, idleMinutes: -1 }), new RegExp(text));
    });
});
