import { createHash } from "node:crypto";
import { EnvHttpProxyAgent, fetch } from "undici";
import { MultiArchError } from "../errors";
import { loadTrust } from "../registry/trust";
import { systemCode } from "./insideRoot";

/**
 * The SHA-256 of what a URL answers, as 64 hexadecimal digits. Nothing is kept: the bytes only pass by. Its certificate
 * is trusted as that of a registry is, SSL_CERT_FILE included.
 *
 * Throws a MultiArchError `context-unresolved` when the server cannot be reached or does not answer with 200.
 */
export async function hashRemoteFile(
    location: string,
    { property, signal }: { readonly property: string; readonly signal?: AbortSignal | undefined },
): Promise<string> {
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
    // Also for a plain address: it may send us on to one with TLS.
    const secure = { secureContext: loadTrust(url.host, { env: process.env, certsDir: "/etc/docker/certs.d" }) };
    const dispatcher = new EnvHttpProxyAgent({ connect: secure, requestTls: secure });
    try {
        const response = await fetch(url, { headers, dispatcher, signal: signal ?? null });
        if (!response.ok || !response.body) {
            await response.body?.cancel();
            throw new MultiArchError("context-unresolved", {
                what: `${shown} answered ${response.status}`,
                property,
                transient: response.status >= 500 || response.status === 429,
            });
        }
        const hash = createHash("sha256");
        for await (const chunk of response.body) {
            hash.update(chunk as Uint8Array);
        }
        return hash.digest("hex");
    } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof MultiArchError) {
            throw error;
        }
        const reason = systemCode(error instanceof Error && error.cause ? error.cause : error);
        throw new MultiArchError("context-unresolved", {
            what: `${shown} cannot be read${reason && ` (${reason})`}`,
            property,
            transient: true,
            cause: error,
        });
    } finally {
        await dispatcher.close();
    }
}
