import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

// Everything a test needs for mTLS, made at run time: no key is ever part of the repository.
x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate and its private key, as PEM text. */
export interface KeyedCertificate {
    readonly cert: string;
    readonly key: string;
}

/** A certificate authority that issues leaf certificates. */
export interface TestAuthority {
    readonly ca: string;
    issue(options: LeafOptions): Promise<KeyedCertificate>;
}

/** What a leaf certificate is for, and when it is valid. */
export interface LeafOptions {
    readonly names?: readonly x509.JsonGeneralName[];
    readonly commonName?: string;
    readonly notBefore?: Date;
    readonly notAfter?: Date;
}

const hour = 3_600_000;

/** Makes a new authority, with a key of its own. */
export async function createAuthority(commonName = "test CA"): Promise<TestAuthority> {
    const keys = await newKeys();
    const ca = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: "01",
        name: `CN=${commonName}`,
        notBefore: new Date(Date.now() - 1000 * hour),
        notAfter: new Date(Date.now() + 1000 * hour),
        signingAlgorithm: algorithm,
        keys,
        extensions: [
            new x509.BasicConstraintsExtension(true, 1, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
    });
    let serial = 1;
    return {
        ca: ca.toString("pem"),
        issue: async (options) => {
            const leafKeys = await newKeys();
            serial += 1;
            const leaf = await x509.X509CertificateGenerator.create({
                serialNumber: serial.toString(16).padStart(4, "0"),
                subject: `CN=${options.commonName ?? "test leaf"}`,
                issuer: ca.subject,
                notBefore: options.notBefore ?? new Date(Date.now() - hour),
                notAfter: options.notAfter ?? new Date(Date.now() + hour),
                signingAlgorithm: algorithm,
                publicKey: leafKeys.publicKey,
                signingKey: keys.privateKey,
                extensions: [
                    new x509.ExtendedKeyUsageExtension([
                        x509.ExtendedKeyUsage.serverAuth,
                        x509.ExtendedKeyUsage.clientAuth,
                    ]),
                    ...(options.names ? [new x509.SubjectAlternativeNameExtension([...options.names])] : []),
                ],
            });
            return { cert: leaf.toString("pem"), key: await exportKey(leafKeys.privateKey) };
        },
    };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
    return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key);
    return x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
}
