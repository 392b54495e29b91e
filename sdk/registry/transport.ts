import { isIP, type LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { Agent, EnvHttpProxyAgent, request as sendRequest, type Dispatcher } from "undici";
import { isNothingListening, isNotTls } from "./networkFaults";
import { loadTrust } from "./trust";

/** One request, ready to be sent. */
export interface Outgoing {
    readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    /** What to send. A stream can be sent only once. */
    readonly body?: Uint8Array | ContentStream | undefined;
    /** How many bytes a good answer may have. A longer one is an error. */
    readonly bodyLimit: number;
    /** True hands a good answer on as `content`, in place of reading it to its end. Its length has no limit then. */
    readonly streamed?: boolean | undefined;
    /** How long to wait for the first line of the answer, where it takes longer than usual. In milliseconds. */
    readonly headersMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}

/** Content that does not fit into memory, part by part. */
export type ContentStream = AsyncIterable<Uint8Array>;

/** An answer, read to its end unless it is streamed. */
export interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    /** Cut at a few kilobytes when the answer is an error. */
    readonly body: Buffer;
    /** What comes in place of the body, when that was asked for. Whoever does not read it ends it with its signal. */
    readonly content?: ContentStream | undefined;
    /** Where the answer came from. */
    readonly url: URL;
}

/** How long to wait, in milliseconds. */
export interface Timeouts {
    /** For a connection, TLS included. */
    readonly connectMs: number;
    /** For the first line of an answer. */
    readonly headersMs: number;
    /** Between two parts of an answer. */
    readonly bodyMs: number;
}

/** What a transport needs to know. */
export interface TransportOptions {
    /** The environment, for proxies and certificates. */
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly certsDir: string;
    readonly timeouts: Timeouts;
    /** Resolves names; by default the system does. */
    readonly lookup?: LookupFunction | undefined;
}

/** Sends requests, and knows nothing of registries. */
export interface Transport {
    /** Fails with what the network reports, or with one of the errors below. */
    exchange(outgoing: Outgoing): Promise<Answer>;
    close(): Promise<void>;
}

/** A fault of this module's own, told apart by `code` like those of the network. */
export interface TransportFault extends Error {
    readonly code: "PLAIN_HTTP" | "ANSWER_TOO_LONG" | "PROXY_ADDRESS";
}

const errorBodyLimit = 16 * 1024;

/** Makes a transport. Connections are kept for its lifetime, and do not keep the process alive. */
export function createTransport(options: TransportOptions): Transport {
    const agents = new Map<string, Dispatcher>();
    const plainHosts = new Set<string>();

    function agentFor(url: URL): Dispatcher {
        const known = agents.get(url.origin);
        if (known) {
            return known;
        }
        const agent = createAgent(url, options);
        agents.set(url.origin, agent);
        return agent;
    }

    async function exchangeOnce(outgoing: Outgoing, url: URL): Promise<Answer> {
        if (url.protocol !== "https:" && !isLoopback(url.hostname)) {
            throw makeFault("PLAIN_HTTP", "plain HTTP leaves this machine");
        }
        const { statusCode, headers, body } = await sendRequest(url, {
            method: outgoing.method,
            headers: { "user-agent": "pulumi-multiarch", "accept-encoding": "identity", ...outgoing.headers },
            body: toDispatcherBody(outgoing.body),
            dispatcher: agentFor(url),
            ...(outgoing.headersMs === undefined ? {} : { headersTimeout: outgoing.headersMs }),
            ...(outgoing.signal ? { signal: outgoing.signal } : {}),
        });
        if (outgoing.streamed && statusCode < 300) {
            return { status: statusCode, headers, body: Buffer.alloc(0), content: body as ContentStream, url };
        }
        const failed = statusCode >= 400;
        const limit = failed ? errorBodyLimit : outgoing.bodyLimit;
        const parts: Buffer[] = [];
        let length = 0;
        for await (const part of body as AsyncIterable<Buffer>) {
            parts.push(part);
            length += part.length;
            if (length > limit) {
                body.destroy();
                break;
            }
        }
        if (length > limit && !failed) {
            throw makeFault("ANSWER_TOO_LONG", `the answer has more than ${limit} bytes`);
        }
        return { status: statusCode, headers, body: Buffer.concat(parts).subarray(0, limit), url };
    }

    return {
        async exchange(outgoing) {
            const { url } = outgoing;
            const plain = new URL(url);
            plain.protocol = "http:";
            if (url.protocol !== "https:" || !isLoopback(url.hostname)) {
                return exchangeOnce(outgoing, url);
            }
            if (plainHosts.has(url.host)) {
                return exchangeOnce(outgoing, plain);
            }
            try {
                return await exchangeOnce(outgoing, url);
            } catch (error) {
                // Mirrors NewHTTPFallback, which docker and containerd use for localhost:
                // https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/resolver.go
                if (!isNotTls(error) && !(url.port === "" && isNothingListening(error))) {
                    throw error;
                }
                const answer = await exchangeOnce(outgoing, plain);
                plainHosts.add(url.host);
                return answer;
            }
        },
        async close() {
            await Promise.all([...agents.values()].map((agent) => agent.destroy()));
        },
    };
}

/** True for `localhost`, 127.0.0.0/8 and ::1: what such a host is told does not leave the machine. */
export function isLoopback(hostname: string): boolean {
    const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
    return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function createAgent(url: URL, options: TransportOptions): Dispatcher {
    const { timeouts, env } = options;
    const connect = {
        timeout: timeouts.connectMs,
        ...(url.protocol === "https:" ? { secureContext: loadTrust(url.host, options) } : {}),
        ...(options.lookup ? { lookup: options.lookup } : {}),
    };
    const settings = {
        allowH2: false,
        headersTimeout: timeouts.headersMs,
        bodyTimeout: timeouts.bodyMs,
        connect,
    };
    const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY ?? "";
    // Go programs never use a proxy for this machine itself: https://pkg.go.dev/golang.org/x/net/http/httpproxy
    if (httpsProxy === "" || isLoopback(url.hostname)) {
        return new Agent(settings);
    }
    try {
        return new EnvHttpProxyAgent({
            ...settings,
            requestTls: connect,
            proxyTls: { timeout: timeouts.connectMs },
            httpProxy: "",
            httpsProxy: httpsProxy.includes("://") ? httpsProxy : `http://${httpsProxy}`,
            noProxy: env.no_proxy ?? env.NO_PROXY ?? "",
        });
    } catch {
        // The error holds the address, and the address may hold a password.
        throw makeFault("PROXY_ADDRESS", "HTTPS_PROXY is not an address");
    }
}

/** A stream arrives as it is asked for: what is sent waits for nothing but the slower side. */
function toDispatcherBody(body: Outgoing["body"]): Uint8Array | Readable | null {
    return body === undefined || body instanceof Uint8Array
        ? (body ?? null)
        : Readable.from(body, { objectMode: false });
}

function makeFault(code: TransportFault["code"], message: string): TransportFault {
    return Object.assign(new Error(message), { code });
}
