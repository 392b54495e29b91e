/** What is signed: a statement that names the index by its digest, in the words that `cosign sign` uses. */
export const payloadType = "application/vnd.in-toto+json";

/** https://github.com/sigstore/cosign/blob/v3.1.3/pkg/types/predicate.go */
export const predicateType = "https://sigstore.dev/cosign/sign/v1";

const statementType = "https://in-toto.io/Statement/v1";

/** Makes the statement for a digest. */
export function makeStatement(digest: string): Buffer {
    const [algorithm = "", hex = ""] = digest.split(":");
    const subject = [{ digest: { [algorithm]: hex } }];
    return Buffer.from(JSON.stringify({ _type: statementType, subject, predicateType, predicate: {} }));
}

/** True when a signed text says that this digest was signed. Others, such as a provenance, say something else. */
export function isStatementAbout(type: string, payload: Uint8Array, digest: string): boolean {
    if (type !== payloadType) {
        return false;
    }
    const [algorithm = "", hex = ""] = digest.split(":");
    try {
        const statement = JSON.parse(Buffer.from(payload).toString("utf8")) as Record<string, unknown>;
        const subjects = statement["subject"] as { digest?: Record<string, unknown> }[];
        const isSigned = statement["predicateType"] === predicateType && statement["_type"] === statementType;
        return isSigned && subjects.some((subject) => subject.digest?.[algorithm] === hex);
    } catch {
        return false;
    }
}
