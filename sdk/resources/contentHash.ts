import { createHash, scryptSync } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

import type { FileList } from "../context/fileList";
import { pickGitSecrets } from "../context/gitAccess";
import { hashContext } from "../context/hash";
import { pinContext, readsGit } from "../context/pin";
import type { ContextSource, HashRequest } from "../context/request";
import type { PlatformImageInputs } from "./platformImageInputs";
import { readSecretFiles } from "./secretFiles";
import { hasUnknown, isObject, unknownValue, type Properties } from "./values";

/**
 * Inputs that count only when they are given: a program that does not use them keeps its hash from versions that did not
 * have them. Limits of steps, agents, keys and what is run again say how a build goes, not what comes out.
 */
const optionalInputs = [
    "labels",
    "annotations",
    "network",
    "addHosts",
    "sourceDateEpoch",
    "compression",
    "compressionLevel",
    "forceCompression",
] as const;

/** The inputs that can change an image. All others, such as builders, caches and accounts, never build it again. */
export const imageInputs = [
    "platform",
    "context",
    "dockerfile",
    "target",
    "buildArgs",
    "ownContentHash",
    "invalidation",
    "baseImages",
    "pull",
    "attestations",
    ...optionalInputs,
] as const;

/** What an image is made from, as far as it is known. */
export interface Content {
    /** Stands for all of it. Unknown in a preview when one of the inputs is. */
    readonly hash: string;
    /** What was hashed, by path; undefined when the program brings its own hash. */
    readonly files?: FileList | undefined;
    /** What was hashed, and is to be built: the commits of git repositories in place of their refs. */
    readonly context?: ContextSource | undefined;
    /** The digests of the base images by reference, when they are tracked. */
    readonly baseImages?: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads everything that can change the image of one platform: what a builder would be sent, the inputs above, and the
 * digests of the base images when they are tracked. Where files are does not count, only what they are.
 */
export async function readContent(
    inputs: Properties,
    baseImages: Readonly<Record<string, string>> | undefined,
    signal: AbortSignal,
): Promise<Content> {
    const { invalidation, secrets } = inputs as unknown as PlatformImageInputs;
    const secretsCount = invalidation?.secrets === true;
    if (
        imageInputs.some((name) => hasUnknown(inputs[name])) ||
        (secretsCount && hasUnknown([secrets, inputs["secretFiles"]]))
    ) {
        return { hash: unknownValue };
    }
    const image = inputs as unknown as PlatformImageInputs;
    if (image.ownContentHash === undefined && lacksGitSecrets(image)) {
        return { hash: unknownValue };
    }
    const request = image.ownContentHash === undefined ? await pinRequest(image, signal) : undefined;
    const files = request && (await hashContext(request));
    const ignored = new Set(invalidation?.ignoreBuildArgs ?? []);
    const buildArgs = Object.entries(image.buildArgs ?? {}).filter(([name]) => !ignored.has(name));
    const secretFiles = secretsCount ? await readSecretFiles(image) : [];
    const document = JSON.stringify([
        "multiarch content 1",
        image.platform,
        image.ownContentHash ?? files?.digest,
        image.target ?? "",
        hideValues(buildArgs),
        secretsCount ? hideValues([...Object.entries(secrets ?? {}), ...secretFiles]) : "",
        invalidation?.extra ?? "",
        Object.entries(baseImages ?? {}).sort(byName),
        ...hashOptions(image),
        ...describeAttestations(image.attestations),
    ]);
    const hash = `sha256:${createHash("sha256").update(document).digest("hex")}`;
    return { hash, files: files?.entries, context: request?.context, baseImages };
}

/** In the order of the names, however the program writes them; nothing when none is given. */
function hashOptions(image: PlatformImageInputs): [name: string, value: unknown][][] {
    const given = optionalInputs.map((name): [string, unknown] => [name, image[name]]);
    const options = given.filter(([, value]) => value !== undefined && !isDeepStrictEqual(value, {}));
    const sorted = options.map(([name, value]): [string, unknown] => [name, isObject(value) ? sortKeys(value) : value]);
    return sorted.length > 0 ? [sorted] : [];
}

function sortKeys(value: Properties): [string, unknown][] {
    return Object.entries(value).sort(byName);
}

/** Nothing at all without attestations: what was built before there were any is not built again. */
function describeAttestations(attestations: PlatformImageInputs["attestations"]): unknown[] {
    const { provenance = "none", sbom = false, sbomGenerator = "" } = attestations ?? {};
    return provenance === "none" && !sbom ? [] : [["attestations", provenance, sbom, sbom ? sbomGenerator : ""]];
}

/** The commits are chosen first: what is hashed is what will be built, however long that takes. */
async function pinRequest(image: PlatformImageInputs, signal: AbortSignal): Promise<HashRequest> {
    const { context = { location: "." }, dockerfile, secrets, buildArgs } = image;
    const request = { context, dockerfile, secrets, signal };
    // With this argument a build gets the git folder, where a commit lacks its branch or tag. BuildKit has options in
    // the address for that, which can be pinned: https://docs.docker.com/build/concepts/context/#url-queries
    const keepsRef = buildArgs?.["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] !== undefined;
    return { ...request, context: await pinContext(request, { keepsRef }) };
}

/** In a preview the token for a private repository may not be known yet: then its commit is not either. */
function lacksGitSecrets({ context, secrets }: PlatformImageInputs): boolean {
    const unknown = hasUnknown(secrets) && (typeof secrets !== "object" || hasUnknown(pickGitSecrets(secrets)));
    return unknown && context !== undefined && readsGit(context);
}

/**
 * The hash of an image stands in the state in clear text, and some of these values may be secrets. Everything else that
 * goes into it can be known to others: without this, they could try short secrets until the hash fits.
 */
function hideValues(entries: readonly (readonly [string, string])[]): string {
    if (entries.length === 0) {
        return "";
    }
    return scryptSync(JSON.stringify([...entries].sort(byName)), "multiarch content", 32).toString("hex");
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
    return one < other ? -1 : Number(one > other);
}
