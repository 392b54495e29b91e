import { MultiArchError } from "../errors";
import { createAuthorizer } from "./authorization";
import { findCredential, type CredentialSources } from "./credentials";
import { answerError, type Attempt, brokenError, cancelledError, networkError } from "./faults";
import { withRetries, type RetryPolicy } from "./retry";
import type { Answer, Outgoing, Transport } from "./transport";

/** What an account may be asked for. */
export type Action = "pull" | "push" | "delete";

/** One request to a registry. */
export interface RegistryCall {
    readonly method: Outgoing["method"];
    /** The path, starting with /v2/, or an address the registry handed out. */
    readonly path: string | URL;
    readonly repository?: string | undefined;
    /** The rights the request needs. */
    readonly actions?: readonly Action[];
    /** Another repository of the same registry that the request reads from. */
    readonly from?: string | undefined;
    readonly doing: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** What to send. A stream is sent once: whoever gives it repeats the whole call. */
    readonly body?: Outgoing["body"];
    /** How many bytes a good answer may have. By default 4 MiB, as much as registries allow for a manifest. */
    readonly bodyLimit?: number;
    /** True hands a good answer on as a stream. By default it is read to its end. */
    readonly streamed?: boolean;
    /** How long to wait for the first line of an answer, in milliseconds. By default as for every request. */
    readonly headersMs?: number;
    /** Which answers besides 2xx are no error. */
    readonly accept?: readonly number[];
    /** Looks at a good answer. Throws when it is not what it has to be; a transient error asks for it again. */
    readonly check?: ((answer: Answer) => void) | undefined;
    /** Ends the request. By default the signal of the client. */
    readonly signal?: AbortSignal | undefined;
}

/** A conversation with one registry: logs in when asked to, follows redirects, repeats what may succeed. */
export interface Session {
    /** Sends a request. Throws a MultiArchError for every answer that was not asked for. */
    call(call: RegistryCall): Promise<Answer>;
    /** The error for an answer that was accepted, and then turned out to be one. */
    refuse(call: RegistryCall, answer: Answer): MultiArchError;
}

/** What a session needs. */
export interface SessionOptions {
    readonly transport: Transport;
    readonly retry: RetryPolicy;
    readonly credentials: CredentialSources;
    readonly signal?: AbortSignal | undefined;
}

const manifestLimit = 4 * 1024 * 1024;
const mostRedirects = 5;

/** Makes a session with a registry. Nothing is sent before the first call. */
export function createSession(registry: string, options: SessionOptions): Session {
    // https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/resolver.go (DefaultHost)
    const base = new URL(`https://${registry === "docker.io" ? "registry-1.docker.io" : registry}/`);
    const authorizer = createAuthorizer({
        registry,
        findCredential: () => findCredential(registry, options.credentials),
        send,
    });

    async function send(attempt: Attempt, outgoing: Outgoing, check?: RegistryCall["check"]): Promise<Answer> {
        const signal = outgoing.signal ?? options.signal;
        const host = outgoing.url.host === base.host ? registry : outgoing.url.host;
        const retry = isStream(outgoing.body) ? { ...options.retry, tries: 1 } : options.retry;
        const once = async (): Promise<Answer> => {
            try {
                const answer = await options.transport.exchange({ ...outgoing, signal });
                if (answer.status < 300) {
                    check?.(answer);
                }
                return answer;
            } catch (error) {
                // The stream that is sent may come from another registry, and brings the error of that one.
                throw error instanceof MultiArchError ? error : networkError(attempt, error, host);
            }
        };
        try {
            return await withRetries(once, retry, signal);
        } catch (error) {
            throw signal?.aborted ? cancelledError(attempt) : error;
        }
    }

    async function follow(
        { check, ...attempt }: Attempt & Pick<RegistryCall, "check">,
        outgoing: Outgoing,
        authorization?: string,
    ): Promise<Answer> {
        const home = outgoing.url.host;
        let url = outgoing.url;
        for (let hop = 0; hop <= mostRedirects; hop += 1) {
            // Storage behind a registry has accounts of its own, and must not see those of the registry.
            const isHome = url.host === home && home === base.host;
            const headers = {
                ...outgoing.headers,
                ...(isHome && authorization !== undefined ? { authorization } : {}),
            };
            const answer = await send(attempt, { ...outgoing, url, headers }, check);
            const location = readLocation(answer);
            if (location === undefined || !["GET", "HEAD"].includes(outgoing.method)) {
                return answer;
            }
            url = location;
        }
        throw brokenError(attempt, `there are more than ${mostRedirects} redirects`);
    }

    function refuse(call: RegistryCall, answer: Answer): MultiArchError {
        const attempt: Attempt = { registry, repository: call.repository, doing: call.doing };
        return answerError(attempt, answer, authorizer.facts(answer.headers["www-authenticate"]));
    }

    async function call(call: RegistryCall): Promise<Answer> {
        const attempt = { registry, repository: call.repository, doing: call.doing, check: call.check };
        const scope = describeScope(call);
        const outgoing: Outgoing = {
            method: call.method,
            url: new URL(call.path, base),
            headers: call.headers ?? {},
            body: call.body,
            bodyLimit: call.bodyLimit ?? manifestLimit,
            streamed: call.streamed,
            headersMs: call.headersMs,
            signal: call.signal,
        };
        const authorization = await authorizer.authorize(scope);
        let answer = await follow(attempt, outgoing, authorization);
        if (answer.status === 401 && answer.url.host === base.host) {
            const renewed = await authorizer.renew(answer.headers["www-authenticate"], scope, authorization);
            if (renewed !== undefined && isStream(call.body)) {
                throw refuse(call, answer).with({ transient: true });
            }
            answer = renewed === undefined ? answer : await follow(attempt, outgoing, renewed);
        }
        if ((answer.status >= 200 && answer.status < 300) || call.accept?.includes(answer.status)) {
            return answer;
        }
        throw refuse(call, answer);
    }

    return { call, refuse };
}

function describeScope({ actions, repository = "", from }: RegistryCall): string {
    const own = actions ? `repository:${repository}:${actions.join(",")}` : "";
    return from === undefined ? own : `${own} repository:${from}:pull`;
}

function isStream(body: Outgoing["body"]): boolean {
    return body !== undefined && !(body instanceof Uint8Array);
}

function readLocation(answer: Answer): URL | undefined {
    const location = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== "string") {
        return undefined;
    }
    return URL.parse(location, answer.url.href) ?? undefined;
}
