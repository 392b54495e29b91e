import { MultiArchError } from "../errors";
import { normaliseNames } from "../exports/layout";
import { writeExport } from "../exports/write";
import { inspectTarget, packContents, type WrittenTarget } from "../exports/written";
import type { RegistryClient } from "../registry/client";
import { formatReference, parseReference } from "../registry/reference";
import { propertyOf, readChoice, readWritten, type ImageExportInputs } from "./imageExportInputs";
import type { OperationContext, Reporter } from "./lifecycle";
import { withRegistry } from "./registryAccess";
import type { Properties } from "./values";

/** The state before an update. */
interface OldState {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** Writes what is missing, or all of it where the image or its names are others than before. */
export async function writeImageExport(
    inputs: ImageExportInputs,
    old: OldState | undefined,
    context: OperationContext,
): Promise<Properties> {
    const { reporter, signal } = context;
    const source = parseReference(inputs.source);
    const { registry, repository } = source;
    if (inputs.disabled === true) {
        // What is there stays known, so that nothing is written again when it is enabled.
        return { digest: "", files: [], sourceDigest: source.digest ?? "", ...old?.outputs };
    }
    const target = { repository: formatReference({ registry, repository }), registries: inputs.registries };
    return withRegistry(target, context, async (client, where) => {
        const digest = await resolveSource(client, inputs, old, reporter);
        const { kind, dest, tar } = readChoice(inputs);
        const names = namesOf(inputs);
        const known = readWritten(old?.outputs ?? {});
        const kept = isSameImage(inputs, old, digest) ? await findIntact(known) : [];
        const root = await client.getManifest({ ...where, digest });
        const written = await writeExport(
            {
                client,
                repository: where,
                root,
                signal,
                onStatus: (text) => reporter.status(text),
                onWarning: (text) => reporter.warn(text),
            },
            { kind, dest, tar, names, property: propertyOf(inputs, kind), base: process.cwd(), old: known, kept },
        );
        const fresh = written.filter((file) => !kept.includes(file));
        if (fresh.length > 0) {
            reporter.info(`wrote ${fresh.map(({ path }) => path).join(", ")}`);
        }
        const files = written.map(({ contents: _contents, ...file }) => file);
        return { digest, files, sourceDigest: digest, contents: packContents(written) };
    });
}

/** The names of the image in an archive. */
export function namesOf(inputs: ImageExportInputs): string[] {
    const { kind, names = inputs.names } = readChoice(inputs);
    const { tag } = parseReference(inputs.source);
    const isNamed = kind === "oci" || kind === "docker";
    return isNamed ? normaliseNames(names ?? (tag === undefined ? [] : [inputs.source])) : [];
}

/** Those that are on this machine as they were written. */
async function findIntact(targets: readonly WrittenTarget[]): Promise<WrittenTarget[]> {
    const intact: WrittenTarget[] = [];
    for (const target of targets) {
        if ((await inspectTarget(target, process.cwd())) === undefined) {
            intact.push(target);
        }
    }
    return intact;
}

function isSameImage(inputs: ImageExportInputs, old: OldState | undefined, digest: string): boolean {
    if (old?.outputs["digest"] !== digest) {
        return false;
    }
    const before = old.inputs as unknown as ImageExportInputs;
    const describe = (each: ImageExportInputs): string => {
        const { kind, tar } = readChoice(each);
        return JSON.stringify([kind, tar, namesOf(each)]);
    };
    return describe(before) === describe(inputs);
}

/** The digest that is to be written. A tag that is gone meanwhile changes nothing about what was written. */
async function resolveSource(
    client: RegistryClient,
    { source }: ImageExportInputs,
    old: OldState | undefined,
    reporter: Reporter,
): Promise<string> {
    const reference = parseReference(source);
    const found = await client.headManifest(reference);
    if (found !== undefined) {
        return found.digest;
    }
    const before = old?.inputs["source"] === source ? old.outputs["digest"] : undefined;
    if (reference.digest === undefined && typeof before === "string" && before !== "") {
        reporter.warn(`${source} is gone. What was written from it is taken by its digest.`);
        return before;
    }
    throw new MultiArchError("registry-not-found", {
        what: `there is no ${source} to export`,
        property: "source",
        next: "Check its name and tag or digest, and that it was pushed before.",
    });
}
