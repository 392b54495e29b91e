import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog } from "@sigstore/mock";

/**
 * Stands for sigstore's Fulcio and Rekor, which tests cannot reach: sigstore's own mock of them, behind HTTP on loopback.
 * It issues real certificates and log entries, under keys of its own. It asks nobody whether an identity token is true.
 */
export interface SigstoreDouble {
    readonly url: string;
    /** What trusts it: its keys and certificates, as the JSON of a trusted root. */
    readonly trustedRoot: string;
    /** How often something was asked of it, by path. */
    readonly asked: Record<string, number>;
    /** From now on it answers everything with this status; undefined makes it well again. */
    breakWith(status: number | undefined): void;
    stop(): Promise<void>;
}

/** Who signs in the tests. */
export const identity = "https://ci.example.com/team/app/.ci/release.yml@refs/tags/v1";
export const issuer = "https://token.ci.example.com";

/** A token for an identity, as a pipeline gives it. */
export function tokenFor(subject = identity, more: object = {}): string {
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
    const claims = { iss: issuer, sub: subject, aud: "sigstore", ...more };
    return `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}.${Buffer.from("a signature").toString("base64url")}`;
}

interface Handler {
    readonly path: string;
    readonly fn: (body: string) => Promise<{
        statusCode: number;
        response: string | ArrayBufferView;
        contentType?: string;
    }>;
}

/** Starts a double on a free port. */
export async function startSigstoreDouble(): Promise<SigstoreDouble> {
    const asked: Record<string, number> = {};
    let broken: number | undefined;
    let handlers: readonly Handler[] = [];
    const server = createServer((request, response) => {
        const path = request.url ?? "";
        asked[path] = (asked[path] ?? 0) + 1;
        const parts: Buffer[] = [];
        request.on("data", (part: Buffer) => parts.push(part));
        request.on("end", () => {
            const handler = handlers.find((one) => one.path === path);
            if (broken !== undefined || handler === undefined) {
                response.writeHead(broken ?? 404).end("{}");
                return;
            }
            void handler.fn(Buffer.concat(parts).toString()).then((answer) => {
                response.writeHead(answer.statusCode, { "content-type": answer.contentType ?? "text/plain" });
                response.end(
                    typeof answer.response === "string" ? answer.response : Buffer.from(answer.response.buffer),
                );
            });
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const created = await createHandlers(url);
    handlers = created.handlers;
    return {
        url,
        trustedRoot: created.trustedRoot,
        asked,
        breakWith: (status) => (broken = status),
        stop: () => new Promise((resolve) => server.close(() => resolve())),
    };
}

async function createHandlers(url: string) {
    const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const ctlog = await initializeCTLog(keys);
    const ca = await initializeCA(keys, ctlog);
    const tlog = await initializeTLog(url, keys);
    const day = 24 * 60 * 60 * 1_000;
    const validFor = { start: new Date(Date.now() - day).toISOString() };
    const log = (key: Buffer) => ({
        baseUrl: url,
        hashAlgorithm: "SHA2_256",
        publicKey: { rawBytes: key.toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
        logId: { keyId: createHash("sha256").update(key).digest("base64") },
    });
    const certificates = [{ rawBytes: Buffer.from(ca.rootCertificate.buffer).toString("base64") }];
    const trustedRoot = {
        mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        tlogs: [log(tlog.publicKey)],
        certificateAuthorities: [
            {
                subject: { organization: "double", commonName: "sigstore" },
                uri: url,
                certChain: { certificates },
                validFor,
            },
        ],
        ctlogs: [log(ctlog.publicKey)],
        timestampAuthorities: [],
    };
    const rekor = {
        path: "/api/v1/log/entries",
        fn: async (text: string) => {
            const entry: unknown = await tlog.log(toLogEntry(JSON.parse(text) as Proposal));
            return { statusCode: 201, response: JSON.stringify(entry), contentType: "application/json" };
        },
    };
    return { handlers: [fulcioHandler(ca), rekor], trustedRoot: JSON.stringify(trustedRoot) };
}

interface Proposal {
    readonly spec: { readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly string[] } };
}

/** What Rekor keeps of an envelope, which the mock leaves as it came: hashes and the signature, and no payload. */
function toLogEntry({ spec }: Proposal): object {
    const { envelope, verifiers } = spec.proposedContent;
    const { payload, signatures } = JSON.parse(envelope) as { payload: string; signatures: { sig: string }[] };
    const hashOf = (content: Buffer | string) => {
        return { algorithm: "sha256", value: createHash("sha256").update(content).digest("hex") };
    };
    return {
        apiVersion: "0.0.1",
        kind: "dsse",
        spec: {
            envelopeHash: hashOf(envelope),
            payloadHash: hashOf(Buffer.from(payload, "base64")),
            signatures: signatures.map(({ sig }, index) => ({ signature: sig, verifier: verifiers[index] })),
        },
    };
}
