import assert from "node:assert/strict";

import type { BuildReport, NodeArgs } from "../../sdk";
import { nodeOnEc2, startEc2Double, type DoubleInstance, type Ec2Double } from "../support/ec2Double";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import type { Architecture } from "../support/world";

const ids = { amd64: "i-0000000000000000a", arm64: "i-0000000000000000b" } as const;
const architectures = ["amd64", "arm64"] as const;

/**
 * Builders that sleep, with a real engine. EC2 is a double: an instance of it is one of the builders of the world, whose
 * BuildKit starts and stops with it.
 */
describe("builders on EC2", () => {
    const stack = useImageStack();
    let ec2: Ec2Double;

    const instanceOf = (architecture: Architecture): DoubleInstance => {
        const builder = stack.world.builders[architecture];
        return { state: "stopped", privateAddress: builder.host.address, boot: () => builder.start() };
    };
    const nodeOf = (architecture: Architecture): NodeArgs => {
        const target = { instanceId: ids[architecture], region: "eu-central-1" };
        return nodeOnEc2(stack.world.builders[architecture], target);
    };
    const powerOff = async (): Promise<void> => {
        for (const architecture of architectures) {
            await stack.world.builders[architecture].stop();
            ec2.instances.set(ids[architecture], instanceOf(architecture));
        }
    };
    const starts = (): string[] => ec2.asked.splice(0).filter((action) => action.startsWith("StartInstances"));

    before(async () => {
        ec2 = await startEc2Double();
    });
    after(() => ec2.close());
    // Other tests need the builders too.
    afterEach(async () => {
        const asleep = architectures.filter((one) => ec2.instances.get(ids[one])?.state === "stopped");
        await Promise.all(asleep.map((one) => stack.world.builders[one].start()));
    });

    it("are started by a build, and only by a build", async () => {
        Object.assign(stack.stack.workspace.envVars, ec2.env);
        stack.args = { builders: { nodes: architectures.map(nodeOf) } };
        await powerOff();
        writeContext(stack.folder, "one");
        await stack.stack.preview();
        assert.deepEqual(ec2.asked, [], "a preview asks nothing");

        const { outputs } = await stack.up();
        assert.deepEqual(
            [...new Set(starts())].sort(),
            Object.values(ids)
                .map((id) => `StartInstances ${id}`)
                .sort(),
        );
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        for (const architecture of architectures) {
            const { host } = stack.world.builders[architecture];
            const place = `EC2 instance ${ids[architecture]} in eu-central-1 (tcp://${host.address}:1234)`;
            assert.equal(builds[`linux/${architecture}`]?.builder, place);
        }

        await powerOff();
        await stack.up();
        await stack.stack.preview();
        assert.deepEqual(ec2.asked, [], "an up that builds nothing asks nothing");

        writeContext(stack.folder, "two");
        await stack.up();
        assert.equal(new Set(starts()).size, 2, "the next build starts them again");
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        assert.doesNotMatch(stack.output() + JSON.stringify(await stack.stack.exportStack()), /hunter2/);
    });

    it("are started for the engine docker-build too, before it asks for its builder", async () => {
        Object.assign(stack.stack.workspace.envVars, ec2.env);
        stack.args = { builders: { nodes: architectures.map(nodeOf) }, engine: "docker-build" };
        await powerOff();
        ec2.asked.splice(0);
        writeContext(stack.folder, "three");
        await stack.up();
        assert.equal(new Set(starts()).size, 2);
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        await powerOff();
        await stack.up();
        assert.deepEqual(starts(), [], "an up that builds nothing starts nothing");
    });
});
