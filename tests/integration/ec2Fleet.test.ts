import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as ec2 from "@aws-sdk/client-ec2";
import { GetRolePolicyCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { DescribeParametersCommand, GetParameterCommand } from "@aws-sdk/client-ssm";
import * as pulumi from "@pulumi/pulumi";
import type { OutputMap } from "@pulumi/pulumi/automation";

import { Ec2BuilderFleet, type Ec2BuilderFleetArgs, type Ec2Machine } from "../../sdk";
import { startAws, useAccount, type Aws } from "../support/aws";
import { createStack, type TestStack } from "../support/stack";
import { getWorld } from "../support/world";

/**
 * A fleet in an account: the engine, the package, the AWS SDK and our own provider are real; the account is moto, and the
 * provider `aws` is the double of the tests. Nothing boots here.
 */
describe("a fleet on EC2", () => {
    let account: Aws;
    let stack: TestStack;
    let subnetId = "";
    let args: Partial<Ec2BuilderFleetArgs> = {};

    const program = (): Promise<OutputMap> => {
        const fleet = new Ec2BuilderFleet("fleet", { subnetId, allowedCidrs: ["10.0.0.0/8"], ...args });
        const { machines, nodes, securityGroupId, keptOnDestroy } = fleet;
        return Promise.resolve({ machines, nodes, securityGroupId, keptOnDestroy } as unknown as OutputMap);
    };
    const machinesNow = async (): Promise<Ec2Machine[]> => {
        return (await stack.stack.outputs())["machines"]?.value as Ec2Machine[];
    };
    const describeInstance = async (id: string): Promise<ec2.Instance | undefined> => {
        const answer = await account.clients.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
        return answer.Reservations?.[0]?.Instances?.[0];
    };
    const describeVolume = async (id: string): Promise<ec2.Volume | undefined> => {
        const { Volumes = [] } = await account.clients.ec2.send(new ec2.DescribeVolumesCommand({}));
        return Volumes.find(({ VolumeId }) => VolumeId === id);
    };
    const userDataOf = async (id: string): Promise<string> => {
        const request = { InstanceId: id, Attribute: "userData" } as const;
        const { UserData } = await account.clients.ec2.send(new ec2.DescribeInstanceAttributeCommand(request));
        return Buffer.from(UserData?.Value ?? "", "base64").toString();
    };
    /** The state as it lies on the disk. An export shows secrets. */
    const readState = (): string => {
        const folder = fileURLToPath(stack.env["PULUMI_BACKEND_URL"] ?? "");
        const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")).join("\n");
    };
    const parameters = async () => {
        const ParameterFilters = [{ Key: "Name", Option: "BeginsWith", Values: ["fleet-tls-"] }];
        const answer = await account.clients.ssm.send(new DescribeParametersCommand({ ParameterFilters }));
        return answer.Parameters ?? [];
    };
    const changesOf = ({ summary }: { summary: { resourceChanges?: object } }): string[] => {
        return Object.keys(summary.resourceChanges ?? {});
    };

    before(async function () {
        this.timeout(300_000);
        account = await startAws();
        const { Subnets } = await account.clients.ec2.send(new ec2.DescribeSubnetsCommand({}));
        subnetId = Subnets?.[0]?.SubnetId ?? "";
        stack = await createStack(await getWorld(), program);
        useAccount(stack, account);
    });
    after(async () => {
        await stack.remove();
        await account.stop();
    });

    it("is there after one up: machines, disks, firewall, and keys that only the machines can read", async () => {
        await stack.up();
        const machines = await machinesNow();
        assert.deepEqual(
            machines.map(({ platform, instanceType }) => `${platform} ${instanceType}`),
            ["linux/amd64 m7i.xlarge", "linux/arm64 m7g.xlarge"],
        );
        const { securityGroupId } = await stack.stack.outputs();
        const [parameter] = await parameters();
        assert.equal(parameter?.Type, "SecureString");
        for (const { instanceId, volumeId, availabilityZone } of machines) {
            const instance = await describeInstance(instanceId);
            assert.equal(instance?.State?.Name, "running");
            const { HttpTokens, HttpPutResponseHopLimit } = instance.MetadataOptions ?? {};
            assert.deepEqual([HttpTokens, HttpPutResponseHopLimit], ["required", 1]);
            assert.deepEqual(
                instance.NetworkInterfaces?.[0]?.Groups?.map(({ GroupId }) => GroupId),
                [securityGroupId?.value],
            );
            assert.match(instance.IamInstanceProfile?.Arn ?? "", /\/fleet-profile-/);
            const volume = await describeVolume(volumeId);
            const { Size, VolumeType, Encrypted, Attachments, AvailabilityZone } = volume ?? {};
            assert.deepEqual([Size, VolumeType, Encrypted, AvailabilityZone], [100, "gp3", true, availabilityZone]);
            assert.equal(Attachments?.[0]?.InstanceId, instanceId);
            const userData = await userDataOf(instanceId);
            assert.match(userData, /^#cloud-config\n/);
            assert.ok(userData.includes(`TLS_PARAMETER='${parameter.Name ?? ""}'`));
            assert.ok(userData.includes(volumeId.replace("-", "")), "the volume is known on the machine");
        }
        const request = { Filters: [{ Name: "group-id", Values: [String(securityGroupId?.value)] }] };
        const rules = await account.clients.ec2.send(new ec2.DescribeSecurityGroupRulesCommand(request));
        const shown = (rules.SecurityGroupRules ?? []).map(({ IsEgress, CidrIpv4, CidrIpv6, FromPort, ToPort }) => {
            return `${IsEgress === true ? "out" : "in"} ${CidrIpv4 ?? CidrIpv6 ?? ""} ${FromPort ?? 0}-${ToPort ?? 0}`;
        });
        assert.deepEqual(shown.sort(), [
            ...["in 10.0.0.0/8 1234-1234", "out 0.0.0.0/0 443-443", "out 0.0.0.0/0 80-80"],
            ...["out ::/0 443-443", "out ::/0 80-80"],
        ]);
    });

    it("keeps its keys in the parameter and, encrypted, in the state", async () => {
        const Name = (await parameters())[0]?.Name;
        const read = await account.clients.ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
        const { key, cert } = JSON.parse(read.Parameter?.Value ?? "{}") as { key: string; cert: string };
        assert.match(cert, /^-----BEGIN CERTIFICATE-----/);
        const line = key.split("\n")[1] ?? "";
        assert.ok(line.length > 20);
        const state = readState();
        assert.match(state, /aws:ssm\/parameter:Parameter/);
        const [{ instanceId } = { instanceId: "" }] = await machinesNow();
        for (const text of [state, stack.output(), await userDataOf(instanceId)]) {
            assert.equal(text.includes(line), false);
            assert.doesNotMatch(text, /-----BEGIN (EC )?PRIVATE KEY/);
        }
        const { nodes } = await stack.stack.outputs();
        assert.equal(nodes?.secret, true);

        const { Roles = [] } = await account.clients.iam.send(new ListRolesCommand({}));
        const RoleName = Roles.find((role) => role.RoleName?.startsWith("fleet-role-"))?.RoleName;
        const { resources } = (await stack.stack.exportStack()).deployment as {
            resources: { type: string; outputs?: { name?: string } }[];
        };
        const PolicyName = resources.find(({ type }) => type === "aws:iam/rolePolicy:RolePolicy")?.outputs?.name;
        const policy = await account.clients.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
        const { Statement } = JSON.parse(decodeURIComponent(policy.PolicyDocument ?? "")) as { Statement: object[] };
        const Resource = `arn:aws:ssm:eu-central-1:123456789012:parameter/${Name ?? ""}`;
        assert.deepEqual(Statement, [{ Effect: "Allow", Action: "ssm:GetParameter", Resource }]);
    });

    it("has nothing to change afterwards, also when its machines have turned themselves off", async () => {
        assert.deepEqual(changesOf(await stack.up()), ["same"]);
        const InstanceIds = (await machinesNow()).map(({ instanceId }) => instanceId);
        await account.clients.ec2.send(new ec2.StopInstancesCommand({ InstanceIds }));
        await ec2.waitUntilInstanceStopped({ client: account.clients.ec2, maxWaitTime: 60 }, { InstanceIds });
        const refreshed = await stack.stack.refresh();
        assert.ok(!changesOf(refreshed).some((kind) => kind !== "same" && kind !== "update"), "nothing is lost");
        assert.deepEqual(changesOf(await stack.up()), ["same"]);
        assert.equal((await describeInstance(InstanceIds[0] ?? ""))?.State?.Name, "stopped", "nothing is woken");
    });

    it("replaces a machine whose settings change, and keeps its cache", async () => {
        const before = await machinesNow();
        args = { idleMinutes: 5 };
        await stack.up();
        const after = await machinesNow();
        for (const [index, old] of before.entries()) {
            const now = after[index];
            assert.notEqual(now?.instanceId, old.instanceId);
            assert.equal(now?.volumeId, old.volumeId);
            assert.equal((await describeInstance(old.instanceId))?.State?.Name, "terminated");
            const volume = await describeVolume(old.volumeId);
            assert.equal(volume?.Attachments?.[0]?.InstanceId, now.instanceId);
            assert.match(await userDataOf(now.instanceId), /IDLE_SECONDS='300'/);
        }
        assert.deepEqual(changesOf(await stack.up()), ["same"]);
    });

    it("is refused with everything that is wrong, also with what only becomes known later, before it costs", async () => {
        args = { idleMinutes: 0, cache: { sizeGiB: 1 }, allowedCidrs: ["everybody"] };
        const before = await machinesNow();
        const printed = await stack.upFails();
        for (const part of ["allowedCidrs[0]: is not a range", "idleMinutes: has to be", "cache.sizeGiB: has to be"]) {
            assert.ok(printed.includes(part), printed);
        }
        args = { idleMinutes: pulumi.output(Promise.resolve(0)) };
        assert.match(await stack.upFails(), /Ec2BuilderFleet fleet has wrong inputs.*\n +idleMinutes: has to be/);
        assert.deepEqual(await machinesNow(), before);
        args = {};
    });

    it("leaves what policy keeps when it is destroyed, and says what that is", async () => {
        args = { platforms: ["linux/amd64"], cacheOnDestroy: "retain" };
        await stack.up();
        const [machine] = await machinesNow();
        const kept = (await stack.stack.outputs())["keptOnDestroy"]?.value as string[];
        assert.deepEqual(kept, [machine?.volumeId]);
        let printed = "";
        await stack.stack.destroy({ onOutput: (text) => void (printed += text) });
        assert.match(printed, /fleet-amd64-0-cache.*retain/);
        const volume = await describeVolume(kept[0] ?? "");
        assert.equal(volume?.State, "available");
        const { Volumes = [] } = await account.clients.ec2.send(new ec2.DescribeVolumesCommand({}));
        assert.deepEqual(
            Volumes.map(({ VolumeId }) => VolumeId),
            kept,
            "and no other volume",
        );
        await account.clients.ec2.send(new ec2.DeleteVolumeCommand({ VolumeId: kept[0] }));
    });

    it("leaves nothing when it is destroyed", async () => {
        args = {};
        await stack.up();
        assert.deepEqual((await stack.stack.outputs())["keptOnDestroy"]?.value, []);
        await stack.stack.destroy();
        const { ec2: client, iam } = account.clients;
        const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({}));
        const states = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ State }) => State?.Name));
        assert.deepEqual([...new Set(states)], ["terminated"]);
        assert.deepEqual((await client.send(new ec2.DescribeVolumesCommand({}))).Volumes, []);
        const { SecurityGroups = [] } = await client.send(new ec2.DescribeSecurityGroupsCommand({}));
        assert.ok(!SecurityGroups.some(({ GroupName }) => GroupName?.startsWith("fleet-")));
        const { Roles = [] } = await iam.send(new ListRolesCommand({}));
        assert.ok(!Roles.some(({ RoleName }) => RoleName?.startsWith("fleet-")));
        assert.deepEqual(await parameters(), []);
    });
});
