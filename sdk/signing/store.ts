import { type Descriptor, digestOf, mediaTypes } from "../registry/manifests";
import type { RegistryClient } from "../registry/client";
import type { Repository } from "../registry/reference";
import { readSmallBlob } from "../registry/smallBlob";
import { predicateType } from "./statement";

/** A signature in a registry: a manifest that refers to what was signed, with one bundle as its layer. */
export interface StoredSignature {
    /** The digest of the manifest. */
    readonly digest: string;
    readonly manifest: Buffer;
    readonly bundle: Buffer;
    readonly annotations: Readonly<Record<string, string>>;
}

/** The part of a client that is needed here. */
export type SignatureClient = Pick<
    RegistryClient,
    "headManifest" | "getManifest" | "openBlob" | "hasBlob" | "putBlob" | "listReferrers" | "putReferrer"
>;

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const emptyType = "application/vnd.oci.empty.v1+json";
const empty = Buffer.from("{}");

// Anyone who may push can add more. A real image has a handful.
const mostSignatures = 100;
const largestBundle = 1024 * 1024;

/** Reads the sigstore bundles about a digest. What is about it in another way is left out, and so is what is damaged. */
export async function readSignatures(
    client: Pick<SignatureClient, "getManifest" | "openBlob" | "hasBlob" | "listReferrers" | "headManifest">,
    where: Repository,
    digest: string,
): Promise<StoredSignature[]> {
    const referrers = await client.listReferrers(where, digest);
    const found: StoredSignature[] = [];
    for (const { digest: name, mediaType } of referrers.slice(0, mostSignatures)) {
        if (
            mediaType !== mediaTypes.ociManifest ||
            (await client.headManifest({ ...where, digest: name })) === undefined
        ) {
            continue;
        }
        const { manifest, bytes } = await client.getManifest({ ...where, digest: name });
        const layers = manifest.kind === "image" ? manifest.layers : [];
        const [layer] = layers;
        if (
            layer === undefined ||
            layers.length > 1 ||
            !layer.mediaType.startsWith("application/vnd.dev.sigstore.bundle") ||
            layer.size > largestBundle
        ) {
            continue;
        }
        if (await client.hasBlob(where, layer.digest)) {
            const bundle = await readSmallBlob(client, where, layer);
            const { annotations = {} } = JSON.parse(bytes.toString("utf8")) as { annotations?: Record<string, string> };
            found.push({ digest: name, manifest: bytes, bundle, annotations });
        }
    }
    return found;
}

/** Writes a bundle where cosign looks for it. https://github.com/sigstore/cosign/blob/v3.1.3/specs/BUNDLE_SPEC.md */
export async function writeSignature(
    client: SignatureClient,
    where: Repository,
    subject: Pick<Descriptor, "mediaType" | "digest" | "size">,
    bundle: Buffer,
): Promise<string> {
    const annotations = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": predicateType,
        "org.opencontainers.image.created": `${new Date().toISOString().slice(0, -5)}Z`,
    };
    const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: bundleType,
        config: { mediaType: emptyType, digest: digestOf(empty), size: empty.length },
        layers: [{ mediaType: bundleType, digest: digestOf(bundle), size: bundle.length }],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
        annotations,
    };
    await putParts(client, where, bundle);
    const bytes = Buffer.from(JSON.stringify(manifest));
    return client.putReferrer(where, { subject: subject.digest, bytes, artifactType: bundleType, annotations });
}

/** Writes a signature to another repository, byte for byte. */
export async function copySignature(
    client: SignatureClient,
    where: Repository,
    subject: string,
    { manifest, bundle, annotations }: StoredSignature,
): Promise<string> {
    await putParts(client, where, bundle);
    return client.putReferrer(where, { subject, bytes: manifest, artifactType: bundleType, annotations });
}

async function putParts(client: SignatureClient, where: Repository, bundle: Buffer): Promise<void> {
    for (const content of [empty, bundle]) {
        const blob = { digest: digestOf(content), size: content.length };
        if (!(await client.hasBlob(where, blob.digest))) {
            await client.putBlob(where, blob, () => Promise.resolve(toStream(content)));
        }
    }
}

async function* toStream(content: Buffer): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(content);
}
