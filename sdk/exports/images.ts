import { formatPlatform, normalisePlatform } from "../platform";
import type { FetchedManifest } from "../registry/answers";
import type { RegistryClient } from "../registry/client";
import { isAttestation, type ImagePlatform } from "../registry/manifests";
import type { Repository } from "../registry/reference";

/** The image of one platform. */
export interface PlatformContent {
    readonly platform: string;
    readonly image: FetchedManifest;
    /** The digests of its layers without compression. */
    readonly diffIds: readonly string[];
    /** The platform as a manifest describes it. */
    readonly described: ImagePlatform;
}

type Reader = Pick<RegistryClient, "getManifest" | "getBlobJson">;

/**
 * Reads the images that an index lists, or the image itself, by platform. Attestations are no images. Fails when two of
 * them are for the same platform, which would share a path.
 */
export async function listImages(
    client: Reader,
    { registry, repository }: Repository,
    root: FetchedManifest,
): Promise<PlatformContent[]> {
    const where = { registry, repository };
    const found: PlatformContent[] = [];
    const visit = async (fetched: FetchedManifest, listed: ImagePlatform | undefined): Promise<void> => {
        const { manifest } = fetched;
        if (manifest.kind === "index") {
            for (const child of manifest.manifests.filter((each) => !isAttestation(each))) {
                await visit(await client.getManifest({ ...where, digest: child.digest }), child.platform);
            }
            return;
        }
        const config = await client.getBlobJson(where, manifest.config.digest);
        const { os, architecture, variant, rootfs } = (config ?? {}) as Record<string, unknown>;
        const diffIds = (rootfs as { diff_ids?: unknown } | undefined)?.diff_ids;
        const described = listed ?? ({ os, architecture, ...(variant ? { variant } : {}) } as ImagePlatform);
        if (typeof described.os !== "string" || typeof described.architecture !== "string") {
            throw new TypeError(`${fetched.descriptor.digest} does not say which platform it is for`);
        }
        const platform = formatPlatform(normalisePlatform(described));
        const same = found.find((other) => other.platform === platform);
        if (same !== undefined && same.image.descriptor.digest !== fetched.descriptor.digest) {
            throw new TypeError(`it has two images for ${platform}, which would have the same path`);
        }
        if (same === undefined) {
            found.push({ platform, image: fetched, diffIds: Array.isArray(diffIds) ? diffIds : [], described });
        }
    };
    await visit(root, root.descriptor.platform);
    if (found.length === 0) {
        throw new TypeError("it has no image");
    }
    return found;
}
