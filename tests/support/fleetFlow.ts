import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { DescribeInstancesCommand, DescribeVolumesCommand, type EC2Client } from "@aws-sdk/client-ec2";
import type { UpResult } from "@pulumi/pulumi/automation";

import type { BuildReport } from "../../sdk";

/** A stack with a fleet and an image on it, in an account: the double of the tests, or a real one. */
export interface FleetSite {
    /** EC2, as the program's stack sees it. */
    readonly ec2: EC2Client;
    /** The value of the tag `multiarch:stack`. */
    readonly stackTag: string;
    /** The program gives `indexDigest` and `builds`. */
    up(): Promise<Pick<UpResult, "outputs" | "summary">>;
    destroy(): Promise<unknown>;
    /** Changes what the image is made of. */
    writeContext(text: string): void;
    /** The platforms of an index that was pushed, by the registry's account. */
    platformsOf(digest: string): Promise<string[]>;
    /** How long machines may take until they are off, in milliseconds. */
    readonly powerOffMs: number;
}

/** An instance of the fleet. */
export interface FleetMachine {
    readonly id: string;
    readonly state: string;
    readonly startedAt: number;
}

const platforms = ["linux/amd64", "linux/arm64"];

/** The instances of the stack that are not terminated. */
export async function listMachines({ ec2, stackTag }: FleetSite): Promise<FleetMachine[]> {
    const Filters = [{ Name: "tag:multiarch:stack", Values: [stackTag] }];
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances)
        .map(({ InstanceId: id = "", State, LaunchTime }) => {
            return { id, state: State?.Name ?? "", startedAt: LaunchTime?.getTime() ?? 0 };
        })
        .filter(({ state }) => state !== "terminated" && state !== "shutting-down")
        .sort((one, other) => one.id.localeCompare(other.id));
}

/** One up makes the fleet and the image: each platform on its own machine, without emulation there. */
export async function buildFromNothing(site: FleetSite): Promise<FleetMachine[]> {
    site.writeContext("one");
    const { outputs } = await site.up();
    const machines = await listMachines(site);
    assert.equal(machines.length, 2);
    const builds = await checkImage(site, outputs);
    for (const { id } of machines) {
        const isUsed = Object.values(builds).some(({ builder }) => builder.startsWith(`EC2 instance ${id} in `));
        assert.ok(isUsed, `${id} built nothing: ${JSON.stringify(builds)}`);
    }
    assert.ok(
        Object.values(builds).every(({ ec2 }) => ec2?.started === false),
        "the fleet has started them, not the build",
    );
    return machines;
}

/** Machines turn themselves off, and an up without a build leaves them so. */
export async function stayOff(site: FleetSite): Promise<void> {
    const begin = performance.now();
    const areOff = async (): Promise<boolean> => (await listMachines(site)).every(({ state }) => state === "stopped");
    while (!(await areOff())) {
        assert.ok(performance.now() - begin < site.powerOffMs, JSON.stringify(await listMachines(site)));
        await sleep(1_000);
    }
    const before = await listMachines(site);
    const { summary } = await site.up();
    assert.deepEqual(Object.keys(summary.resourceChanges ?? {}), ["same"]);
    assert.deepEqual(await listMachines(site), before);
}

/** The next build starts the same machines, and tells so. Gives what each build meant for its machine. */
export async function wakeByBuild(site: FleetSite): Promise<NonNullable<BuildReport["ec2"]>[]> {
    const before = await listMachines(site);
    site.writeContext("two");
    const builds = await checkImage(site, (await site.up()).outputs);
    const after = await listMachines(site);
    assert.deepEqual(
        after.map(({ id }) => id),
        before.map(({ id }) => id),
    );
    const uses = Object.values(builds).flatMap(({ ec2 }) => ec2 ?? []);
    assert.deepEqual(
        uses.map(({ started }) => started),
        [true, true],
    );
    return uses;
}

/** Destroy leaves no machine and no disk. */
export async function leaveNothing(site: FleetSite): Promise<void> {
    await site.destroy();
    assert.deepEqual(await listMachines(site), []);
    const Filters = [{ Name: "tag:multiarch:stack", Values: [site.stackTag] }];
    const { Volumes = [] } = await site.ec2.send(new DescribeVolumesCommand({ Filters }));
    assert.deepEqual(
        Volumes.map(({ VolumeId }) => VolumeId),
        [],
    );
}

async function checkImage(site: FleetSite, outputs: UpResult["outputs"]): Promise<Record<string, BuildReport>> {
    const digest = String(outputs["indexDigest"]?.value);
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual((await site.platformsOf(digest)).sort(), platforms);
    return outputs["builds"]?.value as Record<string, BuildReport>;
}
