import { type ErrorCode, MultiArchError } from "../errors";
import type { BlobDescriptor } from "./blobs";
import { brokenError } from "./faults";
import type { Repository } from "./reference";
import { type RetryPolicy, withRetries } from "./retry";
import type { RegistryCall, Session } from "./session";
import type { Answer, ContentStream } from "./transport";

/** How content is written. */
export interface PutBlobOptions {
    /** Another repository of the same registry that has the content: the registry then links it, if it can. */
    readonly from?: string | undefined;
    /** Ends the upload. */
    readonly signal?: AbortSignal | undefined;
}

/** Opens what is to be written, anew for each try. The signal ends what is not read. */
export type OpenContent = (signal: AbortSignal) => Promise<ContentStream>;

/** How content got into a repository. */
export type Placement = "mounted" | "copied";

// A registry may have to move gigabytes in its storage before it answers.
const commitMs = 10 * 60_000;
const cancelMs = 10_000;
const lingerMs = 2_000;

/**
 * Writes content under its digest: linked from another repository where the registry does that, otherwise as one
 * stream. A stream that broke is sent again from its start.
 *
 * The requests are those of https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put and
 * #mounting-a-blob-from-another-repository, in the form that containerd and with it BuildKit uses, because every
 * registry knows that one.
 */
export async function putBlob(
    session: Session,
    retry: RetryPolicy,
    repository: Repository,
    blob: BlobDescriptor,
    open: OpenContent,
    options: PutBlobOptions = {},
): Promise<Placement> {
    const writing = describeWriting(repository, blob.digest, options.signal);
    const beginning = { ...writing, signal: linger(options.signal) };
    const mounted = options.from === undefined ? undefined : await mount(session, beginning, blob.digest, options.from);
    if (mounted === "mounted") {
        return "mounted";
    }
    let begun = mounted;
    const put = async (): Promise<Answer> => {
        const upload = begun ?? (await final(startUpload(session, beginning)));
        begun = undefined;
        return sendContent(session, { ...writing, path: upload }, blob, open);
    };
    const answer = await withRetries(put, retry, options.signal);
    if (answer.status >= 300) {
        throw session.refuse(writing, answer);
    }
    return "copied";
}

/**
 * The same signal some moments later. What a registry has begun can only be given up at the address in its answer, so a
 * request that is on its way gets the time to bring it.
 */
function linger(signal: AbortSignal | undefined): AbortSignal | undefined {
    if (signal === undefined || signal.aborted) {
        return signal;
    }
    const later = new AbortController();
    const abort = (): void => later.abort(signal.reason);
    signal.addEventListener("abort", () => setTimeout(abort, lingerMs).unref(), { once: true });
    return later.signal;
}

/** Begins an upload. Answers with the address for the content. */
export async function startUpload(
    session: Session,
    writing: Pick<RegistryCall, "repository" | "actions" | "doing" | "signal">,
): Promise<URL> {
    const call = uploadCall(writing);
    return readUpload(call, await session.call(call));
}

/** Gives an upload up, also when the work was cancelled. A registry that knows no way forgets it by itself. */
export async function cancelUpload(
    session: Session,
    { repository, actions }: Pick<RegistryCall, "repository" | "actions">,
    upload: URL,
): Promise<void> {
    const doing = "giving up an upload";
    const signal = AbortSignal.timeout(cancelMs);
    await session
        .call({ repository, actions: actions ?? [], method: "DELETE", path: upload, doing, signal })
        .catch(() => undefined);
}

/** Asks the registry to link content. One that does not has begun an upload, or refuses: neither is an error. */
async function mount(
    session: Session,
    writing: RegistryCall,
    digest: string,
    from: string,
): Promise<"mounted" | URL | undefined> {
    const call = { ...uploadCall(writing), from, doing: `linking the content ${digest} from ${from}` };
    const query = new URLSearchParams({ mount: digest, from }).toString();
    try {
        const answer = await session.call({ ...call, path: `${uploadPath(writing)}?${query}` });
        return answer.status === 201 ? "mounted" : readUpload(call, answer);
    } catch (error) {
        if (error instanceof MultiArchError && mountRefusals.includes(error.code)) {
            return undefined;
        }
        throw error;
    }
}

/** An account may be allowed to read and to write, but not to link; what else is wrong shows when copying. */
const mountRefusals: readonly ErrorCode[] = [
    "registry-unauthorized",
    "registry-forbidden",
    "registry-not-found",
    "registry-refused",
];

/** Answers that may be different the next time. */
const passing = [429, 500, 502, 503, 504];

async function sendContent(
    session: Session,
    writing: RegistryCall & { readonly path: URL },
    { digest, size }: BlobDescriptor,
    open: OpenContent,
): Promise<Answer> {
    const path = new URL(writing.path);
    path.searchParams.set("digest", digest);
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, ...(writing.signal ? [writing.signal] : [])]);
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    let isStored = false;
    try {
        const body = await final(open(signal));
        const answer = await session.call({ ...writing, path, headers, body, headersMs: commitMs, accept: passing });
        isStored = answer.status < 300;
        return answer;
    } finally {
        // What was opened and not read to its end would keep its connection.
        ended.abort();
        if (!isStored) {
            await cancelUpload(session, writing, writing.path);
        }
    }
}

/** What has been tried often enough by itself is not tried again with the whole. */
async function final<T>(step: Promise<T>): Promise<T> {
    try {
        return await step;
    } catch (error) {
        throw error instanceof MultiArchError ? error.with({ transient: false }) : error;
    }
}

function describeWriting(
    { registry, repository }: Repository,
    digest: string,
    signal: AbortSignal | undefined,
): RegistryCall & { readonly registry: string } {
    const doing = `writing the content ${digest}`;
    return { registry, repository, actions: ["pull", "push"], doing, signal, method: "PUT", path: "" };
}

function uploadCall(writing: Pick<RegistryCall, "repository" | "actions" | "doing" | "signal">): RegistryCall {
    return { ...writing, method: "POST", path: uploadPath(writing), headers: { "content-length": "0" } };
}

function uploadPath({ repository = "" }: Pick<RegistryCall, "repository">): string {
    return `/v2/${repository}/blobs/uploads/`;
}

function readUpload(call: RegistryCall, answer: Answer): URL {
    const location = answer.headers.location;
    const url = typeof location === "string" ? URL.parse(location, answer.url.href) : null;
    if (url === null) {
        const attempt = { registry: answer.url.host, repository: call.repository, doing: call.doing };
        throw brokenError(attempt, "the registry names no address for the content");
    }
    return url;
}
