import assert from "node:assert/strict";

import type { OutputMap } from "@pulumi/pulumi/automation";
import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";

import { MultiArchImage } from "../../sdk";
import { startAws, useAccount, type Aws } from "../support/aws";
import { startMachines, type Ec2Machines } from "../support/ec2Machines";
import { serveRelease, type ServedRelease } from "../support/ec2Release";
import { buildFromNothing, leaveNothing, stayOff, wakeByBuild, type FleetSite } from "../support/fleetFlow";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

const platforms = ["linux/amd64", "linux/arm64"];

/**
 * From nothing to an image in one up: a program with `builders.ec2` and no other builder. Engine, `@pulumi/aws`, AWS SDK, our
 * provider, BuildKit and registry are real; so are user data, systemd and cloud-init on the hosts, and the AWS CLI there.
 * The account is moto, with hosts in namespaces behind it; the provider `aws` is the double of the tests; both hosts run
 * on this machine's kernel, so the one for the other architecture is emulated.
 */
describe("an image in an account with nothing in it", function () {
    this.timeout(300_000);

    let world: World;
    let account: Aws | undefined;
    let machines: Ec2Machines | undefined;
    let release: ServedRelease | undefined;
    let stack: TestStack | undefined;
    let ec2Client: EC2Client | undefined;
    let site: FleetSite | undefined;
    let repository = "";

    const get = <T>(value: T | undefined): T => value ?? assert.fail("it was not started");

    before(async () => {
        world = await getWorld();
        account = await startAws();
        machines = await startMachines(world, account);
        release = await serveRelease(world);
        repository = world.newRepository();
        const { Subnets } = await account.clients.ec2.send(new DescribeSubnetsCommand({}));
        const { version, sha256, url } = release;
        const ec2 = {
            subnetId: Subnets?.[0]?.SubnetId ?? "",
            allowedCidrs: ["10.0.0.0/8"],
            idleMinutes: 0.5,
            hourlyUsd: { "m7i.xlarge": 36, "m7g.xlarge": 36 },
            cache: { sizeGiB: 10 },
            buildkit: { version, sha256: { ...sha256 }, ...(url === undefined ? {} : { url }) },
            ssmEndpoint: machines.url,
            ...(world.mirror === undefined ? {} : { mirrors: { "docker.io": [world.mirror] } }),
        };
        stack = await createStack(world, () => {
            const image = new MultiArchImage("app", { ...imageArgs(world, repository), platforms, builders: { ec2 } });
            const { indexDigest, builds } = image;
            return Promise.resolve({ indexDigest, builds } as unknown as OutputMap);
        });
        useAccount(stack, account, machines.env);
        const { folder } = stack;
        const view = viewRegistry(world);
        site = {
            ec2: (ec2Client = new EC2Client({ ...account.client, endpoint: machines.url })),
            stackTag: `organization/${stack.project}/test`,
            up: () => get(stack).up(),
            destroy: () => get(stack).stack.destroy(),
            writeContext: (text) => writeContext(folder, text),
            platformsOf: async (digest) => (await view.inspect(`${repository}@${digest}`, folder)).platforms,
            powerOffMs: 120_000,
        };
    });
    afterEach(async function () {
        // What a host has to say is gone with it.
        if (this.currentTest?.state === "failed") {
            for (const [id, host] of machines?.hosts ?? []) {
                console.log(`${id}:\n${(await host.logs()).split("\n").slice(-80).join("\n")}`);
            }
        }
    });
    after(async () => {
        ec2Client?.destroy();
        await stack?.remove();
        await machines?.remove();
        release?.remove();
        await account?.stop();
    });

    const actions = (): string[] => get(machines).asked.splice(0);
    const startsIn = (asked: readonly string[]): string[] =>
        [...new Set(asked.filter((action) => action.startsWith("StartInstances")))].sort();

    it("is built by one up on machines that it has made, and that booted from its user data", async () => {
        const built = await buildFromNothing(get(site));
        assert.deepEqual(built.map(({ id }) => id).sort(), [...get(machines).hosts.keys()].sort());
        assert.equal(actions().filter((action) => action.startsWith("RunInstances")).length, 2);
    });

    it("costs nothing while nothing is built: the machines turn themselves off, and no up without a build wakes them", async () => {
        await stayOff(get(site));
        assert.deepEqual(startsIn(actions()), []);
        assert.ok([...get(machines).hosts.values()].every((host) => !host.isRunning()));
    });

    it("is built again by machines that the build has started, with the cache they had", async () => {
        const uses = await wakeByBuild(get(site));
        assert.deepEqual(
            startsIn(actions()),
            [...get(machines).hosts.keys()].map((id) => `StartInstances ${id}`).sort(),
        );
        assert.match(get(stack).output(), /waiting for (the machine|BuildKit) of EC2 instance/);
        for (const { awakeSeconds, estimatedUsd = 0 } of uses) {
            assert.ok(awakeSeconds > 30 && awakeSeconds < 180, `${awakeSeconds} s with 30 s of idle time`);
            // The price is a dollar for 100 seconds.
            assert.ok(Math.abs(estimatedUsd - awakeSeconds / 100) < 0.001, `${estimatedUsd} USD`);
        }
        for (const host of get(machines).hosts.values()) {
            assert.equal((await host.logs()).match(/formatting/g)?.length, 1, "the cache was made once");
        }
    });

    it("leaves no machine and no disk behind when it is destroyed, and its images where they are", async () => {
        await leaveNothing(get(site));
        assert.equal(get(machines).hosts.size, 0);
        assert.equal((await viewRegistry(world).tags(repository)).includes("latest"), true);
    });
});
