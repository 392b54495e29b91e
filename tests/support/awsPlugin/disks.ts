import * as ec2 from "@aws-sdk/client-ec2";

import { describeInstance, stopWait } from "./compute";
import { fromTags, must, orGone, tagNew, type AwsType, type Clients, type Properties } from "./resource";
import { retag } from "./tags";

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
        if (
            outputs["stopInstanceBeforeDetaching"] === true &&
            (await describeInstance(instanceId, clients)) !== undefined
        ) {
            const InstanceIds = [instanceId];
            await clients.ec2.send(new ec2.StopInstancesCommand({ InstanceIds }));
            await ec2.waitUntilInstanceStopped({ client: clients.ec2, ...stopWait }, { InstanceIds });
        }
        await clients.ec2.send(new ec2.DetachVolumeCommand({ InstanceId: instanceId, VolumeId: volumeId }));
    },
};
