import type { Descriptor } from "../registry/manifests";
import type { ManifestDescriptor } from "./platformImage";

/** A manifest as the registry writes it, from the one in the state. */
export function toDescriptor({ mediaType, digest, size, platform, annotations }: ManifestDescriptor): Descriptor {
    const { os, architecture, variant, osVersion } = platform;
    return {
        mediaType,
        digest,
        size,
        platform: {
            architecture,
            os,
            ...(osVersion === undefined ? {} : { "os.version": osVersion }),
            ...(variant === undefined ? {} : { variant }),
        },
        ...(annotations === undefined ? {} : { annotations }),
    };
}

/** A manifest as the state keeps it, from the one in the registry. */
export function fromDescriptor({
    mediaType,
    digest,
    size,
    platform,
    annotations = {},
}: Descriptor): ManifestDescriptor {
    const { os = "", architecture = "", variant, "os.version": osVersion } = platform ?? {};
    return {
        mediaType,
        digest,
        size,
        platform: {
            os,
            architecture,
            ...(variant === undefined ? {} : { variant }),
            ...(osVersion === undefined ? {} : { osVersion }),
        },
        // Without them an index would list an attestation as one more image.
        ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...annotations } }),
    };
}
