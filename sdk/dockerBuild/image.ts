import type * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";

import { MultiArchError } from "../errors";
import type { PlatformImageArgs } from "../resources/platformImage";
import { builderNameOf, hooksFor, valueOf } from "./hooks";
import { buildArgsOf, cacheArgs, ignoredSecrets, rawExport } from "./imageArgs";
import { toDockerBuildPlatform } from "./platforms";

/** What an index wants to know of the image of one platform. */
export interface DockerBuildImage {
    readonly platform: pulumi.Output<string>;
    readonly digest: pulumi.Output<string>;
    readonly contentHash: pulumi.Output<string>;
}

/**
 * The image of one platform, built by docker-build: pushed by digest and without a tag, so that nothing points at it before
 * the index is complete, and so that nothing is deleted with it.
 */
export function createDockerBuildImage(
    name: string,
    platform: string,
    image: Omit<PlatformImageArgs, "platform">,
    parent: pulumi.Resource,
): DockerBuildImage {
    const { Image } = loadDockerBuild();
    const { nodes, emulation, retries, repository, registries, timeoutSeconds, siblings } = image;
    const group = valueOf(parent.urn);
    const limit =
        typeof timeoutSeconds === "number" ? { create: `${timeoutSeconds}s`, update: `${timeoutSeconds}s` } : {};
    const build = {
        ...{ label: name, platform, nodes, emulation, retries, registries, group },
        ...(image.push === false ? {} : { repository }),
        siblings: siblings as readonly string[],
    };
    const { hooks, started } = hooksFor(build, parent);
    const builder = { name: started.then(async () => builderNameOf(await group, platform)) };
    const built = new Image(
        name,
        { ...toImageArgs(platform, image), builder },
        {
            parent,
            hooks,
            // The name says nothing of the image. Without this a resource that is moved would be built again.
            ignoreChanges: ["builder"],
            additionalSecretOutputs: ["registries"],
            customTimeouts: limit,
        },
    );
    return {
        platform: pulumi.output(platform),
        digest: built.digest,
        contentHash: built.contextHash,
    };
}

/** The inputs of one platform's image in the words of docker-build. */
export function toImageArgs(platform: string, image: Omit<PlatformImageArgs, "platform">): dockerBuild.ImageArgs {
    const { repository, annotations, sourceDateEpoch, compression, compressionLevel, forceCompression, push } = image;
    const options = { annotations, sourceDateEpoch, compression, compressionLevel, forceCompression, push };
    const output = pulumi.output({ repository, options }).apply((known) => rawExport(known));
    const caches = pulumi.output({ cache: image.cache, repository }).apply((known) => {
        return cacheArgs(known.cache, { platform, repository: known.repository });
    });
    const secretNames = pulumi.output({ secrets: image.secrets, invalidation: image.invalidation }).apply((known) => {
        return ignoredSecrets(known.secrets, known.invalidation);
    });
    const { addHosts, context, dockerfile, labels, network, noCache, pull, registries, secrets, ssh, target } = image;
    const same = { addHosts, context, dockerfile, labels, network, noCache, pull, registries, secrets, ssh, target };
    const given = Object.fromEntries(Object.entries(same).filter(([, value]) => value !== undefined));
    return {
        ...(given as Partial<dockerBuild.ImageArgs>),
        buildArgs: pulumi.output({ buildArgs: image.buildArgs, sourceDateEpoch }).apply((known) => {
            return buildArgsOf(known.buildArgs, known.sourceDateEpoch);
        }),
        platforms: [toDockerBuildPlatform(platform) as dockerBuild.Platform],
        exports: [{ raw: output }],
        cacheFrom: caches.apply(({ cacheFrom }) => cacheFrom),
        cacheTo: caches.apply(({ cacheTo }) => cacheTo),
        // Their names are no secrets.
        ...(secrets === undefined ? {} : { ignoreSecretsInDiffCalculation: pulumi.unsecret(secretNames) }),
        push: false,
        buildOnPreview: false,
    };
}

/** Loaded only for those who use it: it is not installed with this package, and starts a provider of its own. */
function loadDockerBuild(): typeof dockerBuild {
    try {
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- a constructor cannot wait for an import
        return require("@pulumi/docker-build") as typeof dockerBuild;
    } catch (cause) {
        const what = "engine: docker-build needs the package @pulumi/docker-build, which is not installed";
        throw new MultiArchError("docker-build-missing", { what, property: "engine", cause });
    }
}
