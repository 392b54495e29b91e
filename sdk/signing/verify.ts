import type { TrustMaterial } from "@sigstore/verify";

import { MultiArchError } from "../errors";
import { readPublicKey } from "./key";
import { isStatementAbout } from "./statement";
import { fetchPublicRoot } from "./publicRoot";

/** What a signature has to be: one by this key, or one with a certificate for this identity. */
export interface SignaturePolicy {
    readonly publicKey?: string | undefined;
    readonly certificateIdentity?: string | undefined;
    readonly certificateIssuer?: string | undefined;
    /** The keys and certificates of Fulcio, Rekor and others, as JSON. Defaults to those of the public instances. */
    readonly trustedRoot?: string | undefined;
}

/** Says why a bundle is no signature of a digest that fits the policy; undefined when it is one. */
export type CheckSignature = (bundle: Uint8Array, digest: string) => string | undefined;

/**
 * Makes a check of signatures. One by a key needs nothing but the key; only with a trusted root it has to be in the log
 * too. One with a certificate has to be in the log, for the certificate lives for minutes only.
 */
export async function createSignatureCheck(policy: SignaturePolicy, signal: AbortSignal): Promise<CheckSignature> {
    const library = await import("@sigstore/verify");
    const { bundleFromJSON } = await import("@sigstore/bundle");
    const byKey = policy.publicKey !== undefined;
    const usesLog = !byKey || policy.trustedRoot !== undefined;
    const trust = await createTrust(policy, usesLog, signal);
    const counts = { tlogThreshold: Number(usesLog), ctlogThreshold: Number(!byKey) };
    const verifier = new library.Verifier(trust, { ...counts, timestampThreshold: Number(!byKey) });
    return (bytes, digest) => {
        try {
            const bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
            const { content, verificationMaterial } = bundle;
            if (content.$case !== "dsseEnvelope") {
                return "it is no signature of an image";
            }
            const { payload, payloadType, signatures } = content.dsseEnvelope;
            if (signatures.length !== 1 || !isStatementAbout(payloadType, payload, digest)) {
                return "it is about something else";
            }
            if (byKey !== (verificationMaterial.content.$case === "publicKey")) {
                return byKey ? "it has a certificate in place of a key" : "it has a key in place of a certificate";
            }
            const entity = library.toSignedEntity(bundle);
            verifier.verify(usesLog ? entity : { ...entity, tlogEntries: [], timestamps: [] }, policyOf(policy));
            return undefined;
        } catch (error) {
            return describe(error);
        }
    };
}

async function createTrust(policy: SignaturePolicy, usesLog: boolean, signal: AbortSignal): Promise<TrustMaterial> {
    const key = policy.publicKey === undefined ? undefined : readPublicKey(policy.publicKey);
    const findKey = () => {
        if (key === undefined) {
            throw new TypeError("no key is trusted");
        }
        return { publicKey: key, validFor: () => true };
    };
    if (!usesLog) {
        return { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: findKey };
    }
    const { toTrustMaterial } = await import("@sigstore/verify");
    const { TrustedRoot } = await import("@sigstore/protobuf-specs");
    const given = policy.trustedRoot;
    const root = given === undefined ? await fetchPublicRoot(signal) : undefined;
    try {
        return toTrustMaterial(root ?? TrustedRoot.fromJSON(JSON.parse(given ?? "")), findKey);
    } catch (error) {
        const what = "the trusted root lacks something, or is damaged";
        throw new MultiArchError("signature-invalid", { what, property: "verify.trustedRoot", cause: error });
    }
}

function policyOf({ publicKey, certificateIdentity = "", certificateIssuer = "" }: SignaturePolicy) {
    if (publicKey !== undefined) {
        return undefined;
    }
    // The library takes a pattern. A dot in the address of a workflow means a dot.
    const subjectAlternativeName = `^${certificateIdentity.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;
    return { subjectAlternativeName, extensions: { issuer: certificateIssuer } };
}

const reasons: Readonly<Record<string, string>> = {
    SIGNATURE_ERROR: "it was made by another key",
    UNTRUSTED_SIGNER_ERROR: "it was made by another identity",
    CERTIFICATE_ERROR: "its certificate is not from a trusted authority",
    TLOG_ERROR: "it is not in a trusted log",
    TLOG_INCLUSION_PROOF_ERROR: "it is not in a trusted log",
    TLOG_INCLUSION_PROMISE_ERROR: "it is not in a trusted log",
    TLOG_MISSING_INCLUSION_ERROR: "it is not in a trusted log",
    TLOG_BODY_ERROR: "the log has something else",
    TIMESTAMP_ERROR: "nothing proves when it was made",
};

function describe(error: unknown): string {
    const { code } = error as { code?: unknown };
    const reason = typeof code === "string" ? reasons[code] : undefined;
    return reason ?? "it is damaged";
}
