import type * as pulumi from "@pulumi/pulumi";

import type { Ec2BuilderFleetArgs } from "../../ec2FleetArgs";
import { hostDefaults, type BuildKitRelease, type HostArchitecture } from "./hostSettings";

/** The inputs of a fleet, all of them known. */
export type FleetInputs = pulumi.Unwrap<Ec2BuilderFleetArgs>;

/** One machine of a fleet: which one it is, before anything of it exists. */
export interface FleetNode {
    /** The name of its resources behind that of the fleet, for example `arm64-0` or `arm64-fallback`. */
    readonly suffix: string;
    readonly platform: string;
    readonly architecture: HostArchitecture;
    /** Its place among those of its platform. */
    readonly position: number;
    /** Whether it is a spot instance, or the one behind them, or simply a machine. */
    readonly market: "spot" | "fallback" | "on-demand";
}

/** What a fleet has where the program says nothing. */
export const fleetDefaults = {
    platforms: ["linux/amd64", "linux/arm64"],
    nodesPerPlatform: 1,
    instanceTypes: { amd64: ["m7i.xlarge"], arm64: ["m7g.xlarge"] },
    sizeGiB: 100,
    ...hostDefaults,
    egress: ["0.0.0.0/0", "::/0"].flatMap((cidr) => [443, 80].map((port) => ({ cidr, port }))),
} as const;

/**
 * The name in the certificates of all builders. Each fleet has an authority of its own, so one name is enough, and no
 * certificate changes when an instance gets another address.
 */
export const fleetServerName = "buildkit.internal";

/** The machines of a fleet. Behind spot instances there is one more for each platform. */
export function listFleetNodes({
    platforms = [...fleetDefaults.platforms],
    nodesPerPlatform = fleetDefaults.nodesPerPlatform,
    spot = false,
}: Pick<Ec2BuilderFleetArgs, "platforms" | "nodesPerPlatform" | "spot">): FleetNode[] {
    return platforms.flatMap((platform) => {
        const architecture = platform.replace("linux/", "") as HostArchitecture;
        const market = spot ? "spot" : "on-demand";
        const nodes = Array.from({ length: nodesPerPlatform }, (_, position): FleetNode => {
            return { suffix: `${architecture}-${position}`, platform, architecture, position, market };
        });
        const behind = { suffix: `${architecture}-fallback`, platform, architecture, position: 0 };
        return spot ? [...nodes, { ...behind, market: "fallback" }] : nodes;
    });
}

/** The subnets, one after the other for the nodes of a platform. */
export function subnetsOf({ subnetId, subnetIds }: Ec2BuilderFleetArgs): readonly pulumi.Input<string>[] {
    return subnetIds ?? [subnetId ?? ""];
}

/** The type of a machine: those that are given are taken in turn. */
export function instanceTypeOf(types: FleetInputs["instanceTypes"], node: FleetNode): string {
    const own = types?.[node.platform] ?? fleetDefaults.instanceTypes[node.architecture];
    return own[node.position % own.length] ?? "";
}

/** Where Amazon tells which image of Amazon Linux 2023 is the newest. */
export function imageParameter(architecture: HostArchitecture): string {
    const kernel = { amd64: "x86_64", arm64: "arm64" }[architecture];
    return `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${kernel}`;
}

/** The settings of a host that come from the program, with the size of its volume. */
export function hostSettingsOf(inputs: FleetInputs, architecture: HostArchitecture) {
    const { port, idleMinutes, deadManHours, mirrors, buildkit, ssmEndpoint, cache } = inputs;
    return {
        ...{ architecture, port, idleMinutes, deadManHours, mirrors, ssmEndpoint },
        buildkit: buildkit as BuildKitRelease | undefined,
        cache: { sizeGiB: cache?.sizeGiB ?? fleetDefaults.sizeGiB },
    };
}
