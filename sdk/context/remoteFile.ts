import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { EnvHttpProxyAgent, fetch, type Dispatcher } from "undici";
import { MultiArchError } from "../errors";
import { readNetworkFault } from "../registry/networkFaults";
import { loadTrust } from "../registry/trust";
import { systemCode } from "./insideRoot";

/** How long reading may take, in milliseconds. */
export interface RemoteFileLimits {
    /** Without a single byte. */
    readonly idleMs: number;
    /** In all. */
    readonly totalMs: number;
}

interface RemoteFileOptions {
    /** The property that holds the address, for errors. */
    readonly property: string;
    readonly signal?: AbortSignal | undefined;
    /** Defaults to a minute without a byte, and half an hour in all. */
    readonly limits?: RemoteFileLimits | undefined;
}

const defaultLimits: RemoteFileLimits = { idleMs: 60_000, totalMs: 30 * 60_000 };
const retryPauseMs = 500;

/**
 * The SHA-256 of what a URL answers, as 64 hexadecimal digits. Nothing is kept: the bytes only pass by. Its certificate
 * is trusted as that of a registry is, SSL_CERT_FILE included. A connection that is lost is tried once more.
 *
 * Throws a MultiArchError `context-unresolved` when the server cannot be reached, does not answer with 200, or takes
 * too long.
 */
export async function hashRemoteFile(location: string, options: RemoteFileOptions): Promise<string> {
    const { property, signal, limits = defaultLimits } = options;
    const url = new URL(location);
    // Credentials in a URL are for the server alone: fetch refuses them there, and messages must not show them.
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (url.username || url.password) {
        const account = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
        headers.authorization = `Basic ${Buffer.from(account).toString("base64")}`;
        url.username = "";
        url.password = "";
    }
    const shown = `${url.origin}${url.pathname}`;
    const dispatcher = createDispatcher(url, limits);
    const timeUp = AbortSignal.timeout(limits.totalMs);
    const stop = signal ? AbortSignal.any([signal, timeUp]) : timeUp;
    const attempt = (): Promise<string> => readHash(url, { headers, dispatcher, stop, property, shown });
    try {
        return await attempt().catch(async (error: unknown) => {
            if (stop.aborted || error instanceof MultiArchError || !isLost(error)) {
                throw error;
            }
            await delay(retryPauseMs, undefined, { signal: stop });
            return attempt();
        });
    } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof MultiArchError) {
            throw error;
        }
        throw new MultiArchError("context-unresolved", {
            what: `${shown} ${describeFailure(error, timeUp.aborted, limits)}`,
            property,
            transient: true,
            cause: error,
        });
    } finally {
        await dispatcher.destroy();
    }
}

function createDispatcher(url: URL, { idleMs }: RemoteFileLimits): Dispatcher {
    // Also for a plain address: it may send us on to one with TLS.
    const secureContext = loadTrust(url.host, { env: process.env, certsDir: "/etc/docker/certs.d" });
    const connect = { secureContext, timeout: idleMs };
    return new EnvHttpProxyAgent({ connect, requestTls: connect, headersTimeout: idleMs, bodyTimeout: idleMs });
}

async function readHash(
    url: URL,
    how: {
        readonly headers: Record<string, string>;
        readonly dispatcher: Dispatcher;
        readonly stop: AbortSignal;
        readonly property: string;
        readonly shown: string;
    },
): Promise<string> {
    const response = await fetch(url, { headers: how.headers, dispatcher: how.dispatcher, signal: how.stop });
    if (!response.ok || !response.body) {
        await response.body?.cancel();
        throw new MultiArchError("context-unresolved", {
            what: `${how.shown} answered ${response.status}`,
            property: how.property,
            transient: response.status >= 500 || response.status === 429,
        });
    }
    const hash = createHash("sha256");
    for await (const chunk of response.body) {
        hash.update(chunk as Uint8Array);
    }
    return hash.digest("hex");
}

const silence = ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];

/** Whoever was silent for a minute is not waited for again. */
function isLost(error: unknown): boolean {
    return readNetworkFault(error).transient && !silence.includes(codeOf(error));
}

function describeFailure(error: unknown, timeUp: boolean, limits: RemoteFileLimits): string {
    const code = codeOf(error);
    if (timeUp) {
        return `was not read in ${limits.totalMs / 1_000} seconds`;
    }
    return silence.includes(code)
        ? `sent nothing for ${limits.idleMs / 1_000} seconds`
        : `cannot be read${code && ` (${code})`}`;
}

/** What fetch throws says little; its cause does. */
function codeOf(error: unknown): string {
    return systemCode(error instanceof Error && error.cause ? error.cause : error);
}
