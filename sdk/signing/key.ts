import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import { decryptCosignKey, isCosignKey } from "./cosignKey";

/** A key that signs, as the program gives it. */
export interface SigningKeyText {
    /** PEM: PKCS #8, SEC 1 or PKCS #1, also encrypted, or what cosign has encrypted. */
    readonly privateKey: string;
    readonly password?: string | undefined;
}

/** A key that signs. */
export interface SigningKey {
    readonly privateKey: KeyObject;
    /** The other half, as PEM. */
    readonly publicKey: string;
}

const shortestRsa = 2_048;

/** Reads a key. Fails with an error that says what is wrong, and holds nothing of the key. */
export function readSigningKey({ privateKey: text, password }: SigningKeyText): SigningKey {
    const privateKey = isCosignKey(text)
        ? createPrivateKey({ key: decryptCosignKey(text, password ?? ""), format: "der", type: "pkcs8" })
        : readPem(text, password);
    const publicKey = createPublicKey(privateKey);
    refuseOtherKinds(publicKey);
    return { privateKey, publicKey: formatPublicKey(publicKey) };
}

/** Reads a public key. Fails with an error that says what is wrong. */
export function readPublicKey(text: string): KeyObject {
    if (text.includes("PRIVATE KEY-----")) {
        throw new TypeError("it is a private key. Give the public one");
    }
    let key: KeyObject;
    try {
        key = createPublicKey(text);
    } catch {
        throw new TypeError("it is no public key as PEM text");
    }
    refuseOtherKinds(key);
    return key;
}

function readPem(text: string, password: string | undefined): KeyObject {
    try {
        return createPrivateKey({ key: text, ...(password === undefined ? {} : { passphrase: password }) });
    } catch (error) {
        if (password === undefined && text.includes("ENCRYPTED")) {
            throw new TypeError("it is encrypted, and there is no password", { cause: error });
        }
        const isEncrypted = text.includes("ENCRYPTED");
        throw new TypeError(isEncrypted ? "the password does not fit" : "it is no private key as PEM text", {
            cause: error,
        });
    }
}

/** What this package and cosign sign and check in the same way. */
function refuseOtherKinds(key: KeyObject): void {
    const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    const isEc = key.asymmetricKeyType === "ec" && namedCurve === "prime256v1";
    if (!isEc && !(key.asymmetricKeyType === "rsa" && modulusLength >= shortestRsa)) {
        throw new TypeError(
            `it is neither an ECDSA key on the curve P-256 nor an RSA key of ${shortestRsa} bits or more`,
        );
    }
}

function formatPublicKey(key: KeyObject): string {
    return key.export({ format: "pem", type: "spki" }).toString();
}
