import { findBuildArgProblems } from "../build/buildArgs";
import { findContextProblems } from "../context/problems";
import { findPlatformImageProblems } from "../validation/platformImage";
import { hashContent, imageInputs } from "./contentHash";
import { asReplacement, findInputChanges } from "./differences";
import type { DiffAnswer, InputProblem, OperationContext, ResourceLifecycle } from "./lifecycle";
import { buildImage } from "./platformImageBuild";
import type { PlatformImageInputs } from "./platformImageInputs";
import { readOrKeep, withRegistry } from "./registryAccess";
import { createSiblingBoard, groupOf } from "./siblings";
import { hasUnknown, unknownValue, type Properties } from "./values";

const replacedBy = ["platform", "repository"];

/** What a new build changes. */
const builtOutputs = ["digest", "ref", "manifests", "build"];

/** The image of one platform. Nothing here ever deletes a manifest. */
export function createPlatformImageLifecycle(): ResourceLifecycle {
    const board = createSiblingBoard();

    return {
        secretInputs: ["registries.*.password", "secrets", "nodes.*.tls.key"],

        async check(inputs, old, context) {
            const { contentHash: _computed, ...given } = inputs;
            const problems = findPlatformImageProblems(given);
            if (problems.length === 0 && !imageInputs.some((name) => hasUnknown(given[name]))) {
                problems.push(...(await findContextProblems(contextRequest(given))), ...checkBuildArgs(given, context));
            }
            if (problems.length > 0) {
                return { problems, added: {} };
            }
            const contentHash = await hashContent(given, context.signal);
            noteDecision({ ...given, contentHash }, old, context);
            return { problems, added: { contentHash } };
        },

        diff(old, inputs): DiffAnswer {
            const replaced = asReplacement(findInputChanges(old.inputs, inputs, replacedBy));
            const rebuilt = findInputChanges(old.inputs, inputs, ["contentHash"]);
            const reasons = Object.keys(rebuilt).length > 0 ? findInputChanges(old.inputs, inputs, imageInputs) : {};
            const changes = { ...rebuilt, ...reasons, ...replaced };
            return {
                changed: Object.keys(changes).length > 0,
                changes,
                replaces: Object.keys(replaced),
                stable: Object.keys(changes).length > 0 ? [] : builtOutputs,
            };
        },

        previewCreate: describe,
        previewUpdate: (_old, inputs) => describe(inputs),

        async create(inputs, context) {
            const image = inputs as PlatformImageInputs;
            return { id: `${image.repository}#${image.platform}`, outputs: await build(image, context) };
        },

        update: (_old, inputs, context) => build(inputs as PlatformImageInputs, context),

        read: (id, state, context) =>
            readOrKeep({ id, outputs: state.outputs }, context, async () => {
                const inputs = state.inputs as PlatformImageInputs;
                const digest = String(state.outputs["digest"]);
                const found = await withRegistry(inputs, context, (client, where) =>
                    client.headManifest({ ...where, digest }),
                );
                if (found !== undefined) {
                    return { id, outputs: state.outputs };
                }
                context.reporter.warn(`${inputs.repository}@${digest} is lost. The next up builds it again.`);
                return undefined;
            }),

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
        const same = [...replacedBy, "contentHash"].every((name) => old?.[name] === inputs[name]);
        board.decide(groupOf(context.urn, platform, repository), platform, same ? "keep" : "build");
    }

    async function build(inputs: PlatformImageInputs, context: OperationContext): Promise<Properties> {
        const group = groupOf(context.urn, inputs.platform, inputs.repository);
        const siblings = [...new Set([inputs.platform, ...(inputs.siblings ?? [])])];
        const together = await board.findToBuild(group, siblings);
        return buildImage(inputs, together, context);
    }
}

/** What is known of an image before it is built. */
function describe(inputs: Properties): Properties {
    return {
        platform: inputs["platform"],
        contentHash: inputs["contentHash"],
        ...Object.fromEntries(builtOutputs.map((name) => [name, unknownValue])),
    };
}

/** Some build arguments cannot reach a build without being seen by others on the machine. */
function checkBuildArgs(inputs: Properties, context: OperationContext): InputProblem[] {
    const { buildArgs = {}, secrets = {} } = inputs as unknown as PlatformImageInputs;
    return hasUnknown(secrets) ? [] : findBuildArgProblems({ buildArgs, secrets, redact: context.secrets });
}

function contextRequest(inputs: Properties) {
    const { context, dockerfile } = inputs as unknown as PlatformImageInputs;
    return { context: context ?? { location: "." }, ...(dockerfile === undefined ? {} : { dockerfile }) };
}
