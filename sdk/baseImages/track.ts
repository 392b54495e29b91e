import { formatPlatform, parsePlatform } from "../platform";
import type { RegistryCredential } from "../registry/accounts";
import { createRegistryClient, type RegistryClient } from "../registry/client";
import { type BaseImageOptions, findBaseImages, type UnresolvedBase } from "./dockerfile";
import { resolveBaseImages } from "./resolve";

type Reader = Pick<RegistryClient, "headManifest" | "getManifest">;

/** Whose base images are tracked, and how their registries are reached. */
export interface TrackRequest extends BaseImageOptions {
    readonly dockerfileText: string;
    /** Accounts the user gave. They win over the docker configuration of the machine. */
    readonly registries?: readonly RegistryCredential[] | undefined;
    /** Ends everything that is under way. */
    readonly signal?: AbortSignal | undefined;
    /** Reaches the registries. Defaults to a client of its own with the accounts and the signal above. */
    readonly client?: Reader | undefined;
}

/** What a build starts from now. */
export interface TrackedBaseImages {
    /**
     * Digests by reference, sorted. A reference that is pulled for another platform than the one that is built is
     * followed by that platform: `docker.io/library/golang:1.21 (linux/amd64)`.
     */
    readonly digests: Record<string, string>;
    /** What the Dockerfile does not tell: nothing is guessed. */
    readonly unresolved: readonly UnresolvedBase[];
}

/**
 * Finds out what a build would start from if it ran now: which images, and what they point to.
 *
 * Throws a MultiArchError of the registry for an image that cannot be read, and `platform-unknown`.
 */
export async function trackBaseImages(request: TrackRequest): Promise<TrackedBaseImages> {
    const { registries, signal, client } = request;
    if (client) {
        return track(request, client);
    }
    const own = createRegistryClient({ registries, signal });
    try {
        return await track(request, own);
    } finally {
        await own.close();
    }
}

async function track(request: TrackRequest, client: Reader): Promise<TrackedBaseImages> {
    const { images, unresolved } = findBaseImages(request.dockerfileText, request);
    const resolved = await resolveBaseImages(images, client);
    const built = formatPlatform(parsePlatform(request.platform));
    const entries = resolved.map(({ ref, platform, digest }): [string, string] => {
        return [platform === built ? ref : `${ref} (${platform})`, digest];
    });
    return { digests: Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1))), unresolved };
}
