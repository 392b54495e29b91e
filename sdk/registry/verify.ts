import { MultiArchError, messageOf } from "../errors";
import { formatPlatform, normalisePlatform, type Platform } from "../platform";
import type { FetchedManifest } from "./answers";
import type { HeadOptions, RegistryClient } from "./client";
import {
    type Descriptor,
    type FlatChild,
    flattenChild,
    type ImageManifest,
    type ImagePlatform,
    isAttestation,
    isSamePlatform,
} from "./manifests";
import type { Repository } from "./reference";

/** What a platform's image is missing. */
export interface Problem {
    readonly kind: "manifest" | "config" | "layer" | "platform";
    /** The digest of what is missing, or of the manifest that does not fit. */
    readonly digest: string;
    /** For people. */
    readonly text: string;
}

/** What the registry has of one platform: all of it, or what is wrong. */
export type Verification =
    ({ readonly complete: true } & FlatChild) | { readonly complete: false; readonly problems: readonly Problem[] };

/** How an image is checked. */
export interface VerifyOptions extends HeadOptions {
    /** Attestations that an index lists for the image, where what was pushed for it does not name them. */
    readonly also?: readonly Descriptor[] | undefined;
}

/** The part of a client that is needed here. */
export type Reader = Pick<RegistryClient, "headManifest" | "getManifest" | "getBlobJson" | "hasBlob">;

const checksAtOnce = 4;

/**
 * Checks in the registry that a platform's image is whole: its manifest, its configuration, which has to be for this
 * platform, all its layers, and the same for its attestations and those in `also`. Content that is missing is a result; a registry that
 * cannot be asked is a MultiArchError. `options` say what counts as a missing manifest.
 */
export async function verifyImage(
    client: Reader,
    repository: Repository,
    digest: string,
    platform: Platform,
    options: VerifyOptions = {},
): Promise<Verification> {
    const find = (wanted: string): Promise<FetchedManifest | undefined> =>
        findManifest(client, repository, wanted, options);
    const pushed = await find(digest);
    if (pushed === undefined) {
        return incomplete("manifest", digest, `the manifest ${digest} is not there`);
    }
    let child: FlatChild;
    try {
        child = flattenChild(pushed.descriptor, pushed.manifest, normalisePlatform(platform));
    } catch (error) {
        return incomplete("platform", digest, `the index ${digest} does not fit: ${messageOf(error)}`);
    }
    const checks: Checked[] = [];
    const known = new Set([child.image, ...child.attestations].map((part) => part.digest));
    const others = (options.also ?? []).filter((part) => !known.has(part.digest));
    for (const part of [child.image, ...child.attestations, ...others]) {
        const isPushed = part.digest === pushed.descriptor.digest;
        const fetched = isPushed ? pushed : await find(part.digest);
        checks.push(await checkPart(client, repository, part, fetched, platform));
    }
    const problems = checks.flatMap((check) => check.problems);
    if (problems.length > 0) {
        return { complete: false, problems };
    }
    const details = checks[0]?.details ?? {};
    const image = { ...child.image, platform: { ...details, ...normalisePlatform(platform) } };
    return { complete: true, image, attestations: child.attestations };
}

/** The error for an image that is not whole. */
export function incompleteError(
    repository: Repository,
    platform: Platform,
    problems: readonly Problem[],
): MultiArchError {
    return new MultiArchError("index-incomplete", {
        what: `${repository.registry}/${repository.repository} does not have the whole image`,
        platform: formatPlatform(platform),
        lines: problems.map((problem) => problem.text),
    });
}

/** What came out for one manifest. */
interface Checked {
    readonly problems: readonly Problem[];
    /** What the configuration says about the platform beyond its name. */
    readonly details?: Pick<ImagePlatform, "os.version" | "os.features">;
}

async function checkPart(
    client: Reader,
    repository: Repository,
    part: Descriptor,
    fetched: FetchedManifest | undefined,
    platform: Platform,
): Promise<Checked> {
    if (fetched?.manifest.kind !== "image") {
        const text = fetched
            ? `${part.digest} is not the manifest of an image`
            : `the manifest ${part.digest} is not there`;
        return { problems: [{ kind: "manifest", digest: part.digest, text }] };
    }
    const { manifest } = fetched;
    const missing = await findMissing(client, repository, manifest);
    if (isAttestation(part) || missing.some((problem) => problem.kind === "config")) {
        return { problems: missing };
    }
    const built = readConfig(await client.getBlobJson(repository, manifest.config.digest));
    if (isSamePlatform(built, platform)) {
        const { "os.version": version, "os.features": features } = built;
        const details = {
            ...(version === undefined ? {} : { "os.version": version }),
            ...(features === undefined ? {} : { "os.features": features }),
        };
        return { problems: missing, details };
    }
    const text = `the image ${part.digest} is for ${formatPlatform(built)}, not ${formatPlatform(platform)}`;
    return { problems: [...missing, { kind: "platform", digest: part.digest, text }] };
}

async function findMissing(client: Reader, repository: Repository, manifest: ImageManifest): Promise<Problem[]> {
    // A layer with addresses of its own is fetched from there, and need not be in the registry.
    const layers = manifest.layers.filter((layer) => (layer.urls ?? []).length === 0);
    const kinds = new Map<string, "config" | "layer">(layers.map((layer) => [layer.digest, "layer"]));
    kinds.set(manifest.config.digest, "config");
    const open = [...kinds];
    const problems: Problem[] = [];
    while (open.length > 0) {
        const found = await Promise.all(
            open.splice(0, checksAtOnce).map(async ([digest, kind]): Promise<Problem[]> => {
                const isThere = await client.hasBlob(repository, digest);
                return isThere ? [] : [{ kind, digest, text: `the ${kind} ${digest} is not there` }];
            }),
        );
        problems.push(...found.flat());
    }
    return problems;
}

async function findManifest(
    client: Reader,
    repository: Repository,
    digest: string,
    options: HeadOptions,
): Promise<FetchedManifest | undefined> {
    const reference = { registry: repository.registry, repository: repository.repository, digest };
    const isThere = (await client.headManifest(reference, options)) !== undefined;
    return isThere ? client.getManifest(reference) : undefined;
}

function readConfig(config: unknown): ImagePlatform {
    const { os, architecture, variant, ...others } = (config ?? {}) as Record<string, unknown>;
    const version = others["os.version"];
    const features = others["os.features"];
    return {
        os: typeof os === "string" ? os : "unknown",
        architecture: typeof architecture === "string" ? architecture : "unknown",
        ...(typeof variant === "string" ? { variant } : {}),
        ...(typeof version === "string" ? { "os.version": version } : {}),
        ...(Array.isArray(features) ? { "os.features": features.filter((one) => typeof one === "string") } : {}),
    };
}

function incomplete(kind: Problem["kind"], digest: string, text: string): Verification {
    return { complete: false, problems: [{ kind, digest, text }] };
}
