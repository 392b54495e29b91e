import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { createAuthority, isValidFor, issue, writeKeyPair } from "./certificates.mjs";
import { ensureDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";

const RENEWAL_DAYS = 30;

// Debian and its relatives, then Fedora and its relatives.
const SYSTEM_BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/**
 * @typedef {object} EmbeddedCertificates
 * @property {string} caFile
 * @property {{ certFile: string, keyFile: string }} server
 * @property {{ certFile: string, keyFile: string }} client
 * @property {string} bundleFile what the system trusts, and our CA
 */

/**
 * The certificates in a folder: made once, and again a month before they expire. The key of the CA is never written, so
 * nobody can issue another one.
 * @param {string} dir
 * @param {{ dnsNames: string[], ipAddresses: string[] }} names of all servers
 * @returns {Promise<EmbeddedCertificates>}
 */
export async function ensureEmbeddedCertificates(dir, names) {
    const files = {
        caFile: join(dir, "ca.pem"),
        server: { certFile: join(dir, "server.pem"), keyFile: join(dir, "server-key.pem") },
        client: { certFile: join(dir, "client.pem"), keyFile: join(dir, "client-key.pem") },
        bundleFile: join(dir, "bundle.pem"),
    };
    if (!isUsable([files.caFile, files.server.certFile, files.client.certFile])) {
        const authority = await createAuthority("multiarch embedded");
        ensureDir(dir);
        writeKeyPair(dir, "server", await issue(authority, { commonName: "server", ...names, usage: "server" }));
        writeKeyPair(dir, "client", await issue(authority, { commonName: "client", usage: "client" }));
        // The last one, so that an interrupted run starts over.
        writePrivate(files.caFile, authority.cert);
    }
    const system = systemCertificates(files.bundleFile).trimEnd();
    writePrivate(files.bundleFile, `${system}\n${readFileSync(files.caFile, "utf8")}`);
    return files;
}

/** @param {string[]} certFiles */
function isUsable(certFiles) {
    try {
        return certFiles.every((file) => isValidFor(readFileSync(file, "utf8"), RENEWAL_DAYS));
    } catch {
        return false;
    }
}

/**
 * What this machine trusts: a company's own CA is in a file of the system, and not in what Node.js brings.
 * @param {string} ours named by SSL_CERT_FILE in a shell that has read our settings, and no part of the system
 */
function systemCertificates(ours) {
    const named = process.env.SSL_CERT_FILE === ours ? undefined : process.env.SSL_CERT_FILE;
    for (const file of [named, ...SYSTEM_BUNDLES]) {
        try {
            return readFileSync(file ?? "", "utf8");
        } catch {
            // The next one, then.
        }
    }
    return rootCertificates.join("\n");
}
