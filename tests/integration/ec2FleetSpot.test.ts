import assert from "node:assert/strict";

import * as ec2 from "@aws-sdk/client-ec2";
import type { OutputMap } from "@pulumi/pulumi/automation";

import { Ec2BuilderFleet, type Ec2BuilderFleetArgs, type Ec2Machine } from "../../sdk";
import { startAws, useAccount, type Aws } from "../support/aws";
import { startSpot, type Ec2Spot } from "../support/ec2Spot";
import { createStack, type TestStack } from "../support/stack";
import { getWorld } from "../support/world";

/**
 * A fleet of spot instances. The account is moto, before which stands what it does not have: requests that outlive their
 * instances.
 */
describe("a fleet of spot instances", () => {
    let account: Aws;
    let spot: Ec2Spot;
    let stack: TestStack;
    let args: Ec2BuilderFleetArgs;

    const program = (): Promise<OutputMap> => {
        const { machines, nodes } = new Ec2BuilderFleet("fleet", args);
        return Promise.resolve({ machines, nodes } as unknown as OutputMap);
    };
    const states = async (): Promise<(string | undefined)[]> => {
        const { Reservations = [] } = await account.clients.ec2.send(new ec2.DescribeInstancesCommand({}));
        return Reservations.flatMap(({ Instances = [] }) => Instances).map(({ State }) => State?.Name);
    };
    const alive = async (): Promise<number> => (await states()).filter((state) => state !== "terminated").length;
    const requestStates = (): string[] => [...spot.requests.values()].map(({ state }) => state).sort();

    before(async function () {
        this.timeout(300_000);
        account = await startAws();
        spot = await startSpot(account);
        const { Subnets } = await account.clients.ec2.send(new ec2.DescribeSubnetsCommand({}));
        args = { subnetId: Subnets?.[0]?.SubnetId ?? "", spot: true, platforms: ["linux/arm64"] };
        stack = await createStack(await getWorld(), program);
        useAccount(stack, account, spot.env);
    });
    after(async () => {
        await stack.remove();
        await spot.stop();
        await account.stop();
    });

    it("is spot instances, and one on demand behind them", async () => {
        const { outputs } = await stack.up();
        const machines = outputs["machines"]?.value as Ec2Machine[];
        const nodes = outputs["nodes"]?.value as { ec2: { instanceId: string; fallback?: boolean } }[];
        assert.deepEqual(
            nodes.map(({ ec2: { instanceId, fallback } }) => [instanceId, fallback]),
            machines.map(({ instanceId }, index) => [instanceId, index === 0 ? undefined : true]),
        );
        assert.deepEqual([...spot.requests.keys()], [machines[0]?.instanceId]);
        assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
        await stack.stack.refresh();
        assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
    });

    it("gets another type by another request, after the first one is cancelled", async () => {
        args = { ...args, instanceTypes: { "linux/arm64": ["c7g.xlarge"] } };
        await stack.up();
        assert.deepEqual(requestStates(), ["active", "cancelled"]);
        assert.equal(await alive(), 2);
    });

    it("leaves no request that asks for more, also when its machines are off", async () => {
        const machines = (await stack.stack.outputs())["machines"]?.value as Ec2Machine[];
        const InstanceIds = machines.map(({ instanceId }) => instanceId);
        await account.clients.ec2.send(new ec2.StopInstancesCommand({ InstanceIds }));
        spot.asked.splice(0);
        await stack.stack.destroy();
        const [instanceId = ""] = InstanceIds;
        const own = spot.asked.filter((action) =>
            [instanceId, spot.requests.get(instanceId)?.id].some((id) => {
                return id !== undefined && action.endsWith(` ${id}`);
            }),
        );
        assert.deepEqual(
            own.map((action) => action.split(" ")[0]).filter((action) => action !== "StopInstances"),
            ["DetachVolume", "CancelSpotInstanceRequests", "TerminateInstances"],
        );
        assert.deepEqual(requestStates(), ["cancelled", "cancelled"]);
        assert.equal(await alive(), 0);
        assert.deepEqual((await account.clients.ec2.send(new ec2.DescribeVolumesCommand({}))).Volumes, []);
    });

    it("says what is in the way where a request cannot be cancelled, and keeps the instance", async () => {
        await stack.up();
        spot.refuses = "UnauthorizedOperation";
        const printed = await stack.stack.destroy().then(
            () => assert.fail("it was destroyed"),
            (error: unknown) => String(error),
        );
        assert.match(printed, /the spot request sir-\w+ in eu-central-1 cannot be cancelled: UnauthorizedOperation/);
        assert.ok((await alive()) > 0);
        spot.refuses = undefined;
        await stack.stack.destroy();
        assert.equal(await alive(), 0);
    });
});
