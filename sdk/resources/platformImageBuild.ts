import type { BuildReport } from "../args";
import { buildPlatform, type BuildFigures, type BuiltImage } from "../build/build";
import { checkNodes, holdNode, type Checked } from "../build/lease";
import { describeAhead } from "../build/queue/place";
import { describeProgress, type BuildProgress } from "../build/progress";
import type { BuildContext, BuildRequest } from "../build/request";
import { preferSteady } from "../build/retry";
import { describeUse, takeStart } from "../builders/ec2/machineUse";
import type { BuilderNode } from "../builders/node";
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
import { checkTogether, imageOf, listNodes, reportChoice, reportSkipped, type Siblings } from "./platformImageNodes";
import { describePublishedArgs } from "./publishedArgs";
import { withRegistry } from "./registryAccess";
import { readSecretFiles } from "./secretFiles";
import type { Properties } from "./values";

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

/** A daemon that is started again reads its cache first; a machine takes longer. */
const retryPatienceMs = 20_000;

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
        const options = { signal, registriesConfig, onStatus: (text: string) => reporter.status(text) };
        const [checked] = await Promise.all([
            checkTogether(inputs, { together, isSilent }, options),
            ...(pushes ? [client.checkAccess(where, ["pull", "push"])] : []),
        ]);
        reportSkipped(checked, reporter);
        const surroundings = { context, registriesConfig, pinned };
        const { pushed, report, request } = await buildOnLease(inputs, checked, surroundings);
        if (pushed === undefined) {
            reportBuilt(report, "nothing is pushed", reporter);
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
        reportBuilt(report, `pushed in ${report.pushingSeconds} s: ${pushed.digest}`, reporter);
        return describeImage(inputs, pushed.digest, verified, report);
    });
}

/** Waits for a place on a builder, and builds there. */
async function buildOnLease(
    inputs: PlatformImageInputs,
    checked: Checked,
    surroundings: Surroundings,
): Promise<{ pushed: BuiltImage["pushed"]; report: BuildReport; request: BuildRequest }> {
    const { context, registriesConfig } = surroundings;
    const { reporter, signal } = context;
    const limits = limitsOf(inputs, context);
    const begin = Date.now();
    const options = {
        signal,
        registriesConfig,
        onStatus: (text: string) => reporter.status(text),
        waitMs: 1_000 * Math.min(...limits),
        onWaiting: (node: BuilderNode, ahead: number) => {
            reporter.status(`waiting for ${node.name}: ${describeAhead(node, ahead)}`);
        },
    };
    const image = imageOf(inputs);
    const nodes = listNodes(inputs);
    let lease = await holdNode(image, nodes, checked, options);
    let beganAt = Date.now();
    try {
        const { waitedSeconds } = lease;
        reportChoice(lease, reporter);
        // The time to build begins with the place; only that of the whole operation has run meanwhile.
        const [own, whole] = limits;
        const timeoutSeconds = Math.max(1, Math.min(own, whole - (Date.now() - begin) / 1_000));
        const request = await createRequest(inputs, lease.node, timeoutSeconds, surroundings);
        const { pushed, build } = await buildPlatform(request, {
            signal,
            onProgress: (progress) => reportProgress(progress, reporter),
            lost: lease.lost,
            nextTry: async (failures) => {
                await lease.release();
                // A token may have run out meanwhile, and a helper may have written another one.
                const again = { ...options, registriesConfig: await describeAccounts(inputs) };
                const found = await checkNodes(image, nodes, { ...again, patienceMs: retryPatienceMs });
                lease = await holdNode(image, nodes, preferSteady(found, failures), again);
                beganAt = Date.now();
                return { ...lease, registriesConfig: again.registriesConfig };
            },
        });
        const waitingSeconds = Math.round(10 * (build.waitingSeconds + waitedSeconds)) / 10;
        const report = { ...build, waitingSeconds, builderVersion: lease.facts.version };
        return { pushed, report: { ...report, ...reportInstance(lease.node, beganAt) }, request };
    } finally {
        await lease.release();
    }
}

/** What the build that ends now meant for the instance of its builder. */
function reportInstance({ ec2 }: BuilderNode, beganAt: number): Pick<BuildReport, "ec2"> {
    if (ec2 === undefined) {
        return {};
    }
    const startedAt = takeStart(ec2.instanceId);
    return { ec2: describeUse(ec2, { startedAt, beganAt, endedAt: Date.now() }) };
}

/** Seconds a build may take, and seconds the whole operation may. */
function limitsOf(
    { timeoutSeconds = defaultTimeoutSeconds }: PlatformImageInputs,
    { timeoutMs }: OperationContext,
): [number, number] {
    return [timeoutSeconds, (timeoutMs ?? Infinity) / 1_000];
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
    timeoutSeconds: number,
    { context, registriesConfig, pinned }: Surroundings,
): Promise<BuildRequest> {
    const secretFiles = await readSecretFiles(inputs);
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
        timeoutSeconds,
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

function reportProgress(progress: BuildProgress, reporter: Reporter): void {
    if (progress.kind === "retrying" || progress.kind === "warning") {
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
