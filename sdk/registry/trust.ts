import { createHash, X509Certificate } from "node:crypto";
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
    const texts = files.map(readText);
    const key = createHash("sha256").update(JSON.stringify(texts)).digest("hex");
    // Reading some hundred certificates takes longer than a request, and each operation has a client of its own.
    const context = known.get(key) ?? createContext(texts);
    known.clear();
    known.set(key, context);
    return context;
}

/** The last one, by what was in the files. */
const known = new Map<string, SecureContext>();

function createContext(texts: readonly string[]): SecureContext {
    const certificates = new Set([
        ...getCACertificates("default"),
        ...getCACertificates("system"),
        ...texts.flatMap(findCertificates),
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

/** A file that cannot be read is skipped: the failed handshake that may follow names the way out. */
function readText(file: string): string {
    try {
        return readFileSync(file, "latin1");
    } catch {
        return "";
    }
}

/** The certificates in a text. Anything else in it is skipped. */
function findCertificates(text: string): string[] {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    return blocks.filter(isCertificate);
}

function isCertificate(block: string): boolean {
    try {
        new X509Certificate(block);
        return true;
    } catch {
        return false;
    }
}
