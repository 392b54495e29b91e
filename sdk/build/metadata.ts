/** What was pushed: the digest, and what a registry or an index says of it. */
export interface PushedImage {
    readonly digest: string;
    readonly descriptor: PushedDescriptor;
}

/** A manifest, as an index lists it. */
export interface PushedDescriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

/**
 * Reads the file that buildx writes with `--metadata-file`. Undefined when there is no digest in it. `buildx bake` has
 * that of each target by its name.
 * https://github.com/docker/buildx/blob/v0.35.0/docs/reference/buildx_build.md#metadata-file
 */
export function parseMetadata(text: string, target?: string): PushedImage | undefined {
    let document: unknown;
    try {
        const whole: unknown = JSON.parse(text);
        document = target === undefined ? whole : property(whole, target);
    } catch {
        return undefined;
    }
    const digest = property(document, "containerimage.digest");
    const descriptor = property(document, "containerimage.descriptor");
    const mediaType = property(descriptor, "mediaType");
    const size = property(descriptor, "size");
    if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
        return undefined;
    }
    if (typeof mediaType !== "string" || typeof size !== "number" || property(descriptor, "digest") !== digest) {
        return undefined;
    }
    return { digest, descriptor: { mediaType, digest, size } };
}

function property(value: unknown, name: string): unknown {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
