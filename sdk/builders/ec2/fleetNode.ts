import type { Instance } from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";

import type { Ec2BuilderFleetArgs, Ec2Machine } from "../../ec2FleetArgs";
import type { NodeArgs } from "../../resources/platformImage";
import { SpotRequest } from "../../resources/spotRequest";
import { loadAwsPackage } from "./awsPackage";
import type { FleetAccess } from "./fleetAccess";
import type { FleetContext } from "./fleetNetwork";
import {
    fleetDefaults,
    fleetServerName,
    hostSettingsOf,
    imageParameter,
    instanceTypeOf,
    subnetsOf,
    type FleetInputs,
    type FleetNode,
} from "./fleetSettings";
import { renderUserData } from "./userData";

/** Only an instance of a persistent request can be stopped and started: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/stop-spot-instances.html */
const spotOptions = {
    marketType: "spot",
    spotOptions: { spotInstanceType: "persistent", instanceInterruptionBehavior: "stop" },
};

/** What the machines of a fleet share. */
export interface NodePlace {
    readonly access: FleetAccess;
    readonly securityGroupId: pulumi.Input<string>;
    readonly region: pulumi.Input<string>;
}

/** A builder of the fleet, once it is there. */
export interface CreatedNode {
    readonly node: pulumi.Output<pulumi.Unwrap<NodeArgs>>;
    readonly machine: pulumi.Output<Ec2Machine>;
}

/**
 * One machine: an instance that boots as a builder, and the volume with its cache. The volume is a resource of its own,
 * so that the instance can be replaced without it.
 */
export function createNode(
    { name, parent, tags }: FleetContext,
    fleetNode: FleetNode,
    { access, securityGroupId, region }: NodePlace,
    args: Ec2BuilderFleetArgs,
): CreatedNode {
    const aws = loadAwsPackage();
    const { platform, architecture, suffix, position, market } = fleetNode;
    const { cache, kmsKeyArn, amis, addressKind = "private", cacheOnDestroy, ...settings } = args;
    const subnetId = subnetsOf(args)[position % subnetsOf(args).length] ?? "";
    const { availabilityZone } = aws.ec2.getSubnetOutput({ id: subnetId }, { parent });
    const ownTags = tags.apply((shared): Record<string, string> => ({ ...shared, Name: `${name}-${suffix}` }));
    const key = kmsKeyArn === undefined ? {} : { kmsKeyId: kmsKeyArn };
    const disk = pulumi.output(cache ?? {});

    const volume = new aws.ebs.Volume(
        `${name}-${suffix}-cache`,
        {
            ...{ availabilityZone, type: "gp3", encrypted: true, ...key, tags: ownTags },
            size: disk.apply(({ sizeGiB = fleetDefaults.sizeGiB }) => sizeGiB),
            iops: disk.apply(({ iops }) => iops),
            throughput: disk.apply(({ throughput }) => throughput),
        },
        { parent, retainOnDelete: cacheOnDestroy === "retain" },
    );

    const leased = pulumi
        .all([ownTags, settings.idleMinutes])
        .apply(([own, minutes = fleetDefaults.idleMinutes]): Record<string, string> => ({
            "multiarch:lease": `off after ${minutes} min without a build`,
            ...own,
        }));
    const { port, idleMinutes, deadManHours, mirrors, buildkit, ssmEndpoint, maxParallelism } = settings;
    const userData = pulumi
        .output({
            inputs: { port, idleMinutes, deadManHours, mirrors, buildkit, ssmEndpoint, cache },
            ...{ region, volumeId: volume.id, tlsParameter: access.parameterName },
        })
        .apply(({ inputs, region: where, volumeId, tlsParameter }) => {
            const host = hostSettingsOf(inputs as FleetInputs, architecture);
            return renderUserData({ ...host, region: where, tlsParameter, cache: { ...host.cache, volumeId } });
        });
    const ami = pulumi.output(amis).apply((own): pulumi.Output<string> => {
        const named = own?.[platform];
        return named === undefined ? newestImage(architecture, parent) : pulumi.output(named);
    });
    const instance = new aws.ec2.Instance(
        `${name}-${suffix}`,
        {
            ami,
            instanceType: pulumi.output(settings.instanceTypes).apply((types) => instanceTypeOf(types, fleetNode)),
            subnetId,
            vpcSecurityGroupIds: [securityGroupId],
            associatePublicIpAddress: pulumi.output(addressKind).apply((kind) => kind === "public"),
            iamInstanceProfile: access.profileName,
            userData,
            // A host only reads it when it boots for the first time.
            userDataReplaceOnChange: true,
            metadataOptions: {
                httpEndpoint: "enabled",
                httpTokens: "required",
                // Answers do not reach the network of build steps.
                httpPutResponseHopLimit: 1,
            },
            rootBlockDevice: { encrypted: true, ...key, volumeType: "gp3", deleteOnTermination: true, tags: ownTags },
            // A host that turns itself off can be started again.
            instanceInitiatedShutdownBehavior: "stop",
            ...(market === "spot" ? { instanceMarketOptions: spotOptions } : {}),
            tags: leased,
        },
        {
            parent,
            // The volume has to be free before the next instance gets it: https://github.com/pulumi/pulumi-aws/issues/2769
            deleteBeforeReplace: true,
            // A spot instance keeps the type that was asked for.
            replaceOnChanges: market === "spot" ? ["instanceType"] : [],
            // A stopped instance has no public address, and a new image is no reason to make a builder anew.
            ignoreChanges: ["associatePublicIpAddress", ...(isGiven(amis, platform) ? [] : ["ami"])],
        },
    );
    const request = market === "spot" ? [cancelFirst(`${name}-${suffix}-spot`, instance, region, parent)] : [];
    const attachment = new aws.ec2.VolumeAttachment(
        `${name}-${suffix}-attachment`,
        // Stopped first, so that the file system is closed as it should be.
        { deviceName: "/dev/sdf", instanceId: instance.id, volumeId: volume.id, stopInstanceBeforeDetaching: true },
        { parent, deleteBeforeReplace: true, dependsOn: request },
    );

    // A build that began before the volume is there would wait for it on the host, without a word here.
    const instanceId = pulumi.all([instance.id, attachment.id]).apply(([id]) => id);
    const report = pulumi
        .all([instance.instanceType, settings.hourlyUsd, idleMinutes])
        .apply(([type, prices, minutes = fleetDefaults.idleMinutes]) => {
            const hourlyUsd = prices?.[type];
            return { idleMinutes: minutes, ...(hourlyUsd === undefined ? {} : { hourlyUsd }) };
        });
    const target = { instanceId, region, ...(port === undefined ? {} : { port }), addressKind };
    const standing = market === "fallback" ? { fallback: true } : {};
    const ec2 = pulumi
        .all([pulumi.output(target), report])
        .apply(([where, told]) => ({ ...where, ...told, ...standing }));
    const places = maxParallelism === undefined ? {} : { maxParallelism };
    return {
        node: pulumi.output({ platform, ec2, tls: access.client, serverName: fleetServerName, ...places }),
        machine: pulumi.output({
            ...{ platform, instanceId, volumeId: volume.id, availabilityZone },
            instanceType: instance.instanceType,
        }),
    };
}

/**
 * Goes before the instance, and cancels its request: one that is left asks for another instance. Volumes are detached before
 * both, since EC2 terminates an instance that is stopped when its request is cancelled.
 */
function cancelFirst(
    name: string,
    { spotInstanceRequestId: requestId }: Instance,
    region: pulumi.Input<string>,
    parent: pulumi.Resource,
): SpotRequest {
    return new SpotRequest(name, { requestId, region }, { parent, deleteBeforeReplace: true });
}

/** True where the program names the image. What it has from elsewhere counts as named for every platform. */
function isGiven(amis: Ec2BuilderFleetArgs["amis"], platform: string): boolean {
    return pulumi.Output.isInstance(amis) || amis instanceof Promise || (amis !== undefined && platform in amis);
}

/** The provider marks every parameter as a secret, and which image Amazon offers is none. */
function newestImage(architecture: FleetNode["architecture"], parent: pulumi.Resource): pulumi.Output<string> {
    const found = loadAwsPackage().ssm.getParameterOutput({ name: imageParameter(architecture) }, { parent });
    return pulumi.unsecret(found.value);
}
