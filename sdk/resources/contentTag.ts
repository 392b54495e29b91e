import { parsePlatform } from "../platform";
import type { RegistryClient } from "../registry/client";
import type { Repository } from "../registry/reference";
import { verifyImage, type Verification } from "../registry/verify";
import type { PlatformImageInputs } from "./platformImageInputs";
import { beforeWriting } from "./tags";

/** An image that is in the registry already, and whole. */
export interface FinishedImage {
    readonly digest: string;
    readonly verified: Extract<Verification, { complete: true }>;
}

/** The tag of an image that is found again by its content. Platforms differ in their hashes; the name is for people. */
export function contentTagOf({ contentHash, platform }: Pick<PlatformImageInputs, "contentHash" | "platform">): string {
    return `content-${contentHash.slice("sha256:".length, "sha256:".length + 32)}-${platform.replaceAll("/", "-")}`;
}

/** Looks for an image with this content. One that lacks anything counts as not there: it is built again. */
export async function findFinishedImage(
    client: RegistryClient,
    where: Repository,
    inputs: PlatformImageInputs,
): Promise<FinishedImage | undefined> {
    const found = await client.headManifest({ ...where, tag: contentTagOf(inputs) }, beforeWriting);
    if (found === undefined) {
        return undefined;
    }
    const verified = await verifyImage(client, where, found.digest, parsePlatform(inputs.platform), beforeWriting);
    return verified.complete ? { digest: found.digest, verified } : undefined;
}

/** Lets others find the image. It is whole by now. */
export async function setContentTag(
    client: RegistryClient,
    where: Repository,
    inputs: PlatformImageInputs,
    digest: string,
): Promise<void> {
    const { bytes, descriptor } = await client.getManifest({ ...where, digest });
    await client.putManifest({ ...where, tag: contentTagOf(inputs) }, bytes, descriptor.mediaType);
}
