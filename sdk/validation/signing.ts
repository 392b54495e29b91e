import { readPublicKey, readSigningKey, type SigningKeyText } from "../signing/key";
import { whatOf } from "../errors";
import type { InputProblem } from "../resources/lifecycle";
import { hasUnknown, unknownValue, type Properties } from "../resources/values";

/** How an index is signed: with exactly one of a key and an identity, and so that it can be checked. */
export function checkSign(inputs: Properties): InputProblem[] {
    const sign = inputs["sign"] as Properties | undefined;
    const verify = inputs["verify"] as Properties | undefined;
    if (sign === undefined) {
        return verify === undefined ? [] : [{ property: "verify", reason: "has no use without sign" }];
    }
    if (inputs["push"] === false) {
        return [{ property: "sign", reason: "has no use with push: false. What is signed is in a registry" }];
    }
    if ((sign as unknown) === unknownValue) {
        return checkVerify(inputs);
    }
    const key = sign["key"] as Properties | undefined;
    const keyless = sign["keyless"] as Properties | undefined;
    if ((key === undefined) === (keyless === undefined)) {
        return [{ property: "sign", reason: "must have exactly one of key and keyless" }];
    }
    return [...checkKey(key), ...checkKeyless(keyless, verify), ...checkVerify(inputs)];
}

/** What a signature has to be: one by a key, or one for an identity. */
export function checkVerify(inputs: Properties): InputProblem[] {
    const verify = inputs["verify"] as Properties | undefined;
    if (verify === undefined || (verify as unknown) === unknownValue) {
        return [];
    }
    const { publicKey, certificateIdentity, certificateIssuer, trustedRoot } = verify;
    const byIdentity = certificateIdentity !== undefined || certificateIssuer !== undefined;
    const reason = "must have either publicKey, or certificateIdentity and certificateIssuer";
    const isWhole = byIdentity ? certificateIdentity !== undefined && certificateIssuer !== undefined : true;
    return [
        ...((publicKey !== undefined) === byIdentity || !isWhole ? [{ property: "verify", reason }] : []),
        ...checkText("verify.publicKey", publicKey, readPublicKey),
        ...checkText("verify.certificateIdentity", certificateIdentity, refuseEmpty),
        ...checkText("verify.certificateIssuer", certificateIssuer, refuseEmpty),
        ...checkText("verify.trustedRoot", trustedRoot, refuseOtherRoots),
    ];
}

function checkKey(key: Properties | undefined): InputProblem[] {
    if (key === undefined || hasUnknown(key)) {
        return [];
    }
    const read = (): unknown => readSigningKey(key as unknown as SigningKeyText);
    return [
        ...checkText("sign.key.privateKey", key["privateKey"], read),
        ...checkText("sign.key.rekorUrl", key["rekorUrl"], refuseOtherUrls),
    ];
}

function checkKeyless(keyless: Properties | undefined, verify: Properties | undefined): InputProblem[] {
    if (keyless === undefined || (keyless as unknown) === unknownValue) {
        return [];
    }
    const urls = ["fulcioUrl", "rekorUrl", "timestampUrl"];
    const isForIdentity = verify?.["certificateIdentity"] !== undefined || (verify as unknown) === unknownValue;
    const reason = "needs certificateIdentity and certificateIssuer: anybody can have a certificate";
    const isPrivate = urls.some((name) => keyless[name] !== undefined);
    const rootReason = "is required beside a fulcioUrl, rekorUrl or timestampUrl: it says which keys these have";
    const isRootMissing = isForIdentity && isPrivate && (verify as unknown) !== unknownValue;
    return [
        ...(isForIdentity ? [] : [{ property: "verify", reason }]),
        ...(isRootMissing && verify?.["trustedRoot"] === undefined
            ? [{ property: "verify.trustedRoot", reason: rootReason }]
            : []),
        ...urls.flatMap((name) => checkText(`sign.keyless.${name}`, keyless[name], refuseOtherUrls)),
    ];
}

/** Neither the text nor what a library says of it is in the reason: it may be a key. */
function checkText(property: string, text: unknown, read: (text: string) => unknown): InputProblem[] {
    if (typeof text !== "string" || text === unknownValue) {
        return [];
    }
    try {
        read(text);
        return [];
    } catch (error) {
        const reason = error instanceof TypeError ? whatOf(error) : "it is damaged";
        return [{ property, reason: `cannot be used: ${reason}` }];
    }
}

function refuseEmpty(text: string): void {
    if (text.trim() === "") {
        throw new TypeError("it is empty");
    }
}

/** An identity token and what is signed must not be read on the way. */
function refuseOtherUrls(text: string): void {
    const url = URL.parse(text);
    const isLoopback = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
    if (url?.protocol !== "https:" && !(url?.protocol === "http:" && isLoopback)) {
        throw new TypeError("it is no https:// address");
    }
    if (url.username !== "" || url.password !== "") {
        throw new TypeError("it holds an account");
    }
}

function refuseOtherRoots(text: string): void {
    let root: unknown;
    try {
        root = JSON.parse(text);
    } catch {
        throw new TypeError("it is not JSON");
    }
    const { mediaType } = (root ?? {}) as { mediaType?: unknown };
    if (typeof mediaType !== "string" || !mediaType.startsWith("application/vnd.dev.sigstore.trustedroot")) {
        throw new TypeError("it is no trusted root of sigstore");
    }
}
