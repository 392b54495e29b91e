import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "./args";
import type { PlatformOverrideArgs } from "./buildOptions";
import { isCalled } from "./builders/listNodes";
import { formatPlatform, parsePlatform } from "./platform";
import type { NodeArgs, PlatformImageArgs } from "./resources/platformImage";

type Overrides = pulumi.Unwrap<MultiArchImageArgs["platformOverrides"]>;
type Override = pulumi.Unwrap<PlatformOverrideArgs>;
type Nodes = readonly pulumi.Unwrap<NodeArgs>[];

/** Inputs of all platforms that single ones can have otherwise. */
export type OverridableArgs = Pick<MultiArchImageArgs, "buildArgs" | "target" | "labels" | "annotations">;

/** The inputs of one platform's image: those of all platforms, with what `platformOverrides` says of this one. */
export function applyOverrides(
    platform: string,
    overrides: MultiArchImageArgs["platformOverrides"],
    shared: OverridableArgs,
    nodes: pulumi.Output<pulumi.Unwrap<NodeArgs>[]>,
): Pick<PlatformImageArgs, "nodes" | "buildArgs" | "target" | "labels" | "annotations"> {
    const { annotations, ...others } = shared;
    const manifest = annotations && pulumi.output(annotations).apply((levels) => levels.manifest ?? {});
    const all = { ...others, ...(manifest === undefined ? {} : { annotations: manifest }) };
    if (overrides === undefined) {
        return { ...(all as Omit<PlatformImageArgs, "nodes" | "platform" | "repository">), nodes };
    }
    const own = pulumi.output(overrides).apply((known): Override => findOverride(known, platform) ?? {});
    const merge = (name: "buildArgs" | "labels" | "annotations"): pulumi.Output<Record<string, string>> => {
        return pulumi.all([all[name] ?? {}, own]).apply(([common, mine]) => ({ ...common, ...mine[name] }));
    };
    return {
        buildArgs: merge("buildArgs"),
        labels: merge("labels"),
        annotations: merge("annotations"),
        // An output without a value is an input that is not given.
        target: pulumi.all([all.target, own]).apply(([common, mine]) => mine.target ?? common) as pulumi.Output<string>,
        nodes: pulumi.all([nodes, own]).apply(([known, { builder }]) => pickNodes(known, platform, builder)),
    };
}

/** What is said of a platform, however it is spelt. */
export function findOverride(overrides: Overrides, platform: string): Override | undefined {
    const wanted = formatPlatform(parsePlatform(platform));
    return Object.entries(overrides ?? {}).find(([name]) => formatPlatform(parsePlatform(name)) === wanted)?.[1];
}

/** The builders of other platforms stay on the list: they are checked before anything is built. */
function pickNodes(nodes: Nodes, platform: string, builder: string | undefined): pulumi.Unwrap<NodeArgs>[] {
    const wanted = formatPlatform(parsePlatform(platform));
    return nodes.filter((node) => {
        const serves = formatPlatform(parsePlatform(node.platform)) === wanted;
        return !serves || builder === undefined || isCalled(builder, node);
    });
}
