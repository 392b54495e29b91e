import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";

/** Where certificates of authorities come from. */
export interface TrustSources {
    /** The environment, for SSL_CERT_FILE and SSL_CERT_DIR. */
    readonly env: Readonly<Record<string, string | undefined>>;
    /** Docker's folder of certificates per registry. */
    readonly certsDir: string;
}

/**
 * Whom to trust for a registry: what Node trusts (NODE_EXTRA_CA_CERTS included), what the system trusts, the file
 * SSL_CERT_FILE and the folders SSL_CERT_DIR as for Go programs such as buildx
 * (https://github.com/golang/go/blob/go1.24.0/src/crypto/x509/root_unix.go), and `<host>/*.crt` in the certs.d folder
 * as for docker (https://docs.docker.com/engine/security/certificates/). All of them add up.
 */
export function loadTrust(host: string, sources: TrustSources): SecureContext {
    const files = [
        ...[sources.env.SSL_CERT_FILE ?? ""].filter(Boolean),
        ...(sources.env.SSL_CERT_DIR ?? "")
            .split(delimiter)
            .filter(Boolean)
            .flatMap((folder) => list(folder, "")),
        ...list(join(sources.certsDir, host), ".crt"),
    ];
    const certificates = new Set([
        ...getCACertificates("default"),
        ...getCACertificates("system"),
        ...files.flatMap(readCertificates),
    ]);
    return createSecureContext({ ca: [...certificates] });
}

function list(folder: string, ending: string): string[] {
    try {
        return readdirSync(folder)
            .filter((name) => name.endsWith(ending))
            .sort()
            .map((name) => join(folder, name));
    } catch {
        return [];
    }
}

/**
 * The certificates in a file. Anything else in it is skipped, and so is a file that cannot be read: the failed
 * handshake that may follow names the way out.
 */
function readCertificates(file: string): string[] {
    try {
        const text = readFileSync(file, "latin1");
        const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
        return blocks.filter(isCertificate);
    } catch {
        return [];
    }
}

function isCertificate(block: string): boolean {
    try {
        new X509Certificate(block);
        return true;
    } catch {
        return false;
    }
}
