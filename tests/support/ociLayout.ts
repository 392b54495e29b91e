import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes an image with one layer as an OCI layout, and gives its digest. `layer` is a tar archive. */
export function writeOciLayout(folder: string, layer: Buffer): string {
    const blobs = join(folder, "blobs", "sha256");
    mkdirSync(blobs, { recursive: true });
    const write = (bytes: Buffer, mediaType: string) => {
        const hash = createHash("sha256").update(bytes).digest("hex");
        writeFileSync(join(blobs, hash), bytes);
        return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
    };
    const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
    const content = write(layer, "application/vnd.oci.image.layer.v1.tar");
    const configuration = {
        architecture: "amd64",
        os: "linux",
        config: {},
        rootfs: { type: "layers", diff_ids: [content.digest] },
    };
    const config = write(json(configuration), "application/vnd.oci.image.config.v1+json");
    const manifestType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [content] };
    const image = write(json(manifest), manifestType);
    writeFileSync(join(folder, "index.json"), json({ schemaVersion: 2, manifests: [image] }));
    writeFileSync(join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
    return image.digest;
}
