import * as pulumi from "@pulumi/pulumi";

import { loadAwsPackage } from "./builders/ec2/awsPackage";
import { createAccess } from "./builders/ec2/fleetAccess";
import { createSecurityGroup } from "./builders/ec2/fleetNetwork";
import { createNode } from "./builders/ec2/fleetNode";
import { listFleetNodes, subnetsOf } from "./builders/ec2/fleetSettings";
import { connectDockerBuild, type DockerBuildConnection, type DockerBuildFleet } from "./builders/fleet";
import type { Ec2BuilderFleetArgs, Ec2Machine } from "./ec2FleetArgs";
import type { NodeArgs } from "./resources/platformImage";
import { assertFleetInputs, assertKnownFleetInputs } from "./validation/ec2BuilderFleet";

/**
 * Native builders on EC2 in the user's own account: for each platform one or more instances that boot as BuildKit with
 * mutual TLS, each with a volume for its cache. They turn themselves off when nothing is built, and a build starts them
 * again.
 *
 * Children: `<name>-certificates`, the parameter `<name>-tls` with those of the builders, `<name>-role` with its policy
 * `<name>-read-tls` and `<name>-profile`, the security group `<name>-group` with its rules `<name>-in-<position>` and
 * `<name>-out-<position>`, and for each builder `<name>-<architecture>-<position>`, its volume with `-cache` and its
 * attachment with `-attachment` behind.
 */
export class Ec2BuilderFleet extends pulumi.ComponentResource implements DockerBuildFleet {
    /**
     * The builders, as `builders.nodes` of an image takes them, in this stack or by a stack reference in another one. They
     * hold the key of a client.
     * @secret
     */
    declare public readonly nodes: pulumi.Output<NodeArgs[]>;

    /** The machines, for other tools: alarms, budgets, an inventory. */
    declare public readonly machines: pulumi.Output<Ec2Machine[]>;

    /** The security group of the builders, for rules of one's own. */
    declare public readonly securityGroupId: pulumi.Output<string>;

    /** The volumes that stay in the account when the fleet is destroyed. */
    declare public readonly keptOnDestroy: pulumi.Output<string[]>;

    /**
     * Declares the fleet.
     *
     * @param name The name of the resource, with which those of all others begin.
     * @param args Where the builders are, who may use them, and how large they are.
     * @param opts Options of the resource. `providers` of AWS are passed on to its children.
     * @throws InputPropertiesError with everything that is wrong with `args`, by property path.
     */
    constructor(
        private readonly fleetName: string,
        args: Ec2BuilderFleetArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        assertKnownFleetInputs(fleetName, args);
        super("multiarch:index:Ec2BuilderFleet", fleetName, { ...args }, opts);

        const aws = loadAwsPackage();
        const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
        // What becomes known later is checked before there is anything that costs.
        const checked = assertFleetInputs(fleetName, args);
        const tags = checked.apply(({ tags: own }): Record<string, string> => ({
            ManagedBy: "pulumi-multiarch",
            "multiarch:fleet": fleetName,
            "multiarch:stack": stack,
            ...own,
        }));
        const context = { name: fleetName, parent: this, tags };
        const subnet = aws.ec2.getSubnetOutput({ id: subnetsOf(args)[0] ?? "" }, { parent: this });
        const region = aws.getRegionOutput({}, { parent: this }).region;
        const group = createSecurityGroup(context, subnet.vpcId, args);
        const place = { access: createAccess(context, args), securityGroupId: group.id, region };
        const created = listFleetNodes(args).map((node) => createNode(context, node, place, args));

        this.nodes = pulumi.secret(pulumi.all(created.map(({ node }) => node)));
        this.machines = pulumi.all(created.map(({ machine }) => machine));
        this.securityGroupId = group.id;
        this.keptOnDestroy = this.machines.apply((machines) => {
            return args.cacheOnDestroy === "retain" ? machines.map(({ volumeId }) => volumeId) : [];
        });
        const { nodes, machines, securityGroupId, keptOnDestroy } = this;
        this.registerOutputs({ nodes, machines, securityGroupId, keptOnDestroy });
    }

    public forDockerBuild(platform: string): DockerBuildConnection {
        return connectDockerBuild({ name: this.fleetName, nodes: this.nodes }, platform);
    }
}
