import * as pulumi from "@pulumi/pulumi";

import type { EndpointArgs, Emulation } from "../args";
import { builderNameOf, hooksFor, type HookedBuild } from "../dockerBuild/hooks";
import { toDockerBuildPlatform, type DockerBuildPlatform } from "../dockerBuild/platforms";
import { MultiArchError } from "../errors";
import type { NodeArgs } from "../resources/platformImage";
import { protectBuilders } from "../protectArgs";
import { listNodes } from "./listNodes";

/** What a fleet consists of. */
export interface BuilderFleetArgs {
    /** BuildKit daemons that run already. Several may serve the same platform. */
    endpoints: pulumi.Input<pulumi.Input<EndpointArgs>[]>;

    /** What happens when a builder runs a platform only by emulation. Defaults to `never`, which refuses it. */
    emulation?: pulumi.Input<Emulation>;

    /** How often a build is tried again after a transient fault. Defaults to two more tries. */
    retries?: pulumi.Input<number>;
}

/** What lets a `docker_build.Image` build on a builder of a fleet. */
export interface DockerBuildConnection {
    /** To be spread into its arguments. */
    readonly args: {
        readonly builder: { readonly name: Promise<string> };
        readonly platforms: DockerBuildPlatform[];
    };
    /** To be spread into its options. */
    readonly opts: { readonly hooks: pulumi.ResourceHookBinding };
}

/** What every fleet can do, wherever its builders come from. */
export interface DockerBuildFleet {
    /** The builders, as a `PlatformImage` takes them. */
    readonly nodes: pulumi.Output<NodeArgs[]>;

    /**
     * Lets a `docker_build.Image` that exists already build on the builder of a platform. Before each build the builders
     * of that platform are checked as for a `MultiArchImage`; nothing has to be set up on the machine that runs `up`.
     *
     * @param platform The one platform of the image, for example `linux/arm64`.
     * @throws MultiArchError `platform-unknown` for a platform that docker-build has no name for.
     */
    forDockerBuild(platform: string): DockerBuildConnection;
}

/**
 * Builders that several images share. It is no resource: nothing of it is in the state.
 *
 * ```ts
 * const fleet = new BuilderFleet("builders", { endpoints });
 * const arm64 = fleet.forDockerBuild("linux/arm64");
 * const image = new docker_build.Image("app", { ...args, ...arm64.args }, { ...opts, ...arm64.opts });
 * ```
 */
export class BuilderFleet implements DockerBuildFleet {
    public readonly nodes: pulumi.Output<NodeArgs[]>;

    /**
     * Declares the fleet.
     *
     * @param name Its name, unique in the program among fleets.
     * @param args The builders.
     */
    constructor(
        private readonly name: string,
        private readonly args: BuilderFleetArgs,
    ) {
        const { endpoints } = args;
        this.nodes = pulumi.output(protectBuilders({ endpoints })).apply((known) => listNodes(known, []));
    }

    public forDockerBuild(platform: string): DockerBuildConnection {
        const { name, nodes } = this;
        const { emulation, retries } = this.args;
        return connectDockerBuild({ name, nodes, emulation, retries }, platform);
    }
}

/** What `forDockerBuild` of a fleet gives. */
export function connectDockerBuild(
    fleet: Pick<HookedBuild, "nodes" | "emulation" | "retries"> & { readonly name: string },
    platform: string,
): DockerBuildConnection {
    const known = toDockerBuildPlatform(platform);
    if (known === undefined) {
        const what = `docker-build has no platform ${platform}`;
        throw new MultiArchError("platform-unknown", { what, next: "Build it with a MultiArchImage." });
    }
    const { name, ...build } = fleet;
    const { hooks, started } = hooksFor({ label: `${name}:${platform}`, platform, ...build });
    const builderName = builderNameOf(pulumi.getProject(), pulumi.getStack(), name, known);
    const builder = { name: started.then(() => builderName) };
    return { args: { builder, platforms: [known] }, opts: { hooks } };
}
