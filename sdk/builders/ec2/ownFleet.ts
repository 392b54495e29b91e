import * as pulumi from "@pulumi/pulumi";

import type { BuildersArgs } from "../../args";
import { Ec2BuilderFleet } from "../../ec2BuilderFleet";
import type { NodeArgs } from "../../resources/platformImage";
import { maskOutputs } from "../../validation/assert";
import { platformsOfFleet } from "../listNodes";

/**
 * The builders of the fleet that an image brings along, where it does: `builders.ec2`. `maxParallelism` is for a fleet that
 * does not say it itself, as for all other builders of the image.
 */
export function createOwnFleet(
    name: string,
    builders: pulumi.Input<BuildersArgs>,
    platforms: readonly string[],
    maxParallelism: pulumi.Input<number> | undefined,
    parent: pulumi.Resource,
): pulumi.Output<pulumi.Unwrap<NodeArgs>[]> {
    if (pulumi.Output.isInstance(builders) || builders instanceof Promise || builders.ec2 === undefined) {
        return pulumi.output([]);
    }
    const served = platformsOfFleet(maskOutputs(builders) as object, platforms);
    const places = maxParallelism === undefined ? {} : { maxParallelism };
    const args = { ...places, ...builders.ec2, platforms: served };
    const fleet = new Ec2BuilderFleet(`${name}-builders`, args, { parent });
    return pulumi.output(fleet.nodes).apply((nodes) => nodes.map((node) => ({ ...node, property: "builders.ec2" })));
}
