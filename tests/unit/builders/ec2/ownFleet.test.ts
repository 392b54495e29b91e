import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { MultiArchImage, type MultiArchImageArgs } from "../../../../sdk";
import { describeProgram, instanceIdOf } from "./fleetMonitor";

const declare = (builders: MultiArchImageArgs["builders"], more: Partial<MultiArchImageArgs> = {}) => {
    return describeProgram((opts) => {
        const args = { platforms: ["linux/amd64", "linux/arm64"], repository: "registry.example.com/app", builders };
        return new MultiArchImage("app", { ...args, ...more }, opts).builds;
    });
};

describe("builders.ec2 of an image", function () {
    // The package of AWS is large.
    this.timeout(60_000);

    it("is a fleet below the image, whose builders every platform is given", async () => {
        const { resources, inputs } = await declare({ ec2: { subnetId: "subnet-0a", maxParallelism: 2 } });
        assert.equal(resources.get("app-builders")?.type, "multiarch:index:Ec2BuilderFleet");
        assert.deepEqual(inputs("app-builders")["platforms"], ["linux/amd64", "linux/arm64"]);
        assert.equal(resources.get("app-linux-arm64")?.secrets.includes("nodes"), true);
        const nodes = inputs("app-linux-arm64")["nodes"] as { property: string; ec2: { instanceId: string } }[];
        assert.deepEqual(
            nodes.map(({ property, ec2 }) => [property, ec2.instanceId]),
            ["amd64", "arm64"].map((one) => ["builders.ec2", instanceIdOf(`app-builders-${one}-0`)]),
        );
    });

    it("has builders only for platforms that no other builder names", async () => {
        const endpoints = [{ platform: "linux/arm64", address: pulumi.output("ssh://host") }];
        const { resources, inputs } = await declare({ endpoints, ec2: { subnetId: "subnet-0a" } });
        assert.deepEqual(inputs("app-builders")["platforms"], ["linux/amd64"]);
        assert.equal(resources.has("app-builders-arm64-0"), false);
        const nodes = inputs("app-linux-arm64")["nodes"] as { property: string }[];
        assert.deepEqual(
            nodes.map(({ property }) => property),
            ["builders.endpoints[0]", "builders.ec2"],
        );
    });

    it("takes the limit of the image where it has none of its own", async () => {
        const limitOf = async (ec2: object): Promise<unknown> => {
            const { inputs } = await declare({ ec2: { subnetId: "subnet-0a", ...ec2 } }, { maxParallelism: 7 });
            const [node] = inputs("app-linux-arm64")["nodes"] as { maxParallelism?: number }[];
            return node?.maxParallelism;
        };
        assert.equal(await limitOf({}), 7);
        assert.equal(await limitOf({ maxParallelism: 2 }), 2);
    });

    it("is refused where it cannot be known which resources there are", async () => {
        const ec2 = pulumi.output({ subnetId: "subnet-0a" }) as unknown as { subnetId: string };
        const refused = /builders\.ec2: must be a plain object while the program runs/;
        await assert.rejects(declare({ ec2 }), refused);
        await assert.rejects(declare(pulumi.output({ ec2: { subnetId: "subnet-0a" } })), refused);
    });
});
