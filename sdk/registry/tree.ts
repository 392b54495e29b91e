import { formatPlatform, normalisePlatform } from "../platform";
import type { FetchedManifest } from "./answers";
import { forEachAtOnce } from "./atOnce";
import type { RegistryClient } from "./client";
import { type Descriptor, isAttestation } from "./manifests";
import type { Repository } from "./reference";

/** A manifest and everything it refers to. */
export interface ManifestTree {
    /** The manifest itself, and those it lists, each once. A child always comes before what lists it. */
    readonly manifests: readonly FetchedManifest[];
    /** Configurations and layers, each once. */
    readonly blobs: readonly Descriptor[];
}

/** Reads a manifest and all that it lists, attestations included, however deep. Throws when one of them is missing. */
export async function readTree(
    client: Pick<RegistryClient, "getManifest">,
    { registry, repository }: Repository,
    root: FetchedManifest,
): Promise<ManifestTree> {
    const manifests = new Map<string, FetchedManifest>();
    const visit = async (fetched: FetchedManifest): Promise<void> => {
        const { manifest, descriptor } = fetched;
        for (const child of manifest.kind === "index" ? manifest.manifests : []) {
            if (!manifests.has(child.digest)) {
                await visit(await client.getManifest({ registry, repository, digest: child.digest }));
            }
        }
        manifests.set(descriptor.digest, fetched);
    };
    await visit(root);
    return { manifests: [...manifests.values()], blobs: listBlobs([...manifests.values()]) };
}

/** What a registry has of a manifest and of all that it lists. */
export interface Presence {
    /** The manifest itself, when it is there. */
    readonly root: FetchedManifest | undefined;
    /** The digests of manifests, configurations and layers that are not there. */
    readonly missing: readonly string[];
}

/** Looks for every part of a manifest: all that it lists, configurations and layers. */
export async function findPresence(
    client: Pick<RegistryClient, "headManifest" | "getManifest" | "hasBlob">,
    repository: Repository,
    digest: string,
): Promise<Presence> {
    const reference = { registry: repository.registry, repository: repository.repository, digest };
    if ((await client.headManifest(reference)) === undefined) {
        return { root: undefined, missing: [digest] };
    }
    const root = await client.getManifest(reference);
    const missing: string[] = [];
    for (const child of root.manifest.kind === "index" ? root.manifest.manifests : []) {
        missing.push(...(await findPresence(client, repository, child.digest)).missing);
    }
    await forEachAtOnce(listBlobs([root]), checksAtOnce, undefined, async ({ digest: blob }) => {
        if (!(await client.hasBlob(repository, blob))) {
            missing.push(blob);
        }
    });
    return { root, missing };
}

/** Reads a manifest whose every part is in the registry. Undefined when anything is missing. */
export async function findWhole(
    client: Pick<RegistryClient, "headManifest" | "getManifest" | "hasBlob">,
    repository: Repository,
    digest: string,
): Promise<FetchedManifest | undefined> {
    const { root, missing } = await findPresence(client, repository, digest);
    return missing.length === 0 ? root : undefined;
}

/** The images that an index lists, or the image itself, by platform. Attestations are no images. */
export async function listPlatforms(
    client: Pick<RegistryClient, "getBlobJson">,
    repository: Repository,
    { descriptor, manifest }: FetchedManifest,
): Promise<Record<string, string>> {
    const images: { platform: unknown; digest: string }[] =
        manifest.kind === "index"
            ? manifest.manifests
                  .filter((child) => !isAttestation(child))
                  .map(({ platform, digest }) => ({ platform, digest }))
            : [{ platform: await client.getBlobJson(repository, manifest.config.digest), digest: descriptor.digest }];
    return Object.fromEntries(
        images.flatMap(({ platform, digest }) => readPlatform(platform).map((name) => [name, digest])),
    );
}

/** What is no image, such as a chart, says nothing of a platform. */
function readPlatform(value: unknown): string[] {
    const { os, architecture, variant } = (value ?? {}) as Record<string, unknown>;
    if (typeof os !== "string" || typeof architecture !== "string") {
        return [];
    }
    const platform = { os, architecture, ...(typeof variant === "string" ? { variant } : {}) };
    return [formatPlatform(normalisePlatform(platform))];
}

const checksAtOnce = 4;

/** A layer with addresses of its own is fetched from there: registries refuse it, or have it only by chance. */
function listBlobs(manifests: readonly FetchedManifest[]): Descriptor[] {
    const listed = manifests.flatMap(({ manifest }) =>
        manifest.kind === "image"
            ? [manifest.config, ...manifest.layers.filter(({ urls }) => (urls ?? []).length === 0)]
            : [],
    );
    return [...new Map(listed.map((blob) => [blob.digest, blob])).values()];
}
