import { brokenError } from "./faults";
import type { FetchedManifest } from "./answers";
import { type Descriptor, digestOf, mediaTypes, parseManifest } from "./manifests";
import type { Repository } from "./reference";
import type { Session } from "./session";

/** A manifest about another one, such as a signature. It names that one as its `subject`. */
export interface Referrer {
    /** The digest of what it is about. */
    readonly subject: string;
    readonly bytes: Uint8Array;
    /** What kind of thing it is. */
    readonly artifactType: string;
    readonly annotations: Readonly<Record<string, string>>;
}

/** How manifests are read and written. */
export interface ManifestAccess {
    readonly find: (repository: Repository, tag: string) => Promise<FetchedManifest | undefined>;
    readonly exists: (repository: Repository, digest: string) => Promise<boolean>;
    readonly put: (repository: Repository, tag: string, bytes: Uint8Array) => Promise<unknown>;
}

const mostPages = 50;
const tries = 4;

/**
 * Lists what is said about a digest: by the registry's own list where it keeps one, otherwise by the tag that stands in
 * for it. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
    session: Session,
    repository: Repository,
    digest: string,
    { find }: Pick<ManifestAccess, "find">,
): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    let path: string | URL = `/v2/${repository.repository}/referrers/${digest}`;
    for (let page = 0; page < mostPages; page += 1) {
        const call = {
            method: "GET" as const,
            repository: repository.repository,
            path,
            actions: ["pull"] as const,
            doing: `listing what refers to ${digest}`,
            headers: { accept: mediaTypes.ociIndex },
            accept: [400, 404, 405, 501],
        };
        const answer = await session.call(call);
        const listed = answer.status < 300 ? readList(answer.body) : undefined;
        if (listed === undefined) {
            return listTagged(await find(repository, referrersTag(digest)));
        }
        found.push(...listed);
        const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(answer.headers["link"] ?? ""))?.[1];
        if (next === undefined) {
            return found;
        }
        path = new URL(next, answer.url);
    }
    throw brokenError({ ...repository, doing: `listing what refers to ${digest}` }, "the list does not end");
}

/**
 * Writes a manifest about another one. Where the registry keeps no list of such, the tag that stands in for it is
 * written last, with what it lists already.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export async function putReferrer(
    session: Session,
    repository: Repository,
    { subject, bytes, artifactType, annotations }: Referrer,
    { find, exists, put }: ManifestAccess,
): Promise<string> {
    const digest = digestOf(bytes);
    const mediaType = mediaTypes.ociManifest;
    const answer = await session.call({
        method: "PUT",
        repository: repository.repository,
        path: `/v2/${repository.repository}/manifests/${digest}`,
        actions: ["pull", "push"],
        doing: `writing the manifest ${digest}`,
        body: bytes,
        headers: { "content-type": mediaType },
    });
    if (answer.headers["oci-subject"] !== undefined) {
        return digest;
    }
    const entry = { mediaType, digest, size: bytes.length, annotations, artifactType };
    const tag = referrersTag(subject);
    for (let attempt = 0; attempt < tries; attempt += 1) {
        const current = await find(repository, tag);
        const listed = listTagged(current).map((descriptor) => descriptor.digest);
        if (listed.includes(digest)) {
            return digest;
        }
        // A registry takes no list that names what is not there, and somebody may have cleaned up.
        const there = await Promise.all(listed.map((other) => exists(repository, other)));
        const lost = new Set(listed.filter((_other, index) => there[index] === false));
        // Another pipeline may write the same tag in between: it is looked at again after each write.
        await put(repository, tag, addEntry(current?.bytes, entry, lost));
    }
    throw brokenError({ ...repository, doing: `listing ${digest} under the tag ${tag}` }, "others keep changing it");
}

/** The tag under which an index lists what is about a digest, for registries that keep no such list themselves. */
export function referrersTag(digest: string): string {
    return digest.replace(":", "-");
}

/** The same list with one entry more, and without those that are lost. What others wrote there stays as it is. */
export function addEntry(list: Uint8Array | undefined, entry: object, lost: ReadonlySet<string> = new Set()): Buffer {
    const empty: ReferrersList = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
    const known = list === undefined ? empty : (JSON.parse(Buffer.from(list).toString("utf8")) as ReferrersList);
    const kept = known.manifests.filter(({ digest }) => !lost.has(digest));
    return Buffer.from(JSON.stringify({ ...known, manifests: [...kept, entry] }));
}

interface ReferrersList {
    readonly schemaVersion: number;
    readonly mediaType: string;
    readonly manifests: readonly { readonly digest: string }[];
}

function listTagged(found: FetchedManifest | undefined): Descriptor[] {
    return found?.manifest.kind === "index" ? [...found.manifest.manifests] : [];
}

/** Undefined for an answer that is no list: a proxy or web server may answer any path. */
function readList(body: Buffer): readonly Descriptor[] | undefined {
    try {
        const manifest = parseManifest(body, mediaTypes.ociIndex);
        return manifest.kind === "index" ? manifest.manifests : undefined;
    } catch {
        return undefined;
    }
}
