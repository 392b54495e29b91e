import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

import type * as x509Library from "@peculiar/x509";

/** A certificate and its private key, both as PEM text. */
export interface KeyPair {
    readonly cert: string;
    readonly key: string;
}

/** When something is valid. */
export interface Validity {
    readonly notBefore: Date;
    readonly notAfter: Date;
}

// The curve every TLS stack takes; keys are small enough for user data and secrets of any cloud.
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes a certificate authority. It signs certificates of servers and clients, and no other authority. */
export async function createAuthority(name: string, validity: Validity): Promise<KeyPair> {
    const x509 = await loadLibrary();
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: [{ CN: [name] }],
        keys,
        signingAlgorithm: algorithm,
        ...validity,
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return { cert: textOf(certificate), key: await exportKey(keys.privateKey) };
}

/** Issues a certificate: for a server with the names and addresses it answers to, or for a client without any. */
export async function issueCertificate(
    authority: KeyPair,
    { name, hosts = [], validity }: { name: string; hosts?: readonly string[]; validity: Validity },
): Promise<KeyPair> {
    const x509 = await loadLibrary();
    const issuer = new x509.X509Certificate(authority.cert);
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const names = hosts.map((value): x509Library.JsonGeneralName => ({
        type: isIP(value) === 0 ? "dns" : "ip",
        value,
    }));
    const usage = hosts.length > 0 ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const certificate = await x509.X509CertificateGenerator.create({
        subject: [{ CN: [name] }],
        issuer: issuer.subject,
        publicKey: keys.publicKey,
        signingKey: await importKey(authority.key),
        signingAlgorithm: algorithm,
        ...validity,
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([usage]),
            await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
            ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
    });
    return { cert: textOf(certificate), key: await exportKey(keys.privateKey) };
}

/** When a certificate begins and ends. */
export function validityOf(cert: string): Validity {
    const { validFromDate, validToDate } = new X509Certificate(cert);
    return { notBefore: validFromDate, notAfter: validToDate };
}

/** Loaded only where something is issued: it takes as long as the rest of the plugin. */
async function loadLibrary(): Promise<typeof x509Library> {
    await import("reflect-metadata");
    return import("@peculiar/x509");
}

function textOf(certificate: x509Library.X509Certificate): string {
    return `${certificate.toString("pem")}\n`;
}

async function exportKey(made: webcrypto.CryptoKey): Promise<string> {
    const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", made));
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return String(key.export({ format: "pem", type: "pkcs8" }));
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
    const der = createPrivateKey(pem).export({ format: "der", type: "pkcs8" });
    return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
