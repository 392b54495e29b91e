import type { BuildReport } from "../args";
import { buildPlatform, type BuildFigures } from "../build/build";
import { leaseNode, type Lease, type LeaseOptions } from "../build/lease";
import { describeProgress, type BuildProgress } from "../build/progress";
import type { BuildContext, BuildRequest } from "../build/request";
import { describeDocker } from "../builders/dockerSettings";
import type { BuilderNode } from "../builders/node";
import { MultiArchError, type ErrorCode } from "../errors";
import { formatPlatform, parsePlatform } from "../platform";
import type { RegistryClient } from "../registry/client";
import { findDockerConfigDir, privateDockerConfig, readDockerConfig } from "../registry/dockerConfig";
import type { Repository } from "../registry/reference";
import { incompleteError, verifyImage, type Verification } from "../registry/verify";
import { checkAttestations } from "./attestationCheck";
import { findFinishedImage, setContentTag } from "./contentTag";
import type { OperationContext, Reporter } from "./lifecycle";
import { fromDescriptor } from "./manifest";
import type { PlatformImageInputs } from "./platformImageInputs";
import { describePublishedArgs } from "./publishedArgs";
import { withRegistry } from "./registryAccess";
import { readSecretFiles } from "./secretFiles";
import type { Properties } from "./values";

/** The platforms of one index that are built together. */
export interface Siblings {
    readonly together: readonly string[];
    /** True for one that was not checked, and may not be built at all. */
    readonly isSilent: (platform: string) => boolean;
}

/** What the registry has of an image that lacks nothing. */
type WholeImage = Extract<Verification, { complete: true }>;

/** The report of an image that was in the registry already. */
export const notBuilt: BuildReport = {
    builder: "",
    builderVersion: "",
    waitingSeconds: 0,
    buildingSeconds: 0,
    pushingSeconds: 0,
    steps: 0,
    cachedSteps: 0,
    bytesSent: 0,
};

/** One hour: emulated builds of large programs have been seen to take most of it. */
const defaultTimeoutSeconds = 3_600;

/**
 * Builds the image of one platform, pushes it by digest and checks it in the registry. Before anything is built, the
 * builders of all platforms that are built with it and the right to push are checked: what is wrong there must not show
 * only after half of the index is pushed. What is built is `pinned`, where the commits of its contexts were chosen already.
 */
export function buildImage(
    inputs: PlatformImageInputs,
    { together, isSilent }: Siblings,
    context: OperationContext,
    pinned?: BuildContext,
): Promise<Properties> {
    const { reporter, signal } = context;
    return withRegistry(inputs, context, async (client, where) => {
        const looksUp = inputs.contentTags === true && inputs.push !== false;
        const finished = looksUp ? await findFinishedImage(client, where, inputs) : undefined;
        if (finished !== undefined) {
            reporter.info(`not built: ${inputs.repository} has an image of this content: ${finished.digest}`);
            return describeImage(inputs, finished.digest, finished.verified, notBuilt);
        }
        const pushes = inputs.push !== false;
        const account = pushes ? ` and the account for ${where.registry}` : "";
        reporter.status(`checking builders of ${together.join(", ")}${account}`);
        const registriesConfig = await describeAccounts(inputs);
        const [first] = await Promise.all([
            leaseTogether(inputs, { together, isSilent }, { signal, registriesConfig }),
            ...(pushes ? [client.checkAccess(where, ["pull", "push"])] : []),
        ]);
        let lease = first;
        reportLease(lease, reporter);
        const request = await createRequest(inputs, lease.node, { context, registriesConfig, pinned });
        const { pushed, build } = await buildPlatform(request, {
            signal,
            onProgress: (progress) => reportProgress(progress, reporter),
            nextNode: async () => {
                lease = await leaseNode(inputs.platform, listNodes(inputs), { signal, registriesConfig });
                return lease.node;
            },
        });
        const report = { ...build, builderVersion: lease.facts.version };
        if (pushed === undefined) {
            reportBuilt(build, "nothing is pushed", reporter);
            return describeUnpushed(inputs, report);
        }
        reporter.status("checking the image in the registry");
        const verified = await verify(client, where, inputs, pushed.digest);
        await checkAttestations(client, where, verified.attestations, inputs, context.secrets);
        for (const text of await describePublishedArgs(client, where, verified.image, request)) {
            reporter.warn(text);
        }
        if (inputs.contentTags === true) {
            await setContentTag(client, where, inputs, pushed.digest);
        }
        reportBuilt(build, `pushed in ${build.pushingSeconds} s: ${pushed.digest}`, reporter);
        return describeImage(inputs, pushed.digest, verified, report);
    });
}

type NodeInputs = Pick<PlatformImageInputs, "nodes" | "emulation">;

/** The builders, with what a build needs to know of them. */
export function listNodes({ nodes, emulation = "never" }: NodeInputs): BuilderNode[] {
    return nodes.map(({ address, docker, named, property, ...others }, index) => {
        const place = address ?? (named === undefined ? describeDocker(docker ?? {}) : `buildx builder ${named}`);
        return {
            ...others,
            name: place,
            address: place,
            docker,
            named: named === undefined ? undefined : { name: named },
            emulation,
            property: property ?? `nodes[${index}]`,
        };
    });
}

/** Finds a builder for each platform; throws when there is one without. */
export async function leaseTogether(
    inputs: NodeInputs & Pick<PlatformImageInputs, "platform">,
    { together, isSilent }: Siblings,
    options: LeaseOptions,
): Promise<Lease> {
    const nodes = listNodes(inputs);
    const own = leaseNode(inputs.platform, nodes, options);
    const others = together.filter((platform) => platform !== inputs.platform);
    const results = await Promise.allSettled([own, ...others.map((platform) => leaseNode(platform, nodes, options))]);
    // Its own problem comes first; that of a sibling is told in full where it belongs.
    const lease = await own;
    // One that takes no part is not built now, so the state of its builder is not what fails this operation.
    const failed = others.filter((other, i) => results[i + 1]?.status === "rejected" && !isSilent(other));
    const [sibling] = failed;
    if (sibling !== undefined) {
        throw new MultiArchError("sibling-not-ready", {
            what: `not built, because there is no usable builder for ${sibling}, which belongs to the same index`,
            platform: inputs.platform,
            next: `See the message of ${sibling}. Nothing was pushed.`,
        });
    }
    return lease;
}

/** The content of a docker config.json for this image: its own accounts, and those of the machine. */
export async function describeAccounts({ registries = [] }: Pick<PlatformImageInputs, "registries">): Promise<string> {
    return privateDockerConfig(registries, await readDockerConfig(findDockerConfigDir(process.env)));
}

/** What a build has beside its inputs and its builder. */
interface Surroundings {
    readonly context: OperationContext;
    readonly registriesConfig: string;
    readonly pinned: BuildContext | undefined;
}

async function createRequest(
    inputs: PlatformImageInputs,
    node: BuilderNode,
    { context, registriesConfig, pinned }: Surroundings,
): Promise<BuildRequest> {
    const secretFiles = await readSecretFiles(inputs);
    const limits = [inputs.timeoutSeconds ?? defaultTimeoutSeconds, (context.timeoutMs ?? Infinity) / 1_000];
    return {
        platform: formatPlatform(parsePlatform(inputs.platform)),
        node,
        repository: inputs.repository,
        context: pinned ?? inputs.context ?? { location: "." },
        dockerfile: inputs.dockerfile,
        target: inputs.target,
        pull: inputs.pull,
        buildArgs: inputs.buildArgs ?? {},
        secrets: inputs.secrets ?? {},
        secretFiles: inputs.secretFiles,
        options: inputs,
        attestations: inputs.attestations,
        cache: inputs.cache,
        registriesConfig,
        timeoutSeconds: Math.min(...limits),
        baseDirectory: process.cwd(),
        retries: inputs.retries,
        redact: [...context.secrets, ...secretFiles.map(([, text]) => text)],
    };
}

async function verify(
    client: RegistryClient,
    where: Repository,
    inputs: PlatformImageInputs,
    digest: string,
): Promise<WholeImage> {
    const platform = parsePlatform(inputs.platform);
    const result = await verifyImage(client, where, digest, platform, { absentOn: [404] });
    if (!result.complete) {
        throw incompleteError(where, platform, result.problems);
    }
    return result;
}

/** The outputs of an image that is whole in the registry. */
export function describeImage(
    inputs: Pick<PlatformImageInputs, "platform" | "repository" | "contentHash">,
    digest: string,
    { image, attestations }: WholeImage,
    build: BuildReport,
): Properties {
    return {
        platform: inputs.platform,
        contentHash: inputs.contentHash,
        digest,
        ref: `${inputs.repository}@${digest}`,
        manifests: [image, ...attestations].map(fromDescriptor),
        build,
    };
}

/** The outputs of an image that was built and not pushed. */
function describeUnpushed(inputs: PlatformImageInputs, build: BuildReport): Properties {
    const { platform, contentHash } = inputs;
    return { platform, contentHash, digest: "", ref: "", manifests: [], build };
}

const notForIt = new Set<ErrorCode>(["builder-wrong-platform", "builder-emulated"]);

/** Says which builder it is, and why it is not another one. */
export function reportLease({ node, facts, skipped }: Lease, reporter: Reporter): void {
    for (const { node: other, error } of skipped) {
        // A Docker daemon or a builder of buildx may serve other platforms, for which nobody had to name them.
        const isExpected = (other.docker ?? other.named) && !error.transient && notForIt.has(error.code);
        reporter[isExpected ? "info" : "warn"](`a builder is skipped: ${error.message}`);
    }
    for (const note of facts.notes) {
        reporter.info(`${node.name} ${note}`);
    }
    reporter.status(`building on ${node.name}, BuildKit ${facts.version}`);
}

function reportProgress(progress: BuildProgress, reporter: Reporter): void {
    if (progress.kind === "retry" || progress.kind === "warning") {
        reporter.warn(describeProgress(progress));
    } else if (progress.kind !== "step" || progress.state === "started") {
        // A step that is done says nothing of what the builder does now.
        reporter.status(describeProgress(progress));
    }
}

function reportBuilt(build: BuildFigures, ending: string, reporter: Reporter): void {
    const { steps, cachedSteps, buildingSeconds, builder } = build;
    const times = `built in ${buildingSeconds} s (${steps} steps, ${cachedSteps} from the cache)`;
    reporter.info(`${times} on ${builder}, ${ending}`);
}
