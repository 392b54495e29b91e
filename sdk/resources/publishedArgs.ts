import { listSecretArgs } from "../build/buildArgs";
import type { BuildRequest } from "../build/request";
import type { RegistryClient } from "../registry/client";
import type { Descriptor } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { holdsSecret } from "./attestationCheck";

/** The part of a client that is needed here. */
export type ConfigReader = Pick<RegistryClient, "getManifest" | "getBlobJson">;

/**
 * Says which secret build arguments an image publishes: its configuration has the history of its last stage, with the
 * arguments that its steps had, and the labels and variables that were made of them. Everyone who can pull it reads that.
 */
export async function describePublishedArgs(
    client: ConfigReader,
    where: Repository,
    { digest }: Pick<Descriptor, "digest">,
    request: Pick<BuildRequest, "buildArgs" | "secrets" | "redact">,
): Promise<string[]> {
    const names = listSecretArgs(request);
    if (names.length === 0) {
        return [];
    }
    const { manifest } = await client.getManifest({ ...where, digest });
    const config = manifest.kind === "image" ? await client.getBlobJson(where, manifest.config.digest) : undefined;
    return names
        .filter((name) => holdsSecret(config, [request.buildArgs[name] ?? ""]))
        .map((name) => {
            const what = `the image shows the secret build argument ${name} to everyone who can pull it`;
            return `${what}: give the value in secrets, and use RUN --mount=type=secret`;
        });
}
