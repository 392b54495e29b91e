import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, verify as verifyBytes } from "node:crypto";

import { MultiArchError } from "../../../sdk/errors";
import { readSigningKey } from "../../../sdk/signing/key";
import { fetchPublicRoot } from "../../../sdk/signing/publicRoot";
import { signDigest, type KeylessOptions } from "../../../sdk/signing/sign";
import { createSignatureCheck, type SignaturePolicy } from "../../../sdk/signing/verify";
import { identity, issuer, startSigstoreDouble, tokenFor, type SigstoreDouble } from "../../support/sigstoreDouble";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const { signal } = new AbortController();

function newKey() {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    return readSigningKey({ privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString() });
}

async function check(bundle: Uint8Array, policy: SignaturePolicy, of = digest): Promise<string | undefined> {
    return (await createSignatureCheck(policy, signal))(bundle, of);
}

interface Bundle {
    mediaType: string;
    verificationMaterial: { publicKey?: { hint: string }; certificate?: object; tlogEntries?: object[] };
    dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
}

describe("a signature by a key", () => {
    const key = newKey();
    const { publicKey } = key;

    it("is what cosign writes: a bundle with a statement about the digest, which any verifier can check", async () => {
        const bundle = JSON.parse((await signDigest(digest, { key, signal })).toString()) as Bundle;
        assert.equal(bundle.mediaType, "application/vnd.dev.sigstore.bundle.v0.3+json");
        const der = createPublicKey(publicKey).export({ format: "der", type: "spki" });
        const hint = createHash("sha256").update(der).digest("base64");
        assert.equal(bundle.verificationMaterial.publicKey?.hint, hint);
        assert.equal((bundle.verificationMaterial.tlogEntries ?? []).length, 0, "no log was asked");
        const { payload, payloadType, signatures } = bundle.dsseEnvelope;
        assert.equal(signatures[0]?.keyid ?? "", "", "with an id cosign looks for another key");
        const statement = Buffer.from(payload, "base64");
        assert.deepEqual(JSON.parse(statement.toString()), {
            _type: "https://in-toto.io/Statement/v1",
            subject: [{ digest: { sha256: "a".repeat(64) } }],
            predicateType: "https://sigstore.dev/cosign/sign/v1",
            predicate: {},
        });
        // https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
        const begin = `DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} `;
        const signature = Buffer.from(signatures[0]?.sig ?? "", "base64");
        assert.ok(verifyBytes("sha256", Buffer.concat([Buffer.from(begin), statement]), publicKey, signature));
    });

    it("fits its key and digest, and no other", async () => {
        const bundle = await signDigest(digest, { key, signal });
        assert.equal(await check(bundle, { publicKey }), undefined);
        assert.equal(await check(bundle, { publicKey: newKey().publicKey }), "it was made by another key");
        assert.equal(await check(bundle, { publicKey }, other), "it is about something else");
        const byIdentity = { certificateIdentity: identity, certificateIssuer: issuer, trustedRoot: emptyRoot };
        assert.equal(await check(bundle, byIdentity), "it has a key in place of a certificate");
        assert.equal(await check(bundle, { publicKey, trustedRoot: emptyRoot }), "it is not in a trusted log");
    });

    it("does not survive any change", async () => {
        const text = (await signDigest(digest, { key, signal })).toString();
        const bundle = JSON.parse(text) as Bundle;
        const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();
        bundle.dsseEnvelope.payload = Buffer.from(payload.replaceAll("a".repeat(64), "b".repeat(64))).toString(
            "base64",
        );
        assert.equal(
            await check(Buffer.from(JSON.stringify(bundle)), { publicKey }, other),
            "it was made by another key",
        );
        assert.equal(await check(Buffer.from(text.slice(1)), { publicKey }), "it is damaged");
        assert.equal(await check(Buffer.from("{}"), { publicKey }), "it is damaged");
    });
});

const emptyRoot = JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
});

/** Against a double of Fulcio and Rekor. The signature, certificate and log entry are real, and are really checked. */
describe("a signature without a key", () => {
    let double: SigstoreDouble;
    let keyless: KeylessOptions;
    let policy: SignaturePolicy;

    before(async () => {
        double = await startSigstoreDouble();
        keyless = { identityToken: tokenFor(), fulcioUrl: `${double.url}/`, rekorUrl: double.url };
        policy = { certificateIdentity: identity, certificateIssuer: issuer, trustedRoot: double.trustedRoot };
    });

    after(() => double.stop());

    it("has a certificate and a log entry, and fits who signed", async () => {
        const bundle = await signDigest(digest, { keyless, signal });
        const { verificationMaterial } = JSON.parse(bundle.toString()) as Bundle;
        assert.ok(verificationMaterial.certificate);
        assert.equal(verificationMaterial.tlogEntries?.length, 1);
        assert.equal(await check(bundle, policy), undefined);
        assert.equal(await check(bundle, policy, other), "it is about something else");
    });

    it("fits no other identity, issuer, authority or key", async () => {
        const bundle = await signDigest(digest, { keyless, signal });
        const refused: [SignaturePolicy, string][] = [
            [{ ...policy, certificateIdentity: identity.slice(0, -1) }, "it was made by another identity"],
            [{ ...policy, certificateIdentity: identity.replace(".yml", "-yml") }, "it was made by another identity"],
            [{ ...policy, certificateIssuer: "https://elsewhere.example.com" }, "it was made by another identity"],
            [{ ...policy, trustedRoot: emptyRoot }, "its certificate is not from a trusted authority"],
            [{ publicKey: newKey().publicKey }, "it has a certificate in place of a key"],
        ];
        for (const [wanted, reason] of refused) {
            assert.equal(await check(bundle, wanted), reason);
        }
    });

    it("is not taken when its certificate names a pattern", async () => {
        const bundle = await signDigest(digest, { keyless: { ...keyless, identityToken: tokenFor("aXb") }, signal });
        assert.equal(await check(bundle, { ...policy, certificateIdentity: "a.b" }), "it was made by another identity");
    });

    const fails = async (more: KeylessOptions): Promise<string> => {
        try {
            await signDigest(digest, { keyless: { ...keyless, ...more }, signal });
        } catch (error) {
            assert.ok(error instanceof MultiArchError);
            return error.message;
        }
        throw new Error("it did not fail");
    };

    it("fails by name, and tells nothing of the token", async () => {
        const broken = "bm90LWEtdG9rZW4.bm90LWEtdG9rZW4.c2lnbmF0dXJl";
        const unread = await fails({ identityToken: broken });
        assert.match(unread, /not signed: the identity token is none \[sign-failed\]/);
        assert.equal(unread.includes(broken), false);
        double.breakWith(403);
        const refused = await fails({});
        assert.match(refused, /not signed: http:\/\/127\.0\.0\.1:\d+ gave no certificate \(HTTP 403\) \[sign-failed\]/);
        assert.equal(refused.includes(tokenFor()), false);
        double.breakWith(undefined);
        const unreachable = await fails({ rekorUrl: "http://127.0.0.1:1" });
        assert.match(unreachable, /http:\/\/127\.0\.0\.1:1 did not enter the signature into its log/);
    }).timeout(60_000);

    it("ends when the user cancels", async () => {
        const cancelled = new AbortController();
        const work = signDigest(digest, { keyless, signal: cancelled.signal });
        cancelled.abort();
        await assert.rejects(work, (error) => error instanceof MultiArchError && error.code === "build-cancelled");
    });
});

describe("the keys of the public instances", () => {
    it("are missed by name when they cannot be fetched", async () => {
        await assert.rejects(fetchPublicRoot(signal, "http://127.0.0.1:1"), (error) => {
            return error instanceof MultiArchError && error.code === "trusted-root-unreachable";
        });
    }).timeout(60_000);
});
