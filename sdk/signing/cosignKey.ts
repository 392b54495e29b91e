import { scryptSync } from "node:crypto";
import { createRequire } from "node:module";

// Loaded when there is such a key: every start of the plugin passes here.
const load = createRequire(__filename);

/** The names of a key that `cosign generate-key-pair` or `cosign import-key-pair` has encrypted. */
const pemPattern = /-----BEGIN ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY-----([\s\S]+?)-----END ENCRYPTED /;

// What cosign writes, and has written before. Whatever else stands there would only cost time and memory.
// https://github.com/secure-systems-lab/go-securesystemslib/blob/v0.11.0/encrypted/encrypted.go
const knownCosts = [2 ** 15, 2 ** 16, 2 ** 17];
const keyLength = 32;
const nonceLength = 24;

interface EncryptedKey {
    readonly kdf?: { name?: unknown; params?: { N?: unknown; r?: unknown; p?: unknown }; salt?: unknown };
    readonly cipher?: { name?: unknown; nonce?: unknown };
    readonly ciphertext?: unknown;
}

/** True for a private key in cosign's own format. */
export function isCosignKey(pem: string): boolean {
    return pemPattern.test(pem);
}

/**
 * Decrypts a private key in cosign's own format: scrypt makes a key of the password, and NaCl's secretbox holds the
 * private key as PKCS #8. Fails with an error that says what is wrong, and holds nothing of either.
 */
export function decryptCosignKey(pem: string, password: string): Buffer {
    const { kdf, cipher, ciphertext } = parse(pem);
    const { N: cost, r, p } = kdf?.params ?? {};
    if (kdf?.name !== "scrypt" || cipher?.name !== "nacl/secretbox" || r !== 8 || p !== 1) {
        throw new TypeError("it is encrypted in a way that is not known here");
    }
    if (typeof cost !== "number" || !knownCosts.includes(cost)) {
        throw new TypeError("it is encrypted in a way that is not known here");
    }
    const salt = bytesOf(kdf.salt);
    const nonce = bytesOf(cipher.nonce);
    if (nonce.length !== nonceLength) {
        throw new TypeError("it is damaged");
    }
    // By default Node.js allows scrypt less memory than it takes here: 128 * N * r bytes, and a little more.
    const options = { cost, blockSize: r, parallelization: p, maxmem: 2 * 128 * cost * r };
    const key = scryptSync(password, salt, keyLength, options);
    const { xsalsa20poly1305 } = load("@noble/ciphers/salsa.js") as typeof import("@noble/ciphers/salsa.js");
    try {
        return Buffer.from(xsalsa20poly1305(key, nonce).decrypt(bytesOf(ciphertext)));
    } catch {
        throw new TypeError("the password does not fit");
    }
}

function parse(pem: string): EncryptedKey {
    try {
        const body = (pemPattern.exec(pem)?.[1] ?? "").replace(/\s/g, "");
        return (JSON.parse(Buffer.from(body, "base64").toString("utf8")) ?? {}) as EncryptedKey;
    } catch {
        throw new TypeError("it is damaged");
    }
}

function bytesOf(value: unknown): Uint8Array {
    return new Uint8Array(Buffer.from(typeof value === "string" ? value : "", "base64"));
}
