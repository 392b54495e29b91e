import { inspectTarget } from "../exports/written";
import { MultiArchError } from "../errors";
import { formatReference, parseReference } from "../registry/reference";
import { findImageExportProblems } from "../validation/imageExport";
import { findInputChanges } from "./differences";
import { destOf, readChoice, readWritten, type ImageExportInputs } from "./imageExportInputs";
import { writeImageExport } from "./imageExportWrite";
import type { DiffAnswer, OperationContext, PropertyChange, ResourceLifecycle, ResourceState } from "./lifecycle";
import { readOrKeep, withRegistry } from "./registryAccess";
import { withinTimeout } from "./timeout";
import { hasUnknown, unknownValue, type Properties } from "./values";

interface State {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** What can change the files. Accounts and places for errors cannot. */
const fileInputs = ["source", "oci", "docker", "tar", "local", "names", "disabled"];

/** Files that hold an image. Nothing here ever deletes one. */
export const imageExportLifecycle: ResourceLifecycle = {
    secretInputs: ["registries.*.password"],

    check(inputs) {
        return Promise.resolve({ problems: findImageExportProblems(inputs), added: {} });
    },

    async diff(old, inputs, context): Promise<DiffAnswer> {
        const dest = destOf(inputs);
        const isMoved = dest !== destOf(old.inputs);
        const place = `${readChoice(inputs).kind}.dest`;
        const found = isMoved || inputs["disabled"] === true ? {} : await findDamage(old, place, context);
        const changes: Record<string, PropertyChange> = {
            ...findMovedSource(old.outputs),
            ...found,
            ...findInputChanges(old.inputs, inputs, fileInputs),
            ...(isMoved ? { [place]: "update-replace" as const } : {}),
        };
        return { changed: Object.keys(changes).length > 0, changes, replaces: isMoved ? [place] : [] };
    },

    previewCreate: (inputs) => describe(inputs, undefined),
    previewUpdate: (old, inputs) => describe(inputs, old),

    async create(inputs, context) {
        const request = inputs as unknown as ImageExportInputs;
        const outputs = await withinTimeout(context, (limited) => writeImageExport(request, undefined, limited));
        return { id: destOf(inputs), outputs };
    },

    update(old, inputs, context) {
        const request = inputs as unknown as ImageExportInputs;
        return withinTimeout(context, (limited) => writeImageExport(request, old, limited));
    },

    read: readImageExport,

    delete({ outputs }, { reporter }) {
        // Somebody may use them, and other files of the user may lie beside them.
        const files = readWritten(outputs).map(({ path }) => path);
        if (files.length > 0) {
            reporter.info(
                `${files.join(", ")} stay${files.length === 1 ? "s" : ""} where ${files.length === 1 ? "it is" : "they are"}`,
            );
        }
        return Promise.resolve();
    },
};

/** What is missing on this machine, or is not what was written. */
async function findDamage(
    { outputs }: State,
    place: string,
    { reporter }: OperationContext,
): Promise<Record<string, PropertyChange>> {
    const problems: string[] = [];
    for (const target of readWritten(outputs)) {
        const problem = await inspectTarget(target, process.cwd());
        if (problem !== undefined) {
            problems.push(`${target.path} ${problem}`);
        }
    }
    if (problems.length === 0) {
        return {};
    }
    reporter.info(`writes again: ${problems.join("; ")}`);
    return { [place]: "update" };
}

/** The tag that was written points elsewhere now, as refresh found it. The next `up` writes again. */
function findMovedSource(outputs: Properties): Record<string, PropertyChange> {
    const { digest, sourceDigest } = outputs;
    return digest === "" || digest === sourceDigest ? {} : { source: "update" };
}

/** The digest of what will be written is known where the source has it. The files are known where nothing of it changes. */
function describe(inputs: Properties, old: State | undefined): Properties {
    const unknown = { digest: unknownValue, files: unknownValue, sourceDigest: unknownValue };
    if (hasUnknown(inputs["source"])) {
        return unknown;
    }
    const { digest } = parseReference(String(inputs["source"]));
    const isSame = digest !== undefined && old?.outputs["digest"] === digest;
    const isRepair = isSame && Object.keys(findInputChanges(old.inputs, inputs, fileInputs)).length === 0;
    return {
        ...(digest === undefined ? unknown : { ...unknown, digest, sourceDigest: digest }),
        ...(isRepair ? { files: old.outputs["files"] } : {}),
    };
}

/** Files are looked at by every preview, on the machine that it runs on. Only the source is looked up here. */
async function readImageExport(
    id: string,
    state: State,
    context: OperationContext,
): Promise<ResourceState | undefined> {
    const { inputs, outputs } = state;
    const { source, registries } = inputs as unknown as Partial<ImageExportInputs>;
    if (source === undefined) {
        throw new MultiArchError("export-failed", {
            what: "an export cannot be imported",
            next: "Declare it without importing it: up writes the files, and equal ones are the same afterwards.",
        });
    }
    const reference = parseReference(source);
    if (reference.digest !== undefined || outputs["digest"] === "") {
        return { id, outputs };
    }
    const { registry, repository } = reference;
    const target = { repository: formatReference({ registry, repository }), registries };
    return readOrKeep({ id, outputs }, context, () =>
        withRegistry(target, context, async (client) => {
            const current = (await client.headManifest(reference))?.digest ?? outputs["digest"];
            if (current !== outputs["digest"]) {
                context.reporter.info(`${source} points to ${String(current)} now. The next up writes it.`);
            }
            return { id, outputs: { ...outputs, sourceDigest: current } };
        }),
    );
}
