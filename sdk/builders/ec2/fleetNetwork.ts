import type { SecurityGroup } from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";

import type { Ec2BuilderFleetArgs } from "../../ec2FleetArgs";
import { loadAwsPackage } from "./awsPackage";
import { fleetDefaults } from "./fleetSettings";

/** What all resources of a fleet have in common. */
export interface FleetContext {
    /** The name of the fleet, with which all names begin. */
    readonly name: string;
    readonly parent: pulumi.Resource;
    readonly tags: pulumi.Output<Record<string, string>>;
}

/**
 * The firewall around the builders. It lets in who is listed, to one port; and out to where builds have to reach. There
 * is one rule for each range, so that a change of one leaves the others alone.
 */
export function createSecurityGroup(
    { name, parent, tags }: FleetContext,
    vpcId: pulumi.Input<string>,
    { allowedCidrs = [], egress = [...fleetDefaults.egress], port = fleetDefaults.port }: Ec2BuilderFleetArgs,
): SecurityGroup {
    const aws = loadAwsPackage();
    const description = `BuildKit builders ${name} of pulumi-multiarch`;
    const group = new aws.ec2.SecurityGroup(`${name}-group`, { vpcId, description, tags }, { parent });
    const common = { securityGroupId: group.id, ipProtocol: "tcp", tags };
    allowedCidrs.forEach((cidr, index) => {
        new aws.vpc.SecurityGroupIngressRule(
            `${name}-in-${index}`,
            { ...common, ...rangeOf(cidr), fromPort: port, toPort: port, description: "builds" },
            { parent },
        );
    });
    egress.forEach(({ cidr, port: to }, index) => {
        new aws.vpc.SecurityGroupEgressRule(
            `${name}-out-${index}`,
            { ...common, ...rangeOf(cidr), fromPort: to, toPort: to, description: "what builds fetch and push" },
            { parent },
        );
    });
    return group;
}

/** A range in the property for its version of IP. */
function rangeOf(cidr: pulumi.Input<string>) {
    const known = pulumi.output(cidr);
    return {
        cidrIpv4: known.apply((range) => (range.includes(":") ? undefined : range)),
        cidrIpv6: known.apply((range) => (range.includes(":") ? range : undefined)),
    };
}
