import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import type { Ec2BuilderFleetArgs } from "../../../../sdk";
import { describeFleet, instanceIdOf, pem, settle } from "./fleetMonitor";

const subnetId = "subnet-0a";
const amd64Only: Ec2BuilderFleetArgs = { subnetId, platforms: ["linux/amd64"] };

/** What a fleet asks of AWS, with every option. That AWS has no objections is for tests/integration to show. */
describe("Ec2BuilderFleet", function () {
    // The package of AWS is large.
    this.timeout(60_000);

    it("is one instance with a volume for each architecture, and what they share", async () => {
        const { resources } = await describeFleet({ subnetId, allowedCidrs: ["10.0.0.0/8"] });
        const names = [...resources.values()].map(({ type, name }) => `${type.split(":").pop() ?? ""} ${name}`).sort();
        assert.deepEqual(names, [
            "BuilderCertificates fleet-certificates",
            "Ec2BuilderFleet fleet",
            "Instance fleet-amd64-0",
            "Instance fleet-arm64-0",
            "InstanceProfile fleet-profile",
            "Parameter fleet-tls",
            "Role fleet-role",
            "RolePolicy fleet-read-tls",
            "SecurityGroup fleet-group",
            "SecurityGroupEgressRule fleet-out-0",
            "SecurityGroupEgressRule fleet-out-1",
            "SecurityGroupEgressRule fleet-out-2",
            "SecurityGroupEgressRule fleet-out-3",
            "SecurityGroupIngressRule fleet-in-0",
            "Volume fleet-amd64-0-cache",
            "Volume fleet-arm64-0-cache",
            "VolumeAttachment fleet-amd64-0-attachment",
            "VolumeAttachment fleet-arm64-0-attachment",
        ]);
    });

    it("has instances without a public address that ask for their metadata with a token, one hop away", async () => {
        const fleet = await describeFleet({ subnetId });
        const { userData, tags, ...inputs } = fleet.inputs("fleet-arm64-0");
        assert.match(String(userData), /^#cloud-config\n/);
        const shared = {
            ManagedBy: "pulumi-multiarch",
            Name: "fleet-arm64-0",
            "multiarch:fleet": "fleet",
            "multiarch:stack": "organization/project/stack",
        };
        assert.deepEqual(tags, { ...shared, "multiarch:lease": "off after 15 min without a build" });
        assert.deepEqual(inputs, {
            ami: "newest /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            associatePublicIpAddress: false,
            iamInstanceProfile: "fleet-profile",
            instanceInitiatedShutdownBehavior: "stop",
            instanceType: "m7g.xlarge",
            metadataOptions: { httpEndpoint: "enabled", httpPutResponseHopLimit: 1, httpTokens: "required" },
            rootBlockDevice: { encrypted: true, volumeType: "gp3", deleteOnTermination: true, tags: shared },
            subnetId,
            userDataReplaceOnChange: true,
            vpcSecurityGroupIds: ["id of fleet-group"],
        });
        assert.equal(fleet.inputs("fleet-amd64-0")["instanceType"], "m7i.xlarge");
        const { deleteBeforeReplace, ignoreChanges } = fleet.opts("fleet-arm64-0");
        assert.deepEqual([deleteBeforeReplace, ignoreChanges], [true, ["associatePublicIpAddress", "ami"]]);
    });

    it("keeps the cache on an encrypted volume that is not part of the instance", async () => {
        const fleet = await describeFleet(amd64Only);
        const { tags, ...volume } = fleet.inputs("fleet-amd64-0-cache");
        assert.ok(tags);
        assert.deepEqual(volume, {
            ...{ availabilityZone: `zone of ${subnetId}`, encrypted: true, size: 100, type: "gp3" },
        });
        assert.deepEqual(fleet.inputs("fleet-amd64-0-attachment"), {
            deviceName: "/dev/sdf",
            instanceId: instanceIdOf("fleet-amd64-0"),
            stopInstanceBeforeDetaching: true,
            volumeId: (await settle(fleet.fleet.machines))[0]?.volumeId,
        });
        assert.equal(fleet.opts("fleet-amd64-0-cache").retainOnDelete, false);
        assert.deepEqual(await settle(fleet.fleet.keptOnDestroy), []);
    });

    it("lets nobody in by default, and out only to HTTPS and HTTP", async () => {
        const { resources, inputs } = await describeFleet(amd64Only);
        const rules = [...resources.values()].filter(({ type }) => type.includes("Rule"));
        const shown = rules.map(({ name, inputs: { cidrIpv4, cidrIpv6, fromPort, toPort, ipProtocol } }) => {
            return [name, cidrIpv4 ?? cidrIpv6, fromPort, toPort, ipProtocol];
        });
        assert.deepEqual(shown.sort(), [
            ["fleet-out-0", "0.0.0.0/0", 443, 443, "tcp"],
            ["fleet-out-1", "0.0.0.0/0", 80, 80, "tcp"],
            ["fleet-out-2", "::/0", 443, 443, "tcp"],
            ["fleet-out-3", "::/0", 80, 80, "tcp"],
        ]);
        const { vpcId, ingress, egress } = inputs("fleet-group");
        assert.deepEqual([vpcId, ingress, egress], ["vpc-1", undefined, undefined]);
    });

    it("has one rule for each range that is let in, to the port of the daemon", async () => {
        const args = { ...amd64Only, allowedCidrs: ["10.0.0.0/8", pulumi.output("fd00::/8")], port: 5000 };
        const fleet = await describeFleet({ ...args, egress: [{ cidr: "10.1.0.0/16", port: 5001 }] });
        const pick = (name: string) => {
            const { cidrIpv4, cidrIpv6, fromPort, toPort } = fleet.inputs(name);
            return [cidrIpv4, cidrIpv6, fromPort, toPort];
        };
        assert.deepEqual(pick("fleet-in-0"), ["10.0.0.0/8", undefined, 5000, 5000]);
        assert.deepEqual(pick("fleet-in-1"), [undefined, "fd00::/8", 5000, 5000]);
        assert.deepEqual(pick("fleet-out-0"), ["10.1.0.0/16", undefined, 5001, 5001]);
        assert.equal(fleet.resources.has("fleet-out-1"), false);
        assert.match(String(fleet.inputs("fleet-amd64-0")["userData"]), /tcp:\/\/0\.0\.0\.0:5000/);
        const [node] = await settle(fleet.fleet.nodes);
        assert.equal((node?.ec2 as { port?: number }).port, 5000);
    });

    it("has a role that can read the one parameter with its certificates, and do nothing else", async () => {
        const fleet = await describeFleet(amd64Only);
        const statements = (name: string, property: string): unknown => {
            return (JSON.parse(String(fleet.inputs(name)[property])) as { Statement: unknown }).Statement;
        };
        const read = {
            ...{ Effect: "Allow", Action: "ssm:GetParameter" },
            Resource: "arn:aws:ssm:eu-central-1:1:parameter/fleet-tls",
        };
        assert.deepEqual(statements("fleet-read-tls", "policy"), [read]);
        assert.deepEqual(statements("fleet-role", "assumeRolePolicy"), [
            { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ]);
        assert.equal(fleet.inputs("fleet-read-tls")["role"], "fleet-role");
        assert.equal(fleet.inputs("fleet-profile")["role"], "fleet-role");

        const own = await describeFleet({ ...amd64Only, kmsKeyArn: "arn:aws:kms:eu-central-1:1:key/2" });
        const policy = JSON.parse(String(own.inputs("fleet-read-tls")["policy"])) as { Statement: unknown[] };
        const decrypt = { Effect: "Allow", Action: "kms:Decrypt", Resource: "arn:aws:kms:eu-central-1:1:key/2" };
        assert.deepEqual(policy.Statement, [read, decrypt]);
        assert.equal(own.inputs("fleet-tls")["keyId"], "arn:aws:kms:eu-central-1:1:key/2");
        assert.equal(own.inputs("fleet-amd64-0-cache")["kmsKeyId"], "arn:aws:kms:eu-central-1:1:key/2");
        const root = own.inputs("fleet-amd64-0")["rootBlockDevice"] as { kmsKeyId?: string };
        assert.equal(root.kmsKeyId, "arn:aws:kms:eu-central-1:1:key/2");
    });

    it("hands keys on as secrets, and puts none into user data", async () => {
        const fleet = await describeFleet(amd64Only);
        const parameter = fleet.resources.get("fleet-tls");
        assert.deepEqual([parameter?.inputs["type"], parameter?.secrets], ["SecureString", ["value"]]);
        assert.deepEqual(JSON.parse(String(parameter?.inputs["value"])), {
            ...{ ca: pem("CA"), cert: pem("SERVER"), key: pem("SERVER KEY") },
        });
        assert.doesNotMatch(String(fleet.inputs("fleet-amd64-0")["userData"]), /-----BEGIN [A-Z]/);
        assert.equal(await pulumi.isSecret(fleet.fleet.nodes), true);
        const [node] = await settle(fleet.fleet.nodes);
        assert.deepEqual(node, {
            platform: "linux/amd64",
            ec2: {
                instanceId: instanceIdOf("fleet-amd64-0"),
                ...{ region: "eu-central-1", addressKind: "private", idleMinutes: 15 },
            },
            tls: { ca: pem("CA"), cert: pem("CLIENT"), key: pem("CLIENT KEY") },
            serverName: "buildkit.internal",
        });
        assert.deepEqual(fleet.inputs("fleet-certificates")["serverNames"], ["buildkit.internal"]);
    });

    it("takes every option", async () => {
        const fleet = await describeFleet({
            subnetIds: ["subnet-0a", pulumi.output("subnet-0b")],
            platforms: ["linux/arm64"],
            nodesPerPlatform: 3,
            instanceTypes: { "linux/arm64": ["c7g.large", pulumi.output("c6g.large")] },
            hourlyUsd: { "c7g.large": pulumi.output(0.0725) },
            amis: { "linux/arm64": "ami-1" },
            cache: pulumi.output({ sizeGiB: 50, iops: 4_000, throughput: 200 }),
            cacheOnDestroy: "retain",
            addressKind: "public",
            idleMinutes: 5,
            deadManHours: 2,
            maxParallelism: 3,
            mirrors: { "docker.io": ["mirror.example.com"] },
            buildkit: { version: "v9.9.9", sha256: { arm64: "a".repeat(64) }, url: "https://mirror/{version}" },
            ssmEndpoint: "https://ssm.example.com",
            tags: { owner: "team" },
        });
        const machines = [0, 1, 2].map((position) => fleet.inputs(`fleet-arm64-${position}`));
        assert.deepEqual(
            machines.map(({ subnetId: subnet, instanceType, ami }) => [subnet, instanceType, ami]),
            [
                ["subnet-0a", "c7g.large", "ami-1"],
                ["subnet-0b", "c6g.large", "ami-1"],
                ["subnet-0a", "c7g.large", "ami-1"],
            ],
        );
        assert.deepEqual(fleet.opts("fleet-arm64-0").ignoreChanges, ["associatePublicIpAddress"]);
        assert.ok(!fleet.calls.some(({ token }) => token.startsWith("aws:ssm/")), "an image is named");
        assert.equal(machines[0]?.["associatePublicIpAddress"], true);
        const { size, iops, throughput, availabilityZone, tags } = fleet.inputs("fleet-arm64-1-cache");
        assert.deepEqual([size, iops, throughput, availabilityZone], [50, 4_000, 200, "zone of subnet-0b"]);
        assert.equal((tags as Record<string, string>)["owner"], "team");
        const { owner, "multiarch:lease": lease } = machines[1]?.["tags"] as Record<string, string>;
        assert.deepEqual([owner, lease], ["team", "off after 5 min without a build"]);
        assert.equal(fleet.opts("fleet-arm64-1-cache").retainOnDelete, true);
        assert.equal((await settle(fleet.fleet.keptOnDestroy)).length, 3);
        const userData = String(machines[2]?.["userData"]);
        for (const part of [
            ...["IDLE_SECONDS='300'", "DEAD_MAN_SECONDS='7200'", "SSM_ENDPOINT='https://ssm.example.com'"],
            ...["BUILDKIT_URL='https://mirror/v9.9.9'", '[registry."docker.io"]', "TLS_PARAMETER='fleet-tls'"],
        ]) {
            assert.ok(userData.includes(part), part);
        }
        const nodes = await settle(fleet.fleet.nodes);
        assert.deepEqual(
            nodes.map(({ maxParallelism, ec2 }) => [maxParallelism, (ec2 as { addressKind?: string }).addressKind]),
            [3, 3, 3].map((places) => [places, "public"]),
        );
        const prices = nodes.map(({ ec2 }) => ec2 as { idleMinutes?: number; hourlyUsd?: number });
        assert.deepEqual(
            prices.map(({ idleMinutes, hourlyUsd }) => [idleMinutes, hourlyUsd]),
            [0.0725, undefined, 0.0725].map((price) => [5, price]),
        );
    });

    it("is spot instances with one on demand behind each platform where the program says so", async () => {
        const fleet = await describeFleet({ subnetId, spot: true, nodesPerPlatform: 2, platforms: ["linux/arm64"] });
        const ofType = (type: string) => [...fleet.resources.values()].filter((one) => one.type === type);
        const names = ["fleet-arm64-0", "fleet-arm64-1", "fleet-arm64-fallback"];
        const machines = ofType("aws:ec2/instance:Instance");
        assert.deepEqual(machines.map(({ name }) => name).sort(), names);
        const market = {
            marketType: "spot",
            spotOptions: { spotInstanceType: "persistent", instanceInterruptionBehavior: "stop" },
        };
        assert.deepEqual(
            names.map((name) => fleet.inputs(name)["instanceMarketOptions"]),
            [market, market, undefined],
        );
        assert.deepEqual(
            names.map((name) => fleet.opts(name).replaceOnChanges),
            [["instanceType"], ["instanceType"], []],
        );
        const requests = ofType("multiarch:index:SpotRequest");
        assert.deepEqual(requests.map(({ name }) => name).sort(), ["fleet-arm64-0-spot", "fleet-arm64-1-spot"]);
        const nodes = (await settle(fleet.fleet.nodes)) as { ec2: { instanceId: string; fallback?: boolean } }[];
        assert.deepEqual(
            nodes.map(({ ec2 }) => [ec2.instanceId, ec2.fallback]),
            names.map((name) => [instanceIdOf(name), name.endsWith("fallback") ? true : undefined]),
        );
    });
});
