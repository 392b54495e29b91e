import assert from "node:assert/strict";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { describeProgram } from "./fleetMonitor";

const program = join(__dirname, "..", "..", "..", "..", "examples", "eks", "index.ts");

describe("the example of an image in a cluster", function () {
    // The packages of AWS and Kubernetes are large.
    this.timeout(60_000);

    it("runs by digest what its fleet has built, on nodes of both architectures that may only pull", async () => {
        const { resources, inputs } = await describeProgram(() => {
            // eslint-disable-next-line @typescript-eslint/no-require-imports -- it declares its resources when it is loaded
            const { ref, deploymentName } = require(program) as Record<string, pulumi.Output<string>>;
            return pulumi.all([ref, deploymentName]);
        });
        for (const [architecture, amiType] of [
            ["amd64", "AL2023_x86_64_STANDARD"],
            ["arm64", "AL2023_ARM_64_STANDARD"],
        ] as const) {
            assert.ok(resources.has(`app-builders-${architecture}-0`), "a builder");
            assert.equal((inputs(`app-linux-${architecture}`)["nodes"] as unknown[]).length, 2);
            const group = inputs(architecture);
            assert.deepEqual([group["clusterName"], group["amiType"]], ["cluster-1", amiType]);
        }

        const { spec } = inputs("hello") as {
            spec: { template: { spec: { containers: { image: string }[] } } };
        };
        const images = spec.template.spec.containers.map(({ image }) => image);
        assert.deepEqual(images, ["1.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:0a"]);

        const config = String(inputs("eks")["kubeconfig"]);
        const { users } = JSON.parse(config) as { users: { user: { exec: { args: string[] } } }[] };
        const token = ["eks", "get-token", "--region", "eu-central-1", "--cluster-name", "cluster-1"];
        assert.deepEqual(
            users.map(({ user }) => user.exec.args),
            [token],
        );
        assert.doesNotMatch(config, /hunter2|token"?:/);

        const policies = [...resources.values()]
            .filter(({ name, type }) => name.startsWith("node-role-") && type.endsWith(":RolePolicyAttachment"))
            .map(({ inputs: { policyArn } }) => String(policyArn).split("/").pop());
        assert.deepEqual(policies, [
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonEC2ContainerRegistryPullOnly",
        ]);
    });
});
