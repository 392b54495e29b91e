import { createHash } from "node:crypto";
import { formatPlatform, normalisePlatform, type Platform } from "../platform";
import { isDigest } from "./reference";

/** The types of manifests this package reads. */
export const mediaTypes = {
    ociIndex: "application/vnd.oci.image.index.v1+json",
    ociManifest: "application/vnd.oci.image.manifest.v1+json",
    dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
    dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** A platform, with what an image may say beyond its name. Windows images do. */
export interface ImagePlatform extends Platform {
    readonly "os.version"?: string | undefined;
    readonly "os.features"?: readonly string[] | undefined;
}

/** Points to content by its digest. */
export interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    /** In bytes. */
    readonly size: number;
    readonly platform?: ImagePlatform | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    /** Where else the content may be. Layers with this need not be in the registry. */
    readonly urls?: readonly string[] | undefined;
}

/** The manifest of an image for one platform. */
export interface ImageManifest {
    readonly kind: "image";
    readonly mediaType: string;
    readonly config: Descriptor;
    readonly layers: readonly Descriptor[];
}

/** The manifest of several images. */
export interface IndexManifest {
    readonly kind: "index";
    readonly mediaType: string;
    readonly manifests: readonly Descriptor[];
    readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest, as far as this package needs it. */
export type Manifest = ImageManifest | IndexManifest;

/** A document that was made here. */
export interface MadeManifest {
    readonly bytes: Buffer;
    readonly digest: string;
    readonly mediaType: string;
}

/** A platform's part of what its build pushed. */
export interface FlatChild {
    /** The manifest of the image itself. */
    readonly image: Descriptor;
    /** The manifests of its attestations, in their order. */
    readonly attestations: readonly Descriptor[];
}

/** The digest of bytes: `sha256:` and 64 hexadecimal digits. */
export function digestOf(bytes: Uint8Array): string {
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** True for the manifest of several images. */
export function isIndex(mediaType: string): boolean {
    return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
}

/**
 * Reads a manifest. Its own `mediaType` counts more than what the registry says, because only the bytes are covered by
 * the digest. Fails with an error that says what is wrong.
 */
export function parseManifest(bytes: Uint8Array, contentType: string): Manifest {
    const document = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown> | null;
    if (document?.schemaVersion !== 2) {
        throw new TypeError("it has no schemaVersion 2");
    }
    const { mediaType: own, manifests, config, layers, annotations } = document;
    const mediaType = typeof own === "string" && own !== "" ? own : contentType;
    // A document that is both could be read as one thing here and as another elsewhere:
    // https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
    if (manifests !== undefined && (config !== undefined || layers !== undefined)) {
        throw new TypeError("it is an image and an index at once");
    }
    if (isIndex(mediaType)) {
        const notes = (annotations ?? {}) as Record<string, string>;
        return { kind: "index", mediaType, manifests: readDescriptors(manifests), annotations: notes };
    }
    if (mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest) {
        return { kind: "image", mediaType, config: readDescriptor(config), layers: readDescriptors(layers) };
    }
    throw new TypeError(`its type is ${mediaType === "" ? "missing" : mediaType}`);
}

/**
 * Makes an OCI index. The same children and annotations give the same bytes on every machine: children in the order
 * given, fields in the order of the specification's Go types, annotations sorted, formatted as Go does.
 */
export function buildIndex(
    children: readonly Descriptor[],
    annotations: Readonly<Record<string, string>> = {},
): MadeManifest {
    const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: children.map(orderDescriptor),
        ...sortAnnotations(annotations),
    };
    // Go escapes these characters in JSON; doing the same keeps other tools from changing the digest by rewriting it.
    const text = JSON.stringify(document, undefined, 2).replace(/[<>&\u2028\u2029]/g, (character) => {
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
    const bytes = Buffer.from(text, "utf8");
    return { bytes, digest: digestOf(bytes), mediaType: mediaTypes.ociIndex };
}

/**
 * What goes into the common index for one platform. A build with attestations pushes an index of its own: the image,
 * and attestation manifests that name it. https://docs.docker.com/build/metadata/attestations/attestation-storage/
 *
 * Fails with an error that says what is wrong, when there is not exactly one image of that platform.
 */
export function flattenChild(pushed: Descriptor, manifest: Manifest, platform: Platform): FlatChild {
    if (manifest.kind === "image") {
        return { image: { ...pushed, platform }, attestations: [] };
    }
    const images = manifest.manifests.filter((child) => !isAttestation(child));
    const fitting = images.filter((child) => child.platform === undefined || isSamePlatform(child.platform, platform));
    const [image] = fitting;
    if (image === undefined || fitting.length > 1) {
        const found = images.map((child) => (child.platform ? formatPlatform(child.platform) : "one without platform"));
        throw new TypeError(
            `it holds ${fitting.length} images for ${formatPlatform(platform)} (found: ${found.join(", ") || "none"})`,
        );
    }
    return {
        image: { ...image, platform: mergePlatform(image.platform, platform) },
        attestations: manifest.manifests.filter((child) => isAttestation(child) && isAbout(child, image.digest)),
    };
}

/** True when both mean the same operating system, architecture and variant, however they are written. */
export function isSamePlatform(one: Platform, other: Platform): boolean {
    return formatPlatform(normalisePlatform(one)) === formatPlatform(normalisePlatform(other));
}

/** True for a manifest that holds statements about an image, and no image. */
export function isAttestation(descriptor: Descriptor): boolean {
    return descriptor.annotations?.["vnd.docker.reference.type"] !== undefined;
}

/** True for an attestation about the image with this digest. */
export function isAbout(attestation: Descriptor, digest: string): boolean {
    return attestation.annotations?.["vnd.docker.reference.digest"] === digest;
}

/** The platform as the user wrote it, with what the registry knows beyond its name. */
function mergePlatform(found: ImagePlatform | undefined, wanted: Platform): ImagePlatform {
    const { os: _os, architecture: _architecture, variant: _variant, ...details } = found ?? wanted;
    return { ...details, ...wanted };
}

/** The order of https://github.com/opencontainers/image-spec/blob/v1.1.1/specs-go/v1/descriptor.go */
function orderDescriptor({ mediaType, digest, size, urls, annotations, platform }: Descriptor): object {
    return {
        mediaType,
        digest,
        size,
        ...(urls && urls.length > 0 ? { urls } : {}),
        ...sortAnnotations(annotations ?? {}),
        ...(platform ? { platform: orderPlatform(platform) } : {}),
    };
}

function orderPlatform(platform: ImagePlatform): object {
    const version = platform["os.version"];
    const features = platform["os.features"];
    return {
        architecture: platform.architecture,
        os: platform.os,
        ...(version ? { "os.version": version } : {}),
        ...(features && features.length > 0 ? { "os.features": features } : {}),
        ...(platform.variant ? { variant: platform.variant } : {}),
    };
}

function sortAnnotations(annotations: Readonly<Record<string, string>>): { annotations?: Record<string, string> } {
    const entries = Object.entries(annotations).sort(([one], [other]) => (one < other ? -1 : 1));
    return entries.length > 0 ? { annotations: Object.fromEntries(entries) } : {};
}

function readDescriptors(value: unknown): Descriptor[] {
    if (!Array.isArray(value)) {
        throw new TypeError("it lists no content");
    }
    return value.map(readDescriptor);
}

function readDescriptor(value: unknown): Descriptor {
    const { mediaType, digest, size } = (value ?? {}) as Record<string, unknown>;
    const isComplete = typeof mediaType === "string" && typeof digest === "string" && typeof size === "number";
    if (!isComplete || !isDigest(digest)) {
        throw new TypeError("it points to content without a type, a sha256 digest or a size");
    }
    return value as Descriptor;
}
