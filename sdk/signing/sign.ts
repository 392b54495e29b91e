import { createHash, createPublicKey, sign as signBytes } from "node:crypto";

// Only its types: the library itself is loaded when something is signed.
import type { IdentityProvider, Signer, Witness } from "@sigstore/sign";

import { MultiArchError } from "../errors";
import type { SigningKey } from "./key";
import { makeStatement, payloadType } from "./statement";
import { untilAborted } from "./untilAborted";

/** How something is signed. */
export interface SignOptions {
    /** With a key of one's own. */
    readonly key?: (SigningKey & { readonly rekorUrl?: string | undefined }) | undefined;
    /** Without: with a certificate for an identity, which lives for minutes. */
    readonly keyless?: KeylessOptions | undefined;
    readonly signal: AbortSignal;
}

/** What gives the certificate and keeps the proof of the time. */
export interface KeylessOptions {
    readonly fulcioUrl?: string | undefined;
    readonly rekorUrl?: string | undefined;
    readonly timestampUrl?: string | undefined;
    /** Proves who signs. Defaults to what the pipeline gives. */
    readonly identityToken?: string | undefined;
}

const publicFulcio = "https://fulcio.sigstore.dev";
const publicRekor = "https://rekor.sigstore.dev";

/** Of one request. The library tries what may succeed again. */
const limits = { timeout: 15_000, retry: { retries: 2 } };

/**
 * Signs a digest. Gives a sigstore bundle, version 0.3, as JSON: the signature and all that is needed to check it.
 * https://docs.sigstore.dev/about/bundle/
 *
 * Throws a MultiArchError `sign-failed`, or `build-cancelled`.
 */
export async function signDigest(digest: string, { key, keyless, signal }: SignOptions): Promise<Buffer> {
    const library = await import("@sigstore/sign");
    const { bundleToJSON } = await import("@sigstore/bundle");
    const witnesses: Witness[] = [];
    const rekorUrl = key === undefined ? (keyless?.rekorUrl ?? publicRekor) : key.rekorUrl;
    if (rekorUrl !== undefined) {
        witnesses.push(new library.RekorWitness({ ...limits, rekorBaseURL: trim(rekorUrl) }));
    }
    if (keyless?.timestampUrl !== undefined) {
        witnesses.push(new library.TSAWitness({ ...limits, tsaBaseURL: trim(keyless.timestampUrl) }));
    }
    const identityProvider = createIdentity(keyless?.identityToken, () => new library.CIContextProvider("sigstore"));
    const fulcioBaseURL = trim(keyless?.fulcioUrl ?? publicFulcio);
    const signer: Signer =
        key === undefined ? new library.FulcioSigner({ ...limits, fulcioBaseURL, identityProvider }) : keySigner(key);
    const bundler = new library.DSSEBundleBuilder({ signer, witnesses, certificateChain: false });
    try {
        const work = bundler.create({ data: makeStatement(digest), type: payloadType });
        const bundle = await untilAborted(work, signal);
        const { content } = bundle.verificationMaterial;
        if (key !== undefined && content.$case === "publicKey") {
            // Only here: as the id of the key in the envelope cosign would take it for that of another key.
            content.publicKey.hint = hintOf(key.publicKey);
        }
        return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
    } catch (error) {
        throw error instanceof MultiArchError ? error : describeFailure(error, { fulcioUrl: fulcioBaseURL, rekorUrl });
    }
}

function keySigner({ privateKey, publicKey }: SigningKey): Signer {
    return {
        sign: (data) => {
            const signature = signBytes("sha256", data, privateKey);
            return Promise.resolve({ signature, key: { $case: "publicKey", publicKey } });
        },
    };
}

/** How cosign tells keys apart: https://github.com/sigstore/cosign/blob/v3.1.3/internal/key/svkeypair.go */
function hintOf(publicKey: string): string {
    const der = createPublicKey(publicKey).export({ format: "der", type: "spki" });
    return createHash("sha256").update(der).digest("base64");
}

function createIdentity(token: string | undefined, ofPipeline: () => IdentityProvider): IdentityProvider {
    return token === undefined ? ofPipeline() : { getToken: () => Promise.resolve(token) };
}

// Texts of the library are not printed: some hold the identity token.
const reasons: Readonly<Record<string, (urls: { fulcioUrl: string; rekorUrl?: string | undefined }) => string>> = {
    IDENTITY_TOKEN_READ_ERROR: () => "there is no identity token in this environment",
    IDENTITY_TOKEN_PARSE_ERROR: () => "the identity token is none",
    CA_CREATE_SIGNING_CERTIFICATE_ERROR: ({ fulcioUrl }) => `${fulcioUrl} gave no certificate`,
    TLOG_CREATE_ENTRY_ERROR: ({ rekorUrl = "" }) => `${rekorUrl} did not enter the signature into its log`,
    TSA_CREATE_TIMESTAMP_ERROR: () => "the timestamp authority gave no timestamp",
};

function describeFailure(error: unknown, urls: { fulcioUrl: string; rekorUrl?: string | undefined }): MultiArchError {
    const { code = "", cause } = error as { code?: string; cause?: { statusCode?: unknown; code?: unknown } };
    const status = typeof cause?.statusCode === "number" ? ` (HTTP ${cause.statusCode})` : "";
    const network = status === "" && typeof cause?.code === "string" ? ` (${cause.code})` : "";
    const reason = reasons[code]?.(urls) ?? "the signature could not be made";
    return new MultiArchError("sign-failed", { what: `not signed: ${reason}${status}${network}`, cause: error });
}

function trim(url: string): string {
    return url.replace(/\/+$/, "");
}
