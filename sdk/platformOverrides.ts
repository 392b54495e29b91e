import * as pulumi from "@pulumi/pulumi";

import type { MultiArchImageArgs } from "./args";
import type { PlatformOverrideArgs } from "./buildOptions";
import { isCalled } from "./builders/listNodes";
import { formatPlatform, parsePlatform } from "./platform";
import { inside } from "./protectWithin";
import type { NodeArgs, PlatformImageArgs } from "./resources/platformImage";

type Texts = Record<string, pulumi.Input<string>>;
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
    const manifest = annotations && inside(annotations, (levels): pulumi.Input<Texts> => levels.manifest ?? {});
    const all = { ...others, ...(manifest === undefined ? {} : { annotations: manifest }) };
    if (overrides === undefined) {
        return { ...(all as Omit<PlatformImageArgs, "nodes" | "platform" | "repository">), nodes };
    }
    const own = inside(overrides, (known): pulumi.Input<PlatformOverrideArgs> => findOverride(known, platform) ?? {});
    const merge = (name: "buildArgs" | "labels" | "annotations"): pulumi.Input<Texts> => {
        return inside(all[name], (common) => {
            return inside(own, (mine) => inside(mine[name], (texts): Texts => ({ ...common, ...texts })));
        });
    };
    const builder = inside(own, (mine): pulumi.Input<string> => mine.builder ?? "");
    return {
        buildArgs: merge("buildArgs"),
        labels: merge("labels"),
        annotations: merge("annotations"),
        // An output without a value is an input that is not given.
        target: inside(own, (mine) => {
            return pulumi.all([all.target, mine.target]).apply(([common, wanted]) => wanted ?? common);
        }) as pulumi.Input<string>,
        nodes: pulumi.all([nodes, builder]).apply(([known, wanted]) => pickNodes(known, platform, wanted)),
    };
}

/** What is said of a platform, however it is spelt. */
function findOverride<Override>(
    overrides: Readonly<Record<string, Override>> | undefined,
    platform: string,
): Override | undefined {
    const wanted = formatPlatform(parsePlatform(platform));
    return Object.entries(overrides ?? {}).find(([name]) => formatPlatform(parsePlatform(name)) === wanted)?.[1];
}

/** The builders of other platforms stay on the list: they are checked before anything is built. */
function pickNodes(nodes: Nodes, platform: string, builder: string): pulumi.Unwrap<NodeArgs>[] {
    const wanted = formatPlatform(parsePlatform(platform));
    return nodes.filter((node) => {
        const serves = formatPlatform(parsePlatform(node.platform)) === wanted;
        return !serves || builder === "" || isCalled(builder, node);
    });
}
