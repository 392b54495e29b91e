import { MultiArchError } from "../errors";
import { parsePlatform } from "../platform";
import type { RegistryClient } from "../registry/client";
import { isAttestation } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { verifyImage } from "../registry/verify";
import { lacksManifests, type ImageIndexInputs, type WholeIndexInputs } from "./imageIndexInputs";
import { fromDescriptor, toDescriptor } from "./manifest";

/**
 * A tag must never point at less than everything: each image is looked at again, down to its layers. Gives the inputs
 * with the manifests of those images that came without.
 */
export async function verifyAll(
    client: RegistryClient,
    where: Repository,
    inputs: ImageIndexInputs,
): Promise<WholeIndexInputs> {
    const { whole, missing } = await findManifests(client, where, inputs);
    if (missing.length > 0) {
        throw new MultiArchError("index-incomplete", {
            what: `${inputs.repository} does not have the images of all platforms, so no tag was moved`,
            lines: missing,
            // Whoever gives a digest alone has a resource for the image that knows nothing of refresh.
            ...(lacksManifests(inputs) ? { next: "Run up with --replace and the URN of what builds that image." } : {}),
        });
    }
    return whole;
}

/** Looks all images up, and says what is missing of them. */
export async function findManifests(
    client: RegistryClient,
    where: Repository,
    inputs: ImageIndexInputs,
): Promise<{ whole: WholeIndexInputs; missing: string[] }> {
    const results = await Promise.all(
        inputs.images.map(async (image) => {
            const { platform, digest, manifests } = image;
            const also = (manifests ?? []).map(toDescriptor).filter(isAttestation);
            const options = { absentOn: [404], also } as const;
            const result = await verifyImage(client, where, digest, parsePlatform(platform), options);
            const found = result.complete ? [result.image, ...result.attestations].map(fromDescriptor) : [];
            const missing = result.complete ? [] : result.problems.map(({ text }) => `${platform}: ${text}`);
            return { image: { ...image, manifests: manifests ?? found }, missing };
        }),
    );
    return {
        whole: { ...inputs, images: results.map(({ image }) => image) },
        missing: results.flatMap(({ missing }) => missing),
    };
}
