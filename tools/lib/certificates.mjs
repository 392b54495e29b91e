import { webcrypto } from "node:crypto";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { ensureDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;
// Above 825 days some TLS stacks refuse a server certificate.
const LIFETIME_DAYS = 365;

/**
 * A certificate and its private key, both as PEM text.
 * @typedef {{ cert: string, key: string }} KeyPair
 */

/**
 * @typedef {object} IssueOptions
 * @property {string} commonName
 * @property {string[]} [dnsNames] names a server answers to
 * @property {string[]} [ipAddresses] addresses a server answers to
 * @property {"server" | "client"} usage
 * @property {Date} [notBefore] an hour ago when not given, so that a slow clock does not matter
 * @property {Date} [notAfter] in a year when not given
 */

/**
 * Creates a certificate authority.
 * @param {string} name
 * @param {{ notBefore?: Date, notAfter?: Date }} [validity] a year from now when not given
 * @returns {Promise<KeyPair>}
 */
export async function createAuthority(name, validity = {}) {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: [{ CN: [name] }],
        keys,
        signingAlgorithm: ALGORITHM,
        ...validityOf(validity),
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    return { cert: toText(certificate), key: await exportKey(keys.privateKey) };
}

/**
 * Issues a certificate for a server or a client.
 * @param {KeyPair} authority
 * @param {IssueOptions} options
 * @returns {Promise<KeyPair>}
 */
export async function issue(authority, { commonName, dnsNames = [], ipAddresses = [], usage, ...validity }) {
    const issuer = new x509.X509Certificate(authority.cert);
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const names = [
        ...dnsNames.map((value) => /** @type {const} */ ({ type: "dns", value })),
        ...ipAddresses.map((value) => /** @type {const} */ ({ type: "ip", value })),
    ];
    const purpose = usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const certificate = await x509.X509CertificateGenerator.create({
        subject: [{ CN: [commonName] }],
        issuer: issuer.subject,
        publicKey: keys.publicKey,
        signingKey: await importKey(authority.key),
        signingAlgorithm: ALGORITHM,
        ...validityOf(validity),
        extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension([purpose]),
            await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
            ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
    });
    return { cert: toText(certificate), key: await exportKey(keys.privateKey) };
}

/**
 * Writes `<name>.pem` and `<name>-key.pem`, readable by the owner only.
 * @param {string} dir
 * @param {string} name
 * @param {KeyPair} pair
 * @returns {{ certFile: string, keyFile: string }}
 */
export function writeKeyPair(dir, name, pair) {
    ensureDir(dir);
    const files = { certFile: join(dir, `${name}.pem`), keyFile: join(dir, `${name}-key.pem`) };
    writePrivate(files.certFile, pair.cert);
    writePrivate(files.keyFile, pair.key);
    return files;
}

/**
 * True when the certificate is valid now and still will be in `days`.
 * @param {string} cert
 * @param {number} days
 */
export function isValidFor(cert, days) {
    const { notBefore, notAfter } = new x509.X509Certificate(cert);
    return notBefore.getTime() <= Date.now() && notAfter.getTime() > Date.now() + days * DAY_MS;
}

/** @param {{ notBefore?: Date, notAfter?: Date }} validity */
function validityOf({
    notBefore = new Date(Date.now() - DAY_MS / 24),
    notAfter = new Date(Date.now() + LIFETIME_DAYS * DAY_MS),
}) {
    return { notBefore, notAfter };
}

/** @param {x509.X509Certificate} certificate */
function toText(certificate) {
    return `${certificate.toString("pem")}\n`;
}

/** @param {webcrypto.CryptoKey} key */
async function exportKey(key) {
    return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** @param {string} pem */
function importKey(pem) {
    const der = x509.PemConverter.decodeFirst(pem);
    return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}
