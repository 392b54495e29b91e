import assert from "node:assert/strict";

import type { BuildReport, NodeArgs } from "../../sdk";
import { nodeOnEc2, startEc2Double, type Ec2Double } from "../support/ec2Double";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { startSsmDouble, type SsmDouble } from "../support/ssmDouble";
import type { Architecture } from "../support/world";

const ids = { amd64: "i-0000000000000000d", arm64: "i-0000000000000000e" } as const;
const architectures = ["amd64", "arm64"] as const;

/**
 * Builders without an address, with a real engine: EC2, Session Manager and the SSM agent are doubles, BuildKit and buildx
 * are real, and so is the TLS between them.
 */
describe("builders behind Session Manager", () => {
    const stack = useImageStack();
    let ec2: Ec2Double;
    let ssm: SsmDouble;

    const nodeOf = (architecture: Architecture): NodeArgs => {
        const target = { instanceId: ids[architecture], region: "eu-central-1", addressKind: "ssm" as const };
        return nodeOnEc2(stack.world.builders[architecture], target);
    };

    before(async () => {
        [ec2, ssm] = await Promise.all([startEc2Double(), startSsmDouble()]);
    });
    beforeEach(() => {
        for (const architecture of architectures) {
            ec2.instances.set(ids[architecture], { state: "running" });
            ssm.agents.set(ids[architecture], { host: stack.world.builders[architecture].host.address });
        }
    });
    after(() => Promise.all([ec2.close(), ssm.close()]));

    it("build and push, with nothing of a session in the state or left open", async () => {
        Object.assign(stack.stack.workspace.envVars, ec2.env, ssm.env);
        stack.args = { builders: { nodes: architectures.map(nodeOf) } };
        writeContext(stack.folder, "one");
        await stack.stack.preview();
        assert.deepEqual(ssm.asked, [], "a preview connects to nothing");

        const { outputs } = await stack.up();
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        for (const architecture of architectures) {
            const place = `EC2 instance ${ids[architecture]} in eu-central-1 (through Session Manager)`;
            assert.equal(builds[`linux/${architecture}`]?.builder, place);
        }
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        assert.deepEqual([...new Set(ssm.asked.map(({ port }) => port))], [1234]);
        assert.equal(ssm.countOpen(), 0);
        const shown = stack.output() + JSON.stringify(await stack.stack.exportStack());
        assert.ok(ssm.tokens.every((token) => !shown.includes(token)));

        ssm.asked.length = 0;
        await stack.up();
        assert.deepEqual(ssm.asked, [], "an up that builds nothing connects to nothing");
    });

    it("build for the engine docker-build too", async () => {
        Object.assign(stack.stack.workspace.envVars, ec2.env, ssm.env);
        stack.args = { builders: { nodes: architectures.map(nodeOf) }, engine: "docker-build" };
        ssm.asked.length = 0;
        writeContext(stack.folder, "two");
        await stack.up();
        assert.deepEqual(new Set(ssm.asked.map(({ target }) => target)), new Set(Object.values(ids)));
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        assert.equal(ssm.countOpen(), 0);
    });
});
