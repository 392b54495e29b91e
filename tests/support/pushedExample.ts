import { createRegistryClient } from "../../sdk/registry/client";
import { digestOf, mediaTypes, type Descriptor } from "../../sdk/registry/manifests";
import { parseRepository } from "../../sdk/registry/reference";
import type { RegistryPlace } from "./world";

/** An index that was pushed without a build. */
export interface PushedExample {
    /** The digest of the index. */
    readonly index: string;
    /** The image of each platform. */
    readonly platforms: Readonly<Record<string, string>>;
    /** The statements about the images. */
    readonly attestations: readonly string[];
}

/** Pushes an index of two platforms with an attestation for each, as a build with provenance would. */
export async function pushExample(
    place: RegistryPlace,
    repository: string,
    tag: string,
    text = "one",
): Promise<PushedExample> {
    const { registry: address, username, password } = place;
    const client = createRegistryClient({
        registries: [{ address, username, password }],
        env: { SSL_CERT_FILE: place.caFile },
        dockerConfigDir: "/nonexistent",
    });
    const where = parseRepository(repository);
    const putBlob = async (content: string, mediaType: string): Promise<Descriptor> => {
        const bytes = Buffer.from(content);
        const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
        await client.putBlob(where, blob, () => Promise.resolve(toStream(bytes)));
        return blob;
    };
    const putManifest = async (document: object, mediaType: string, name?: string): Promise<Descriptor> => {
        const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
        const digest = await client.putManifest({ ...where, digest: digestOf(bytes) }, bytes, mediaType);
        if (name !== undefined) {
            await client.putManifest({ ...where, tag: name }, bytes, mediaType);
        }
        return { mediaType, digest, size: bytes.length };
    };
    const putImage = async (config: object, layer: string, layerType: string): Promise<Descriptor> =>
        putManifest(
            {
                config: await putBlob(JSON.stringify(config), "application/vnd.oci.image.config.v1+json"),
                layers: [await putBlob(layer, layerType)],
            },
            mediaTypes.ociManifest,
        );
    try {
        const images: Descriptor[] = [];
        const attestations: Descriptor[] = [];
        for (const architecture of ["amd64", "arm64"]) {
            const platform = { architecture, os: "linux" };
            const image = await putImage(platform, `${text} ${architecture}`, "application/vnd.oci.image.layer.v1.tar");
            const statement = JSON.stringify({ subject: image.digest });
            const nowhere = { architecture: "unknown", os: "unknown" };
            const attestation = await putImage(nowhere, statement, "application/vnd.in-toto+json");
            const annotations = {
                "vnd.docker.reference.digest": image.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            };
            images.push({ ...image, platform });
            attestations.push({ ...attestation, annotations, platform: nowhere });
        }
        const { digest } = await putManifest({ manifests: [...images, ...attestations] }, mediaTypes.ociIndex, tag);
        return {
            index: digest,
            platforms: { "linux/amd64": images[0]?.digest ?? "", "linux/arm64": images[1]?.digest ?? "" },
            attestations: attestations.map((attestation) => attestation.digest),
        };
    } finally {
        await client.close();
    }
}

async function* toStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
}
