import { createHash } from "node:crypto";
import { MultiArchError } from "../errors";
import { misfit, saysAbsent } from "./answers";
import { type Attempt, brokenError, cancelledError, networkError } from "./faults";
import { type Descriptor, digestOf } from "./manifests";
import type { Repository } from "./reference";
import type { RegistryCall, Session } from "./session";
import type { Answer, ContentStream } from "./transport";

/** What is to be read or written, as a manifest describes it. */
export type BlobDescriptor = Pick<Descriptor, "digest" | "size">;

/** Reads a small JSON document, and checks its bytes against the digest. */
export async function getBlobJson(session: Session, repository: Repository, digest: string): Promise<unknown> {
    const call = blobCall("GET", repository, digest);
    const { body } = await session.call({
        ...call,
        check: (answer) => {
            if (digestOf(answer.body) !== digest) {
                throw misfit(call);
            }
        },
    });
    try {
        return JSON.parse(body.toString("utf8"));
    } catch {
        throw brokenError(call, "the content is not JSON");
    }
}

/** Finds out whether content is there. */
export async function hasBlob(session: Session, repository: Repository, digest: string): Promise<boolean> {
    const answer = await session.call({ ...blobCall("HEAD", repository, digest), accept: [404] });
    if (answer.status !== 404) {
        return true;
    }
    const call = { ...blobCall("GET", repository, digest), headers: { range: "bytes=0-0" }, accept: [404] };
    const full = await session.call(call);
    if (full.status === 404) {
        assertAbsent(call, full);
    }
    return full.status !== 404;
}

/**
 * Opens content of any length. Its last part is only handed on once all of it fits size and digest; otherwise the
 * stream fails with a MultiArchError, as it does when the connection is lost on the way. Who does not read the stream
 * to its end has to abort the signal.
 */
export async function openBlob(
    session: Session,
    repository: Repository,
    blob: BlobDescriptor,
    signal?: AbortSignal,
): Promise<ContentStream> {
    const call = { ...blobCall("GET", repository, blob.digest), streamed: true, signal };
    const { content } = await session.call(call);
    if (content === undefined) {
        throw brokenError(call, "the answer has no content");
    }
    return checkContent(content, blob, call, signal);
}

/** The error for a 404 that does not come from a registry. */
export function assertAbsent(attempt: Attempt, answer: Answer): void {
    if (!saysAbsent(answer)) {
        throw brokenError(attempt, "the answer is HTTP 404, but does not say that it is not there");
    }
}

async function* checkContent(
    content: ContentStream,
    { digest, size }: BlobDescriptor,
    attempt: Attempt,
    signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    let length = 0;
    let held: Uint8Array | undefined;
    try {
        for await (const part of content) {
            hash.update(part);
            length += part.length;
            if (length > size) {
                throw brokenError(attempt, `the content has more than ${size} bytes`);
            }
            if (held !== undefined) {
                yield held;
            }
            held = part;
        }
    } catch (error) {
        if (signal?.aborted) {
            throw cancelledError(attempt);
        }
        throw error instanceof MultiArchError ? error : networkError(attempt, error);
    }
    if (length < size) {
        const error = brokenError(attempt, `the content ended after ${length} of ${size} bytes`);
        throw error.with({ transient: true });
    }
    if (`sha256:${hash.digest("hex")}` !== digest) {
        throw brokenError(attempt, "the content does not fit its digest");
    }
    if (held !== undefined) {
        yield held;
    }
}

function blobCall(
    method: "GET" | "HEAD",
    { registry, repository }: Repository,
    digest: string,
): RegistryCall & Attempt {
    const path = `/v2/${repository}/blobs/${digest}`;
    return { method, registry, repository, path, actions: ["pull"], doing: `reading the content ${digest}` };
}
