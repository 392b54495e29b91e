import type { RegistryClient } from "./client";
import type { Descriptor } from "./manifests";
import type { Repository } from "./reference";

/** Reads content as a whole. It fits its digest, and the size that its descriptor has. */
export async function readSmallBlob(
    client: Pick<RegistryClient, "openBlob">,
    repository: Repository,
    blob: Pick<Descriptor, "digest" | "size">,
): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of await client.openBlob(repository, blob)) {
        parts.push(part);
    }
    return Buffer.concat(parts);
}
