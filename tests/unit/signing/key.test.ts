import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, scryptSync, type KeyObject } from "node:crypto";

import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";

import { readPublicKey, readSigningKey } from "../../../sdk/signing/key";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const expected = publicKey.export({ format: "pem", type: "spki" }).toString();

/** Encrypts a key as `cosign generate-key-pair` does. */
function encryptAsCosign(key: KeyObject, password: string, change: object = {}): string {
    const salt = randomBytes(32);
    const nonce = randomBytes(24);
    const options = { cost: 65_536, blockSize: 8, parallelization: 1, maxmem: 256 * 1024 * 1024 };
    const box = xsalsa20poly1305(scryptSync(password, salt, 32, options), nonce);
    const document = {
        kdf: { name: "scrypt", params: { N: 65_536, r: 8, p: 1 }, salt: salt.toString("base64") },
        cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
        ciphertext: Buffer.from(box.encrypt(key.export({ format: "der", type: "pkcs8" }))).toString("base64"),
        ...change,
    };
    const body = Buffer.from(JSON.stringify(document)).toString("base64").replace(/.{64}/g, "$&\n");
    return `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${body}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
}

function refuse(text: string, password?: string): string {
    try {
        readSigningKey({ privateKey: text, password });
    } catch (error) {
        assert.ok(error instanceof TypeError);
        assert.equal(password !== undefined && error.message.includes(password), false);
        return error.message;
    }
    throw new Error("it was not refused");
}

describe("a key that signs", () => {
    const passphrase = "hunter22";
    const encrypted = { format: "pem", cipher: "aes-256-cbc", passphrase } as const;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const forms: [string, string, string?][] = [
        ["as PKCS #8", privateKey.export({ format: "pem", type: "pkcs8" }).toString()],
        ["as SEC 1", privateKey.export({ format: "pem", type: "sec1" }).toString()],
        ["as encrypted PKCS #8", privateKey.export({ ...encrypted, type: "pkcs8" }).toString(), passphrase],
        ["as cosign encrypts it", encryptAsCosign(privateKey, passphrase), passphrase],
        ["as cosign encrypts it without a password", encryptAsCosign(privateKey, "")],
    ];
    for (const [title, text, password] of forms) {
        it(`is read ${title}`, () => {
            assert.equal(readSigningKey({ privateKey: text, password }).publicKey, expected);
        });
    }

    it("may be RSA", () => {
        const text = rsa.privateKey.export({ format: "pem", type: "pkcs1" }).toString();
        assert.match(readSigningKey({ privateKey: text }).publicKey, /BEGIN PUBLIC KEY/);
    });

    it("is refused with a reason that holds nothing of it", () => {
        const pkcs8 = privateKey.export({ ...encrypted, type: "pkcs8" }).toString();
        assert.match(refuse(pkcs8), /no password/);
        assert.match(refuse(pkcs8, "wrong-password"), /password does not fit/);
        assert.match(refuse(encryptAsCosign(privateKey, passphrase), "wrong-password"), /password does not fit/);
        assert.match(refuse("not a key"), /no private key as PEM/);
        const costly = { kdf: { name: "scrypt", params: { N: 2 ** 24, r: 8, p: 1 }, salt: "" } };
        assert.match(refuse(encryptAsCosign(privateKey, "", costly)), /not known here/);
        const body = Buffer.from("{").toString("base64");
        const damaged = `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n${body}\n-----END ENCRYPTED COSIGN PRIVATE KEY-----`;
        assert.match(refuse(damaged), /damaged/);
    });

    it("is refused when cosign would check it in another way", () => {
        for (const { privateKey: other } of [
            generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
            generateKeyPairSync("ed25519"),
            generateKeyPairSync("rsa", { modulusLength: 1_024 }),
        ]) {
            assert.match(refuse(other.export({ format: "pem", type: "pkcs8" }).toString()), /neither an ECDSA key/);
        }
    });
});

describe("a public key", () => {
    it("is read, and a private one is not taken for it", () => {
        assert.equal(readPublicKey(expected).asymmetricKeyType, "ec");
        const secret = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
        assert.throws(() => readPublicKey(secret), /it is a private key/);
        assert.throws(() => readPublicKey("ssh-ed25519 AAAA"), /no public key/);
    });
});
