import type * as pulumi from "@pulumi/pulumi";

import { MultiArchError } from "../errors";
import type { FetchedManifest } from "../registry/answers";
import type { RegistryClient } from "../registry/client";
import { copyImage, type CopyProgress, type CopyResult } from "../registry/copy";
import { parseReference, type Repository } from "../registry/reference";
import { findWhole, listPlatforms } from "../registry/tree";
import { copySignature, readSignatures, type StoredSignature } from "../signing/store";
import { createSignatureCheck } from "../signing/verify";
import type { ImageCopyArgs } from "./imageCopy";
import type { OperationContext, Reporter } from "./lifecycle";
import { withRegistry } from "./registryAccess";
import { verifySignatures } from "./signatures";
import { describeTags, moveTags, readKnownTags, refuseTagConflicts } from "./tags";
import type { Properties } from "./values";

/** The inputs of an `ImageCopy` as they are in the state: plain, and with the tag that `check` adds. */
export type ImageCopyInputs = pulumi.Unwrap<ImageCopyArgs> & { readonly tags: string[] };

/** The state before an update. */
interface OldState {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** Copies what is missing, then moves the tags. */
export function publishCopy(
    inputs: ImageCopyInputs,
    old: OldState | undefined,
    context: OperationContext,
): Promise<Properties> {
    return withRegistry(inputs, context, async (client, where) => {
        const { repository, tags, onTagConflict } = inputs;
        context.reporter.status(`looking for ${inputs.source} in ${repository}`);
        const digest = await resolveSource(client, inputs, old, context.reporter);
        // With all of it there, the source is not asked: it may be gone by now.
        const found = await findWhole(client, where, digest);
        const signatures = await findSignatures(client, where, inputs, digest, found !== undefined, context);
        const root = found ?? (await copy(client, where, inputs, digest, context));
        const { descriptor, bytes } = root;
        if (onTagConflict === "fail") {
            await refuseTagConflicts(client, where, tags, [digest, old?.outputs["digest"] as string | undefined]);
        }
        const signed = await copySignatures(client, where, digest, signatures);
        const known = readKnownTags(old?.outputs ?? {});
        await moveTags(client, where, tags, { bytes, digest, mediaType: descriptor.mediaType }, known, context);
        context.reporter.info(`${repository}@${digest} is complete, tagged ${tags.join(", ")}`);
        const platformDigests = await listPlatforms(client, where, root);
        return { ...describeTags(repository, digest, tags), platformDigests, sourceDigest: digest, ...signed };
    });
}

/** The signatures that go along, the one that fits first. Those of a copy that is there already count as well. */
async function findSignatures(
    client: RegistryClient,
    where: Repository,
    { source, verify }: ImageCopyInputs,
    digest: string,
    isThere: boolean,
    { signal, reporter }: OperationContext,
): Promise<StoredSignature[] | undefined> {
    if (verify === undefined) {
        return undefined;
    }
    reporter.status(`checking the signature of ${source}`);
    const check = await createSignatureCheck(verify, signal);
    if (isThere) {
        const known = await readSignatures(client, where, digest);
        const fitting = known.filter(({ bundle }) => check(bundle, digest) === undefined);
        if (fitting.length > 0) {
            return fitting;
        }
    }
    const { registry, repository: name } = parseReference(source);
    const from = { registry, repository: name };
    if (!isThere && (await client.headManifest({ ...from, digest })) === undefined) {
        throw sourceMissing(source);
    }

    return verifySignatures(client, from, digest, check, source);
}

/** Writes the signatures where others look for them; those that are there already stay as they are. */
async function copySignatures(
    client: RegistryClient,
    where: Repository,
    digest: string,
    signatures: readonly StoredSignature[] | undefined,
): Promise<{ signature?: string }> {
    if (signatures === undefined) {
        return {};
    }
    const known = new Set((await readSignatures(client, where, digest)).map((stored) => stored.digest));
    for (const stored of signatures.filter((one) => !known.has(one.digest))) {
        await copySignature(client, where, digest, stored);
    }
    return { signature: signatures[0]?.digest ?? "" };
}

/** The digest that is to be copied. A tag that is gone meanwhile changes nothing about a copy that was made. */
async function resolveSource(
    client: RegistryClient,
    { source }: ImageCopyInputs,
    old: OldState | undefined,
    reporter: Reporter,
): Promise<string> {
    const reference = parseReference(source);
    if (reference.digest !== undefined) {
        return reference.digest;
    }
    const found = await client.headManifest(reference);
    const copied = old?.inputs["source"] === source ? old.outputs["digest"] : undefined;
    if (found === undefined && typeof copied === "string") {
        reporter.warn(`${source} is gone. What was copied from it stays as it is.`);
        return copied;
    }
    if (found === undefined) {
        throw sourceMissing(source);
    }
    return found.digest;
}

async function copy(
    client: RegistryClient,
    where: Repository,
    { source, repository }: ImageCopyInputs,
    digest: string,
    context: OperationContext,
): Promise<FetchedManifest> {
    const reference = parseReference(source);
    const from = { registry: reference.registry, repository: reference.repository };
    if ((await client.headManifest({ ...from, digest })) === undefined) {
        throw sourceMissing(source);
    }
    const root = await client.getManifest({ ...from, digest });
    const result = await copyImage(
        { client, repository: from, root },
        { client, repository: where },
        { signal: context.signal, onProgress: (progress) => context.reporter.status(describeProgress(progress)) },
    );
    context.reporter.info(`copied ${source} to ${repository}: ${describeResult(result)}`);
    return root;
}

function sourceMissing(source: string): MultiArchError {
    return new MultiArchError("registry-not-found", {
        what: `there is no ${source} to copy`,
        property: "source",
        next: "Check its name and tag or digest, and that it was pushed before.",
    });
}

function describeProgress({ blobs, blobsDone, bytesCopied }: CopyProgress): string {
    return `copying: ${blobsDone} of ${blobs} contents are there, ${formatMegabytes(bytesCopied)} sent`;
}

function describeResult({ manifests, blobsCopied, blobsMounted, bytesCopied }: CopyResult): string {
    const sent = `${blobsCopied} contents sent (${formatMegabytes(bytesCopied)})`;
    return `${sent}, ${blobsMounted} linked, ${manifests.length} manifests`;
}

function formatMegabytes(bytes: number): string {
    return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
