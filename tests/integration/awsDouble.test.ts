import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as ec2 from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand } from "@aws-sdk/client-iam";
import { DeleteParameterCommand, GetParameterCommand } from "@aws-sdk/client-ssm";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

import { startAws, useAccount, type Aws } from "../support/aws";
import { createStack, type TestStack } from "../support/stack";
import { getWorld } from "../support/world";

const policy = (actions: string[]): string =>
    JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
    });
const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/**
 * The double of AWS that programs with `@pulumi/aws` run against: the engine, the package and the AWS SDK are real, the
 * account is moto, and the provider between them is ours. What is shown here is that the double can be trusted.
 */
describe("the double of AWS", () => {
    let account: Aws;
    let stack: TestStack;
    let instanceType = "t3.large";
    let port = 1234;
    let extra: Partial<aws.ebs.VolumeArgs> = {};

    const program = async () => {
        const image = await aws.ssm.getParameter({
            name: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        });
        const role = new aws.iam.Role("role", { name: "builder", assumeRolePolicy: trust });
        new aws.iam.RolePolicy("policy", { name: "read", role: role.name, policy: policy(["ssm:GetParameter"]) });
        const profile = new aws.iam.InstanceProfile("profile", { name: "builder", role: role.name });
        const group = new aws.ec2.SecurityGroup("group", { name: "builder", description: "A builder." });
        new aws.vpc.SecurityGroupIngressRule(
            "in",
            { securityGroupId: group.id, ipProtocol: "tcp", fromPort: port, toPort: port, cidrIpv4: "10.1.0.0/16" },
            { replaceOnChanges: ["fromPort", "toPort"] },
        );
        const key = new aws.ssm.Parameter("key", {
            name: "/builder/key",
            type: "SecureString",
            value: pulumi.secret("hunter2"),
        });
        const instance = new aws.ec2.Instance("instance", {
            ami: image.value,
            instanceType,
            availabilityZone: "eu-central-1a",
            iamInstanceProfile: profile.name,
            vpcSecurityGroupIds: [group.id],
            userData: "#cloud-config\n",
            metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
            tags: { owner: "tests" },
        });
        const volume = new aws.ebs.Volume("volume", {
            availabilityZone: "eu-central-1a",
            size: 50,
            type: "gp3",
            encrypted: true,
            ...extra,
        });
        new aws.ec2.VolumeAttachment("attachment", {
            deviceName: "/dev/sdf",
            instanceId: instance.id,
            volumeId: volume.id,
        });
        return { instance: instance.id, volume: volume.id, group: group.id, key: key.id };
    };
    const outputs = async (): Promise<Record<string, string>> =>
        Object.fromEntries(
            Object.entries(await stack.stack.outputs()).map(([name, { value }]) => [name, String(value)]),
        );
    /** The state as it lies on the disk. An export shows secrets. */
    const readState = (): string => {
        const folder = fileURLToPath(stack.env["PULUMI_BACKEND_URL"] ?? "");
        const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const text = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")).join("\n");
        assert.match(text, /aws:ssm\/parameter:Parameter/);
        return text;
    };
    const describeInstance = async (id: string): Promise<ec2.Instance | undefined> => {
        const answer = await account.clients.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
        return answer.Reservations?.[0]?.Instances?.[0];
    };

    before(async function () {
        this.timeout(300_000);
        account = await startAws();
        stack = await createStack(await getWorld(), program);
        useAccount(stack, account);
    });
    after(async () => {
        await stack.remove();
        await account.stop();
    });

    it("has what a program asks for, as it asks for it", async () => {
        await stack.up();
        const { instance: id = "", volume = "", group = "" } = await outputs();
        const instance = await describeInstance(id);
        assert.equal(instance?.State?.Name, "running");
        assert.equal(instance.InstanceType, "t3.large");
        assert.deepEqual(instance.Tags, [{ Key: "owner", Value: "tests" }]);
        assert.equal(instance.SecurityGroups?.[0]?.GroupId, group);
        const { Volumes } = await account.clients.ec2.send(new ec2.DescribeVolumesCommand({ VolumeIds: [volume] }));
        const [{ Size, VolumeType, Encrypted, Attachments } = {}] = Volumes ?? [];
        assert.deepEqual([Size, VolumeType, Encrypted, Attachments?.[0]?.InstanceId], [50, "gp3", true, id]);
        const rules = await account.clients.ec2.send(
            new ec2.DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [group] }] }),
        );
        const found = rules.SecurityGroupRules?.map((rule) => [rule.IsEgress, rule.FromPort, rule.CidrIpv4]);
        assert.deepEqual(found, [[false, 1234, "10.1.0.0/16"]], "and nothing goes out that no rule lets out");
        const profile = await account.clients.iam.send(
            new GetInstanceProfileCommand({ InstanceProfileName: "builder" }),
        );
        assert.equal(profile.InstanceProfile?.Roles?.[0]?.RoleName, "builder");
        assert.doesNotMatch(stack.output() + readState(), /hunter2/);
    });

    it("finds nothing to change afterwards, also when it is looked at anew", async () => {
        const refreshed = await stack.stack.refresh();
        assert.deepEqual(Object.keys(refreshed.summary.resourceChanges ?? {}), ["same"]);
        const { summary } = await stack.up();
        assert.deepEqual(Object.keys(summary.resourceChanges ?? {}), ["same"]);
    });

    it("changes the size of an instance where it is, and replaces what can only be replaced", async () => {
        const before = await outputs();
        [instanceType, port] = ["t3.xlarge", 1235];
        const { summary } = await stack.up();
        const after = await outputs();
        assert.deepEqual(after, before, "the instance, its volume and its group are the same");
        assert.equal((await describeInstance(after["instance"] ?? ""))?.InstanceType, "t3.xlarge");
        const { update, replace } = summary.resourceChanges ?? {};
        assert.deepEqual([update, replace], [1, 1]);
    });

    it("notices what is gone, and makes it again", async () => {
        await account.clients.ssm.send(new DeleteParameterCommand({ Name: "/builder/key" }));
        const { summary } = await stack.stack.refresh();
        assert.equal(summary.resourceChanges?.delete, 1);
        await stack.up();
        const request = new GetParameterCommand({ Name: "/builder/key", WithDecryption: true });
        assert.equal((await account.clients.ssm.send(request)).Parameter?.Value, "hunter2");
    });

    it("refuses an input that it does not know", async () => {
        extra = { multiAttachEnabled: true };
        assert.match(await stack.upFails(), /the double does not know multiAttachEnabled/);
        extra = {};
    });

    it("has nothing left when the stack is destroyed", async () => {
        const { instance = "", volume = "", group = "" } = await outputs();
        await stack.stack.destroy();
        assert.equal((await describeInstance(instance))?.State?.Name, "terminated");
        const { ec2: client } = account.clients;
        const volumes = await client.send(new ec2.DescribeVolumesCommand({}));
        assert.ok(!volumes.Volumes?.some(({ VolumeId }) => VolumeId === volume));
        const groups = await client.send(new ec2.DescribeSecurityGroupsCommand({}));
        assert.ok(!groups.SecurityGroups?.some(({ GroupId }) => GroupId === group));
    });
});
