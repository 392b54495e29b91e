import { createHash, randomUUID } from "node:crypto";
import { type DoubleAnswer, refuse } from "./registryDoubleLogin";

/** What was stored. */
export interface StoredContent {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

/** How a double keeps content. */
export interface StorageOptions {
    /** Where the content of blobs really is. By default in the registry itself. */
    readonly blobStorage?: string;
    /** Refuses to point a tag to something else, or to the same again. */
    readonly immutableTags?: boolean;
    /** Answers to a manifest that is not there without saying so: with a bare 404, or a 403 that hides it. */
    readonly absence?: 403 | 404;
    /** Never links content from another repository, and begins an upload instead. */
    readonly withoutMounts?: boolean;
}

/** The part of a double that keeps manifests and blobs, each repository for itself. */
export interface Storage {
    /** Uploads that were started and neither finished nor cancelled. */
    readonly uploads: ReadonlySet<string>;
    store(repository: string, bytes: Buffer, mediaType: string, tag?: string): StoredContent;
    /** What a repository has under a digest or tag. */
    find(repository: string, name: string): { bytes: Buffer; mediaType: string } | undefined;
    /** Takes content out of all repositories. */
    remove(digest: string): void;
    putManifest(repository: string, name: string, body: Buffer, mediaType: string): DoubleAnswer;
    getManifest(repository: string, name: string): DoubleAnswer;
    getBlob(repository: string, digest: string): DoubleAnswer;
    answerUpload(
        method: string,
        repository: string,
        upload: string,
        query: URLSearchParams,
        body: Buffer,
    ): DoubleAnswer;
}

/** The type of content that is not a manifest. */
export const octets = "application/octet-stream";

export function digestOfText(bytes: Buffer | string): string {
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function createStorage(options: StorageOptions): Storage {
    /** By repository and digest. */
    const contents = new Map<string, { bytes: Buffer; mediaType: string }>();
    const tags = new Map<string, string>();
    const uploads = new Set<string>();

    function store(repository: string, bytes: Buffer, mediaType: string, tag?: string): StoredContent {
        const digest = digestOfText(bytes);
        contents.set(`${repository}@${digest}`, { bytes, mediaType });
        if (tag !== undefined) {
            tags.set(`${repository}:${tag}`, digest);
        }
        return { mediaType, digest, size: bytes.length };
    }

    function find(repository: string, name: string) {
        return contents.get(`${repository}@${tags.get(`${repository}:${name}`) ?? name}`);
    }

    function getContent(repository: string, name: string, missing: string): DoubleAnswer {
        const found = find(repository, name);
        if (found === undefined) {
            return refuse(404, missing, "it is not here");
        }
        const { bytes, mediaType } = found;
        const headers = { "content-type": mediaType, "docker-content-digest": digestOfText(bytes) };
        return { status: 200, headers, bytes };
    }

    function beginUpload(repository: string, query: URLSearchParams): DoubleAnswer {
        const mounted = find(query.get("from") ?? "", query.get("mount") ?? "");
        if (mounted !== undefined && !options.withoutMounts) {
            store(repository, mounted.bytes, mounted.mediaType);
            return { status: 201 };
        }
        const upload = randomUUID();
        uploads.add(upload);
        return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${upload}?state=x` } };
    }

    return {
        uploads,
        store,
        find,
        remove(digest) {
            [...contents.keys()].filter((key) => key.endsWith(`@${digest}`)).forEach((key) => contents.delete(key));
        },
        putManifest(repository, name, body, mediaType) {
            if (options.immutableTags && tags.has(`${repository}:${name}`)) {
                return refuse(400, "TAG_INVALID", `the tag ${name} is immutable`);
            }
            const tag = name.startsWith("sha256:") ? undefined : name;
            const { digest } = store(repository, body, mediaType, tag);
            return { status: 201, headers: { "docker-content-digest": digest } };
        },
        getManifest: (repository, name) =>
            options.absence !== undefined && find(repository, name) === undefined
                ? { status: options.absence }
                : getContent(repository, name, "MANIFEST_UNKNOWN"),
        getBlob: (repository, digest) =>
            options.blobStorage !== undefined && find(repository, digest) !== undefined
                ? { status: 307, headers: { location: `${options.blobStorage}/${digest}?signature=abc` } }
                : getContent(repository, digest, "BLOB_UNKNOWN"),
        answerUpload(method, repository, upload, query, body) {
            if (method === "POST") {
                return beginUpload(repository, query);
            }
            uploads.delete(upload);
            if (method === "DELETE") {
                return { status: 204 };
            }
            return digestOfText(body) === query.get("digest")
                ? { status: 201, headers: { "docker-content-digest": store(repository, body, octets).digest } }
                : refuse(400, "DIGEST_INVALID", "the content does not fit its digest");
        },
    };
}
