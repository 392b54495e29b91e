import * as ec2 from "@aws-sdk/client-ec2";

import { fromTags, must, orGone, tagNew, toTags, type AwsType, type Clients, type Properties } from "./resource";

interface MetadataOptions {
    httpTokens?: "required" | "optional";
    httpEndpoint?: "enabled" | "disabled";
    httpPutResponseHopLimit?: number;
}

async function describe(id: string, clients: Clients): Promise<ec2.Instance | undefined> {
    const answer = await orGone(
        clients.ec2.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] })),
        "InvalidInstanceID.NotFound",
    );
    const found = answer?.Reservations?.[0]?.Instances?.[0];
    return found?.State?.Name === "terminated" ? undefined : found;
}

async function readInstance(id: string, clients: Clients): Promise<Properties | undefined> {
    const found = await describe(id, clients);
    if (found === undefined) {
        return undefined;
    }
    const groups = (found.SecurityGroups ?? []).map(({ GroupId }) => GroupId ?? "");
    return {
        ami: found.ImageId,
        instanceType: found.InstanceType,
        subnetId: found.SubnetId,
        availabilityZone: found.Placement?.AvailabilityZone,
        vpcSecurityGroupIds: groups,
        iamInstanceProfile: found.IamInstanceProfile?.Arn?.split("/").pop(),
        privateIp: found.PrivateIpAddress,
        publicIp: found.PublicIpAddress ?? "",
        instanceState: found.State?.Name,
        tags: fromTags(found.Tags),
    };
}

const stopWait = { maxWaitTime: 60, minDelay: 1, maxDelay: 2 };

/** aws:ec2/instance:Instance. As upstream, another size is a stop, a change and a start, and no replacement. */
export const instance: AwsType = {
    inputs: {
        ami: "replace",
        availabilityZone: "replace",
        iamInstanceProfile: "update",
        instanceType: "update",
        metadataOptions: "update",
        subnetId: "replace",
        tags: "update",
        userData: "update",
        vpcSecurityGroupIds: "update",
    },
    async create(inputs, clients) {
        const metadata = inputs["metadataOptions"] as MetadataOptions | undefined;
        const profile = inputs["iamInstanceProfile"] as string | undefined;
        const zone = inputs["availabilityZone"] as string | undefined;
        const userData = inputs["userData"] as string | undefined;
        const answer = await clients.ec2.send(
            new ec2.RunInstancesCommand({
                MinCount: 1,
                MaxCount: 1,
                ImageId: inputs["ami"] as string,
                InstanceType: inputs["instanceType"] as ec2._InstanceType,
                SubnetId: inputs["subnetId"] as string | undefined,
                SecurityGroupIds: inputs["vpcSecurityGroupIds"] as string[] | undefined,
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
                ...tagNew("instance", inputs["tags"]),
            }),
        );
        const id = must(answer.Instances?.[0]?.InstanceId, "instance");
        await ec2.waitUntilInstanceRunning({ client: clients.ec2, ...stopWait }, { InstanceIds: [id] });
        return { id, outputs: (await readInstance(id, clients)) ?? {} };
    },
    read: (id, _, clients) => readInstance(id, clients),
    async update(id, inputs, olds, clients) {
        for (const name of ["iamInstanceProfile", "metadataOptions", "userData", "vpcSecurityGroupIds"]) {
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

/** aws:ebs/volume:Volume */
export const volume: AwsType = {
    inputs: {
        availabilityZone: "replace",
        encrypted: "replace",
        iops: "update",
        kmsKeyId: "replace",
        size: "update",
        snapshotId: "replace",
        tags: "update",
        throughput: "update",
        type: "update",
    },
    async create(inputs, clients) {
        const answer = await clients.ec2.send(
            new ec2.CreateVolumeCommand({
                AvailabilityZone: inputs["availabilityZone"] as string,
                Encrypted: inputs["encrypted"] as boolean | undefined,
                Iops: inputs["iops"] as number | undefined,
                KmsKeyId: inputs["kmsKeyId"] as string | undefined,
                Size: inputs["size"] as number | undefined,
                SnapshotId: inputs["snapshotId"] as string | undefined,
                Throughput: inputs["throughput"] as number | undefined,
                VolumeType: inputs["type"] as ec2.VolumeType | undefined,
                ...tagNew("volume", inputs["tags"]),
            }),
        );
        const id = must(answer.VolumeId, "volume");
        return { id, outputs: (await readVolume(id, clients)) ?? {} };
    },
    read: (id, _, clients) => readVolume(id, clients),
    async update(id, inputs, olds, clients) {
        await clients.ec2.send(
            new ec2.ModifyVolumeCommand({
                VolumeId: id,
                Size: inputs["size"] as number | undefined,
                Iops: inputs["iops"] as number | undefined,
                Throughput: inputs["throughput"] as number | undefined,
                VolumeType: inputs["type"] as ec2.VolumeType | undefined,
            }),
        );
        await retag(id, inputs, olds, clients);
    },
    async delete(id, _, clients) {
        await clients.ec2.send(new ec2.DeleteVolumeCommand({ VolumeId: id }));
    },
};

async function readVolume(id: string, clients: Clients): Promise<Properties | undefined> {
    const answer = await orGone(
        clients.ec2.send(new ec2.DescribeVolumesCommand({ VolumeIds: [id] })),
        "InvalidVolume.NotFound",
    );
    const found = answer?.Volumes?.[0];
    if (found === undefined) {
        return undefined;
    }
    const { AvailabilityZone: availabilityZone, Encrypted: encrypted, Size: size, VolumeType: type } = found;
    return { availabilityZone, encrypted, size, type, tags: fromTags(found.Tags) };
}

/** aws:ec2/volumeAttachment:VolumeAttachment */
export const volumeAttachment: AwsType = {
    inputs: {
        deviceName: "replace",
        instanceId: "replace",
        volumeId: "replace",
        forceDetach: "update",
        skipDestroy: "update",
        stopInstanceBeforeDetaching: "update",
    },
    async create(inputs, clients) {
        const [instanceId, volumeId] = [inputs["instanceId"] as string, inputs["volumeId"] as string];
        const Device = inputs["deviceName"] as string;
        await clients.ec2.send(new ec2.AttachVolumeCommand({ Device, InstanceId: instanceId, VolumeId: volumeId }));
        return { id: `vai-${volumeId}-${instanceId}`, outputs: inputs };
    },
    async read(_, outputs, clients) {
        const VolumeIds = [outputs["volumeId"] as string];
        const answer = await orGone(
            clients.ec2.send(new ec2.DescribeVolumesCommand({ VolumeIds })),
            "InvalidVolume.NotFound",
        );
        const attachments = answer?.Volumes?.[0]?.Attachments ?? [];
        return attachments.some(({ InstanceId }) => InstanceId === outputs["instanceId"]) ? outputs : undefined;
    },
    // What may change only tells how it is taken away.
    update: () => Promise.resolve(),
    async delete(_, outputs, clients) {
        const [instanceId, volumeId] = [outputs["instanceId"] as string, outputs["volumeId"] as string];
        if (outputs["skipDestroy"] === true) {
            return;
        }
        if (outputs["stopInstanceBeforeDetaching"] === true && (await describe(instanceId, clients)) !== undefined) {
            const InstanceIds = [instanceId];
            await clients.ec2.send(new ec2.StopInstancesCommand({ InstanceIds }));
            await ec2.waitUntilInstanceStopped({ client: clients.ec2, ...stopWait }, { InstanceIds });
        }
        await clients.ec2.send(new ec2.DetachVolumeCommand({ InstanceId: instanceId, VolumeId: volumeId }));
    },
};

async function retag(id: string, inputs: Properties, olds: Properties, clients: Clients): Promise<void> {
    const [before, now] = [toTags(olds["tags"]), toTags(inputs["tags"])];
    const gone = before.filter(({ Key }) => !now.some((tag) => tag.Key === Key));
    if (gone.length > 0) {
        await clients.ec2.send(new ec2.DeleteTagsCommand({ Resources: [id], Tags: gone }));
    }
    if (now.length > 0) {
        await clients.ec2.send(new ec2.CreateTagsCommand({ Resources: [id], Tags: now }));
    }
}
