import * as ec2 from "@aws-sdk/client-ec2";

import { fromTags, must, orGone, tagNew, type AwsType, type Clients, type Properties } from "./resource";
import { retag } from "./tags";

interface MetadataOptions {
    httpTokens?: "required" | "optional";
    httpEndpoint?: "enabled" | "disabled";
    httpPutResponseHopLimit?: number;
}

interface MarketOptions {
    marketType?: ec2.MarketType;
    spotOptions?: {
        spotInstanceType?: ec2.SpotInstanceType;
        instanceInterruptionBehavior?: ec2.InstanceInterruptionBehavior;
    };
}

/** The instance, unless it is terminated. */
export async function describeInstance(id: string, clients: Clients): Promise<ec2.Instance | undefined> {
    const answer = await orGone(
        clients.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] })),
        "InvalidInstanceID.NotFound",
    );
    const found = answer?.Reservations?.[0]?.Instances?.[0];
    return found?.State?.Name === "terminated" ? undefined : found;
}

async function readInstance(id: string, clients: Clients): Promise<Properties | undefined> {
    const found = await describeInstance(id, clients);
    if (found === undefined) {
        return undefined;
    }
    // moto gives the groups of a network interface only there.
    const groups = (found.NetworkInterfaces?.[0]?.Groups ?? found.SecurityGroups ?? []).map(
        ({ GroupId }) => GroupId ?? "",
    );
    return {
        ami: found.ImageId,
        instanceType: found.InstanceType,
        subnetId: found.SubnetId,
        availabilityZone: found.Placement?.AvailabilityZone,
        vpcSecurityGroupIds: groups,
        iamInstanceProfile: found.IamInstanceProfile?.Arn?.split("/").pop(),
        privateIp: found.PrivateIpAddress,
        publicIp: found.PublicIpAddress ?? "",
        spotInstanceRequestId: found.SpotInstanceRequestId ?? "",
        instanceState: found.State?.Name,
        tags: fromTags(found.Tags),
    };
}

/** What upstream can change in an instance, and this double cannot. */
const fixed = [
    ...["iamInstanceProfile", "instanceInitiatedShutdownBehavior", "metadataOptions", "rootBlockDevice", "userData"],
    ...["userDataReplaceOnChange", "vpcSecurityGroupIds"],
];

interface RootDisk {
    deleteOnTermination?: boolean;
    encrypted?: boolean;
    kmsKeyId?: string;
    volumeType?: ec2.VolumeType;
}

/** The root disk as the program wants it. What it does not say is as the machine image has it, which upstream looks up too. */
async function rootDisk(inputs: Properties, clients: Clients): Promise<Partial<ec2.RunInstancesCommandInput>> {
    const disk = inputs["rootBlockDevice"] as RootDisk | undefined;
    if (disk === undefined) {
        return {};
    }
    const { Images } = await clients.ec2.send(new ec2.DescribeImagesCommand({ ImageIds: [inputs["ami"] as string] }));
    const { RootDeviceName: DeviceName, BlockDeviceMappings = [] } = must(Images?.[0], "machine image");
    const VolumeSize = BlockDeviceMappings.find((one) => one.DeviceName === DeviceName)?.Ebs?.VolumeSize;
    const { deleteOnTermination, encrypted, kmsKeyId, volumeType } = disk;
    const Ebs = {
        ...{ DeleteOnTermination: deleteOnTermination, Encrypted: encrypted, KmsKeyId: kmsKeyId },
        ...{ VolumeSize, VolumeType: volumeType },
    };
    return { BlockDeviceMappings: [{ DeviceName, Ebs }] };
}

/** Only a network interface can be told about public addresses. */
function connect(inputs: Properties): Partial<ec2.RunInstancesCommandInput> {
    const SubnetId = inputs["subnetId"] as string | undefined;
    const groups = inputs["vpcSecurityGroupIds"] as string[] | undefined;
    const AssociatePublicIpAddress = inputs["associatePublicIpAddress"] as boolean | undefined;
    return AssociatePublicIpAddress === undefined
        ? { SubnetId, SecurityGroupIds: groups }
        : { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, Groups: groups, AssociatePublicIpAddress }] };
}

/** How its states are waited for. */
export const stopWait = { maxWaitTime: 60, minDelay: 1, maxDelay: 2 };

/** aws:ec2/instance:Instance. As upstream, another size is a stop, a change and a start, and no replacement. */
export const instance: AwsType = {
    inputs: {
        ami: "replace",
        associatePublicIpAddress: "replace",
        availabilityZone: "replace",
        iamInstanceProfile: "update",
        instanceInitiatedShutdownBehavior: "update",
        instanceMarketOptions: "replace",
        instanceType: "update",
        metadataOptions: "update",
        rootBlockDevice: "update",
        subnetId: "replace",
        tags: "update",
        userData: (news) => (news["userDataReplaceOnChange"] === true ? "replace" : "update"),
        userDataReplaceOnChange: "update",
        vpcSecurityGroupIds: "update",
    },
    members: {
        instanceMarketOptions: ["marketType", "spotOptions"],
        metadataOptions: ["httpEndpoint", "httpPutResponseHopLimit", "httpTokens"],
        rootBlockDevice: ["deleteOnTermination", "encrypted", "kmsKeyId", "tags", "volumeType"],
    },
    async create(inputs, clients) {
        const metadata = inputs["metadataOptions"] as MetadataOptions | undefined;
        const profile = inputs["iamInstanceProfile"] as string | undefined;
        const zone = inputs["availabilityZone"] as string | undefined;
        const userData = inputs["userData"] as string | undefined;
        const market = inputs["instanceMarketOptions"] as MarketOptions | undefined;
        const answer = await clients.ec2.send(
            new ec2.RunInstancesCommand({
                MinCount: 1,
                MaxCount: 1,
                ImageId: inputs["ami"] as string,
                InstanceType: inputs["instanceType"] as ec2._InstanceType,
                ...connect(inputs),
                ...(await rootDisk(inputs, clients)),
                InstanceInitiatedShutdownBehavior: inputs["instanceInitiatedShutdownBehavior"] as
                    ec2.ShutdownBehavior | undefined,
                ...(zone === undefined ? {} : { Placement: { AvailabilityZone: zone } }),
                ...(profile === undefined ? {} : { IamInstanceProfile: { Name: profile } }),
                ...(userData === undefined ? {} : { UserData: Buffer.from(userData).toString("base64") }),
                ...(metadata === undefined
                    ? {}
                    : {
                          MetadataOptions: {
                              HttpTokens: metadata.httpTokens,
                              HttpEndpoint: metadata.httpEndpoint,
                              HttpPutResponseHopLimit: metadata.httpPutResponseHopLimit,
                          },
                      }),
                ...(market === undefined
                    ? {}
                    : {
                          InstanceMarketOptions: {
                              MarketType: market.marketType,
                              SpotOptions: {
                                  SpotInstanceType: market.spotOptions?.spotInstanceType,
                                  InstanceInterruptionBehavior: market.spotOptions?.instanceInterruptionBehavior,
                              },
                          },
                      }),
                ...tagNew("instance", inputs["tags"]),
            }),
        );
        const id = must(answer.Instances?.[0]?.InstanceId, "instance");
        await ec2.waitUntilInstanceRunning({ client: clients.ec2, ...stopWait }, { InstanceIds: [id] });
        return { id, outputs: (await readInstance(id, clients)) ?? {} };
    },
    read: (id, _, clients) => readInstance(id, clients),
    async update(id, inputs, olds, clients) {
        for (const name of fixed) {
            if (JSON.stringify(inputs[name]) !== JSON.stringify(olds[name])) {
                throw new Error(`the double has no update of ${name}, which upstream has`);
            }
        }
        const type = inputs["instanceType"] as string;
        if (type !== olds["instanceType"]) {
            const InstanceIds = [id];
            await clients.ec2.send(new ec2.StopInstancesCommand({ InstanceIds }));
            await ec2.waitUntilInstanceStopped({ client: clients.ec2, ...stopWait }, { InstanceIds });
            await clients.ec2.send(
                new ec2.ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType: { Value: type } }),
            );
            await clients.ec2.send(new ec2.StartInstancesCommand({ InstanceIds }));
            await ec2.waitUntilInstanceRunning({ client: clients.ec2, ...stopWait }, { InstanceIds });
        }
        await retag(id, inputs, olds, clients);
    },
    async delete(id, _, clients) {
        const InstanceIds = [id];
        await clients.ec2.send(new ec2.TerminateInstancesCommand({ InstanceIds }));
        await ec2.waitUntilInstanceTerminated({ client: clients.ec2, ...stopWait }, { InstanceIds });
    },
};
