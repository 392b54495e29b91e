import { findBuildArgProblems } from "../build/buildArgs";
import { encodeFileList } from "../context/fileList";
import { findContextProblems } from "../context/problems";
import { cacheSecretPaths } from "../cacheSecrets";
import { findPlatformImageProblems } from "../validation/platformImage";
import { findShownSecrets } from "../validation/shownSecrets";
import { imageInputs, readContent, type Content } from "./contentHash";
import { findExportsInContext } from "./contextExports";
import { asReplacement, findInputChanges } from "./differences";
import type { DiffAnswer, InputProblem, OperationContext, ResourceLifecycle } from "./lifecycle";
import { buildImage } from "./platformImageBuild";
import type { PlatformImageInputs } from "./platformImageInputs";
import { readPlatformImage } from "./platformImageRead";
import { describeReasons } from "./reasons";
import { findSecretFileProblems } from "./secretFiles";
import { createSiblingBoard, groupOf } from "./siblings";
import { readBaseImages, tracksBaseImages } from "./trackedBaseImages";
import { hasUnknown, unknownValue, type Properties } from "./values";

const replacedBy = ["platform", "repository"];

/** What a new build changes. */
const builtOutputs = ["digest", "ref", "manifests", "build"];

/** The image of one platform. Nothing here ever deletes a manifest. */
export function createPlatformImageLifecycle(): ResourceLifecycle {
    const board = createSiblingBoard();
    // What `check` read, by resource and hash: `diff` and the build that follow want more of it than the hash. Equal
    // hashes of two resources may stand for two places, each with its own accounts.
    const contents = new Map<string, Content>();

    return {
        secretInputs: ["registries.*.password", "secrets", "ssh.*.key", "nodes.*.tls.key", ...cacheSecretPaths],
        // Four bytes of each digest are enough to try guesses at what a small file says.
        secretOutputs: ["contextFiles"],
        outputsOf: { platform: ["platform"], repository: ["ref"] },

        async check(inputs, old, context) {
            // A hash that comes in is that of the state: the program has told the engine to ignore its changes.
            const { contentHash: ignored, ...given } = inputs;
            const problems = [...findPlatformImageProblems(given), ...findShownSecrets(given, context.secrets)];
            if (problems.length === 0 && !imageInputs.some((name) => hasUnknown(given[name]))) {
                problems.push(...(await findContextProblems(contextRequest(given))), ...checkBuildArgs(given, context));
                problems.push(...(await findSecretFileProblems(given)), ...(await findExportsInContext(given)));
            }
            if (problems.length > 0 || isTooEarly(given)) {
                return { problems, added: problems.length > 0 ? {} : { contentHash: unknownValue } };
            }
            const tracked = await readBaseImages(given as PlatformImageInputs, context);
            if (tracked.problems.length > 0) {
                return { problems: tracked.problems, added: {} };
            }
            const content = await readContent(given, tracked.digests, context.signal);
            const contentHash = typeof ignored === "string" ? ignored : content.hash;
            contents.set(keyOf(context, contentHash), content);
            noteDecision({ ...given, contentHash }, old, context);
            return { problems, added: { contentHash } };
        },

        diff(old, inputs, context): DiffAnswer {
            const replaced = asReplacement(findInputChanges(old.inputs, inputs, replacedBy));
            // An imported image has no hash yet. Whoever imports it says that it is the one of this content.
            const isImported = old.inputs["contentHash"] === "";
            const rebuilt = isImported ? {} : findInputChanges(old.inputs, inputs, ["contentHash"]);
            const reasons = Object.keys(rebuilt).length > 0 ? findInputChanges(old.inputs, inputs, imageInputs) : {};
            // What was only tried before is pushed now; what was pushed stays in the registry.
            const pushed = findInputChanges({ push: true, ...old.inputs }, { push: true, ...inputs }, ["push"]);
            const changes = { ...rebuilt, ...reasons, ...pushed, ...replaced };
            const changed = Object.keys(changes).length > 0;
            if (changed) {
                const content = contents.get(keyOf(context, String(inputs["contentHash"])));
                context.reporter.info(describeReasons(old, { ...reasons, ...pushed, ...replaced }, content));
            }
            return { changed, changes, replaces: Object.keys(replaced), stable: changed ? [] : builtOutputs };
        },

        previewCreate: describe,
        previewUpdate: (_old, inputs) => describe(inputs),

        async create(inputs, context) {
            const image = inputs as PlatformImageInputs;
            return { id: `${image.repository}#${image.platform}`, outputs: await build(image, context) };
        },

        update: (_old, inputs, context) => build(inputs as PlatformImageInputs, context),

        read: readPlatformImage,

        delete() {
            // The image stays: an index, another stack or a deployment may use it.
            return Promise.resolve();
        },
    };

    function noteDecision(inputs: Properties, old: Properties | undefined, context: OperationContext): void {
        const { platform, repository } = inputs as PlatformImageInputs;
        if (hasUnknown(platform) || hasUnknown(repository)) {
            return;
        }
        const same = [...replacedBy, "contentHash", "push"].every((name) => old?.[name] === inputs[name]);
        board.decide(groupOf(context.urn, platform, repository), platform, same ? "keep" : "build");
    }

    async function build(inputs: PlatformImageInputs, context: OperationContext): Promise<Properties> {
        const group = groupOf(context.urn, inputs.platform, inputs.repository);
        const siblings = [...new Set([inputs.platform, ...(inputs.siblings ?? [])])];
        const together = await board.findToBuild(group, siblings);
        const { files, baseImages, context: pinned } = contents.get(keyOf(context, inputs.contentHash)) ?? {};
        const isSilent = (platform: string): boolean => board.isSilent(group, platform);
        const outputs = await buildImage(inputs, { together, isSilent }, context, pinned);
        // For the next preview, which says what has changed since.
        return { ...outputs, contextFiles: files && encodeFileList(files), baseImages };
    }
}

function keyOf({ urn }: OperationContext, contentHash: string): string {
    return `${urn} ${contentHash}`;
}

/** What is known of an image before it is built. */
function describe(inputs: Properties): Properties {
    return {
        platform: inputs["platform"],
        contentHash: inputs["contentHash"],
        ...Object.fromEntries(builtOutputs.map((name) => [name, unknownValue])),
    };
}

/** Base images are looked up with accounts and names that may not be known yet: then the content is not either. */
function isTooEarly(inputs: Properties): boolean {
    return tracksBaseImages(inputs) && [...imageInputs, "registries"].some((name) => hasUnknown(inputs[name]));
}

/** Some build arguments cannot reach a build without being seen by others on the machine. */
function checkBuildArgs(inputs: Properties, context: OperationContext): InputProblem[] {
    const { buildArgs = {}, secrets = {}, attestations, dockerfile } = inputs as unknown as PlatformImageInputs;
    const request = { buildArgs, secrets, attestations, dockerfile, redact: context.secrets };
    return hasUnknown(secrets) ? [] : findBuildArgProblems(request);
}

function contextRequest(inputs: Properties) {
    const { context, dockerfile } = inputs as unknown as PlatformImageInputs;
    return { context: context ?? { location: "." }, ...(dockerfile === undefined ? {} : { dockerfile }) };
}
