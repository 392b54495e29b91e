import type { LookupFunction } from "node:net";
import { runCommand as runCommandOfBuild } from "../build/exec";
import { checkAccess } from "./access";
import type { RegistryCredential } from "./accounts";
import { type FetchedManifest, readManifestBody, readManifestHead } from "./answers";
import { assertAbsent, type BlobDescriptor, getBlobJson, hasBlob, openBlob } from "./blobs";
import type { RunCommand } from "./credentials";
import { type Attempt, brokenError } from "./faults";
import { type Descriptor, digestOf, mediaTypes } from "./manifests";
import { deleteTag } from "./deleteTag";
import { listReferrers, putReferrer, type ManifestAccess, type Referrer } from "./referrers";
import type { Reference, Repository } from "./reference";
import { defaultRetryPolicy, type RetryPolicy } from "./retry";
import { createSession, type Action, type RegistryCall, type Session } from "./session";
import { type ContentStream, createTransport, type Timeouts } from "./transport";
import { type OpenContent, type Placement, putBlob, type PutBlobOptions } from "./uploads";

/** How a client reaches registries. Everything has a default. */
export interface RegistryClientOptions {
    /** Accounts the user gave. They win over the docker configuration of the machine. */
    readonly registries?: readonly RegistryCredential[] | undefined;
    /** Ends everything that is under way. */
    readonly signal?: AbortSignal | undefined;
    /** The environment. By default that of this process. */
    readonly env?: Readonly<Record<string, string | undefined>>;
    /** The folder of the docker configuration. By default DOCKER_CONFIG, or `.docker` in the home folder. */
    readonly dockerConfigDir?: string | undefined;
    /** Docker's folder of certificates per registry. By default /etc/docker/certs.d. */
    readonly certsDir?: string;
    /** By default 10 s for a connection, and 30 s for an answer and each part of it. */
    readonly timeouts?: Partial<Timeouts>;
    /** By default four tries within a few seconds. */
    readonly retry?: Partial<RetryPolicy>;
    /** Runs credential helpers. */
    readonly runCommand?: RunCommand;
    /** Resolves names. By default the system does. */
    readonly lookup?: LookupFunction;
}

/** How an answer is taken that does not say whether a manifest is there. */
export interface HeadOptions {
    /**
     * The statuses that count as "not there" without saying so. By default none: a 404 has to name what is missing, and
     * a 403 is an error. Whoever writes the manifest next can be more generous, because writing it twice does no harm:
     * the body of a 404 is optional, and some registries hide what does not exist behind a 403.
     * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
     */
    readonly absentOn?: readonly (403 | 404)[] | undefined;
}

/** Talks to registries. Every method throws a MultiArchError that names registry, repository and what was being done. */
export interface RegistryClient {
    /** Proves that the account may do this, without leaving a trace. */
    checkAccess(repository: Repository, actions: readonly Action[]): Promise<void>;
    /** What a tag or digest points to. Undefined only when the registry says that there is no such manifest. */
    headManifest(reference: Reference, options?: HeadOptions): Promise<Descriptor | undefined>;
    /** The manifest itself. Its bytes fit the digest, where the reference has one. */
    getManifest(reference: Reference): Promise<FetchedManifest>;
    /** Writes a manifest under a tag or its digest, and returns its digest. A tag that already points to it is fine. */
    putManifest(reference: Reference, bytes: Uint8Array, mediaType: string): Promise<string>;
    /** Removes a tag, never what it points to. False when the registry cannot remove a tag alone. */
    deleteTag(repository: Repository, tag: string): Promise<boolean>;
    /** A small JSON document, for example the configuration of an image. Its bytes fit the digest. */
    getBlobJson(repository: Repository, digest: string): Promise<unknown>;
    /** Whether content is there. */
    hasBlob(repository: Repository, digest: string): Promise<boolean>;
    /**
     * Opens content of any length as a stream. It fails before its last part when the bytes do not fit size and digest.
     * Who does not read it to its end has to abort the signal.
     */
    openBlob(repository: Repository, blob: BlobDescriptor, signal?: AbortSignal): Promise<ContentStream>;
    /** Writes content: linked from another repository of the registry where that works, otherwise as a stream. */
    putBlob(
        repository: Repository,
        blob: BlobDescriptor,
        content: OpenContent,
        options?: PutBlobOptions,
    ): Promise<Placement>;
    /** What the registry has about a digest, such as signatures. */
    listReferrers(repository: Repository, digest: string): Promise<Descriptor[]>;
    /** Writes a manifest about another one, so that others find it there. Returns its digest. */
    putReferrer(repository: Repository, referrer: Referrer): Promise<string>;
    /** Closes all connections. */
    close(): Promise<void>;
}

const manifestTypes = Object.values(mediaTypes).join(", ");

/** Makes a client. Accounts and tokens are looked up when needed, and forgotten with the client. */
export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
    const open = createSessions(options);

    async function headManifest(
        reference: Reference,
        { absentOn = [] }: HeadOptions = {},
    ): Promise<Descriptor | undefined> {
        const session = open.session(reference.registry);
        const head = { ...manifestCall("GET", reference), method: "HEAD", accept: [404, 405, ...absentOn] } as const;
        const answer = await session.call(head);
        const described = answer.status < 300 ? readManifestHead(answer, reference, head) : undefined;
        if (described) {
            return described;
        }
        // A HEAD has no body: only a GET tells a missing manifest from a proxy that knows nothing of the path.
        const call = { ...manifestCall("GET", reference), accept: [404, ...absentOn] };
        const full = await session.call(checked(call, reference));
        if (absentOn.some((status) => status === full.status)) {
            return undefined;
        }
        if (full.status === 404) {
            assertAbsent(call, full);
            return undefined;
        }
        return readManifestBody(full, reference, call).descriptor;
    }

    async function getManifest(reference: Reference): Promise<FetchedManifest> {
        const call = manifestCall("GET", reference);
        const answer = await open.session(reference.registry).call(checked(call, reference));
        return readManifestBody(answer, reference, call);
    }

    async function putManifest(reference: Reference, bytes: Uint8Array, mediaType: string): Promise<string> {
        const digest = digestOf(bytes);
        const call = { ...manifestCall("PUT", reference), body: bytes, headers: { "content-type": mediaType } };
        if (reference.digest !== undefined && reference.digest !== digest) {
            throw brokenError(call, `the digest of what is to be written is ${digest}`);
        }
        const answer = await open.session(reference.registry).call({ ...call, accept: [400, 405, 409, 412] });
        if (answer.status >= 300) {
            // Registries with immutable tags refuse the second write, also of the same manifest.
            const current = await headManifest(reference).catch(() => undefined);
            if (current?.digest !== digest) {
                throw open.session(reference.registry).refuse(call, answer);
            }
            return digest;
        }
        const stored = answer.headers["docker-content-digest"] ?? digest;
        if (stored !== digest) {
            throw brokenError(call, `the registry stored something else than ${digest}`);
        }
        return digest;
    }

    const tags: ManifestAccess = {
        async find(repository, tag) {
            const found = await headManifest({ ...repository, tag });
            return found && getManifest({ ...repository, digest: found.digest });
        },
        exists: async (repository, digest) => (await headManifest({ ...repository, digest })) !== undefined,
        put: (repository, tag, bytes) => putManifest({ ...repository, tag }, bytes, mediaTypes.ociIndex),
    };

    return {
        checkAccess: (repository, actions) => checkAccess(open.session(repository.registry), repository, actions),
        headManifest,
        getManifest,
        putManifest,
        deleteTag: (repository, tag) =>
            deleteTag(open.session(repository.registry), repository, tag, async () => {
                return (await headManifest({ ...repository, tag }, { absentOn: [404] })) === undefined;
            }),
        getBlobJson: (repository, digest) => getBlobJson(open.session(repository.registry), repository, digest),
        hasBlob: (repository, digest) => hasBlob(open.session(repository.registry), repository, digest),
        openBlob: (repository, blob, signal) => openBlob(open.session(repository.registry), repository, blob, signal),
        putBlob: (repository, blob, content, putOptions) =>
            putBlob(open.session(repository.registry), open.retry, repository, blob, content, putOptions),
        listReferrers: (repository, digest) =>
            listReferrers(open.session(repository.registry), repository, digest, tags),
        putReferrer: (repository, referrer) =>
            putReferrer(open.session(repository.registry), repository, referrer, tags),
        close: () => open.close(),
    };
}

/** One session for each registry, over common connections. */
function createSessions(options: RegistryClientOptions): {
    session: (registry: string) => Session;
    retry: RetryPolicy;
    close: () => Promise<void>;
} {
    const { signal, registries, dockerConfigDir, lookup, runCommand = runCommandOfBuild, env = process.env } = options;
    const transport = createTransport({
        env,
        certsDir: options.certsDir ?? "/etc/docker/certs.d",
        timeouts: { connectMs: 10_000, headersMs: 30_000, bodyMs: 30_000, ...options.timeouts },
        lookup,
    });
    const retry = { ...defaultRetryPolicy, ...options.retry };
    const settings = {
        transport,
        retry,
        credentials: { registries, dockerConfigDir, env, signal, runCommand },
        signal,
    };
    const sessions = new Map<string, Session>();
    return {
        session: (registry) => {
            const session = sessions.get(registry) ?? createSession(registry, settings);
            sessions.set(registry, session);
            return session;
        },
        retry,
        close: () => transport.close(),
    };
}

/** Half a manifest is asked for again. */
function checked(call: RegistryCall & Attempt, reference: Reference): RegistryCall {
    return { ...call, check: (answer) => void readManifestBody(answer, reference, call) };
}

function manifestCall(method: "GET" | "PUT", reference: Reference): RegistryCall & Attempt {
    const name = reference.digest ?? reference.tag;
    if (name === undefined) {
        // Assuming a tag here would move one that nobody has named.
        throw new TypeError(`neither tag nor digest is given for ${reference.repository}`);
    }
    return {
        method,
        registry: reference.registry,
        repository: reference.repository,
        path: `/v2/${reference.repository}/manifests/${name}`,
        actions: method === "PUT" ? ["pull", "push"] : ["pull"],
        doing: `${method === "PUT" ? "writing" : "reading"} the manifest ${name}`,
        ...(method === "GET" ? { headers: { accept: manifestTypes } } : {}),
    };
}
