import { createHash, scryptSync } from "node:crypto";

import type { FileList } from "../context/fileList";
import { pickGitSecrets } from "../context/gitAccess";
import { hashContext } from "../context/hash";
import { pinContext, readsGit } from "../context/pin";
import type { ContextSource, HashRequest } from "../context/request";
import type { PlatformImageInputs } from "./platformImageInputs";
import { hasUnknown, unknownValue, type Properties } from "./values";

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
    if (imageInputs.some((name) => hasUnknown(inputs[name])) || (secretsCount && hasUnknown(secrets))) {
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
    const document = JSON.stringify([
        "multiarch content 1",
        image.platform,
        image.ownContentHash ?? files?.digest,
        image.target ?? "",
        hideValues(buildArgs),
        secretsCount ? hideValues(Object.entries(secrets ?? {})) : "",
        invalidation?.extra ?? "",
        Object.entries(baseImages ?? {}).sort(byName),
    ]);
    const hash = `sha256:${createHash("sha256").update(document).digest("hex")}`;
    return { hash, files: files?.entries, context: request?.context, baseImages };
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
