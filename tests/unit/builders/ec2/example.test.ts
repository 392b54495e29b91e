import assert from "node:assert/strict";
import { join } from "node:path";

import type * as pulumi from "@pulumi/pulumi";

import { describeProgram } from "./fleetMonitor";

const program = join(__dirname, "..", "..", "..", "..", "examples", "ec2", "index.ts");

describe("the example of builders on EC2", function () {
    // The package of AWS is large.
    this.timeout(60_000);

    it("builds on its fleet and pushes to its own registry, with a token that is nowhere in clear", async () => {
        const { resources, inputs } = await describeProgram(() => {
            // eslint-disable-next-line @typescript-eslint/no-require-imports -- it declares its resources when it is loaded
            return (require(program) as { builds: pulumi.Output<unknown> }).builds;
        });
        for (const platform of ["amd64", "arm64"]) {
            const name = `app-linux-${platform}`;
            const { repository, registries, cache, nodes } = inputs(name);
            assert.equal(repository, "1.dkr.ecr.eu-central-1.amazonaws.com/app");
            assert.deepEqual(cache, { registry: { ref: "1.dkr.ecr.eu-central-1.amazonaws.com/app:app" } });
            const [{ address, username } = {}] = registries as { address?: string; username?: string }[];
            assert.deepEqual([address, username], ["1.dkr.ecr.eu-central-1.amazonaws.com", "AWS"]);
            assert.equal((nodes as unknown[]).length, 2);
            assert.ok(resources.has(`builders-${platform}-0`));
        }
        assert.equal(inputs("builders-in-0")["cidrIpv4"], "10.0.0.0/16");
        assert.equal(inputs("app-index")["repository"], "1.dkr.ecr.eu-central-1.amazonaws.com/app");
    });
});
