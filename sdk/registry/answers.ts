import { messageOf, type MultiArchError } from "../errors";
import { type Attempt, brokenError, readReports } from "./faults";
import { type Descriptor, digestOf, type Manifest, parseManifest } from "./manifests";
import { isDigest, type Reference } from "./reference";
import type { Answer } from "./transport";

/** A manifest, its bytes, and what points to it. */
export interface FetchedManifest {
    readonly descriptor: Descriptor;
    readonly manifest: Manifest;
    readonly bytes: Buffer;
}

// NOT_FOUND is what Harbor says: https://github.com/goharbor/harbor/blob/v2.12.0/src/lib/errors/const.go
const absenceCodes = new Set(["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND"]);

/**
 * True when a registry says that it does not have something. A bare 404 does not count: proxies and web servers that
 * are no registry give it too, and an image must not be taken for lost because of them.
 */
export function saysAbsent(answer: Answer): boolean {
    const reports = readReports(answer.body.toString("utf8"));
    return answer.status === 404 && reports.some((report) => absenceCodes.has(report.code));
}

/** Reads what the headers tell about a manifest. Undefined when they do not tell enough. */
export function readManifestHead(answer: Answer, reference: Reference, attempt: Attempt): Descriptor | undefined {
    const digest = answer.headers["docker-content-digest"];
    const size = answer.headers["content-length"];
    const mediaType = readContentType(answer);
    if (typeof digest !== "string" || typeof size !== "string" || !/^[0-9]+$/.test(size) || mediaType === "") {
        return undefined;
    }
    if (!isDigest(digest)) {
        throw brokenError(attempt, "the registry names a digest that is none");
    }
    if (reference.digest !== undefined && reference.digest !== digest) {
        throw brokenError(attempt, `the registry answers with ${digest} instead`);
    }
    return { mediaType, digest, size: Number(size) };
}

/** Reads a manifest, and checks its bytes against the digest that was asked for or that the registry names. */
export function readManifestBody(answer: Answer, reference: Reference, attempt: Attempt): FetchedManifest {
    const bytes = answer.body;
    const digest = digestOf(bytes);
    const expected = reference.digest ?? answer.headers["docker-content-digest"] ?? digest;
    if (digest !== expected) {
        throw misfit(attempt);
    }
    try {
        const manifest = parseManifest(bytes, readContentType(answer));
        return { descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length }, manifest, bytes };
    } catch (error) {
        const reason = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
        const broken = brokenError(attempt, `the answer is not a manifest: ${reason}`);
        // What was asked for by its digest is what it is; of a tag, half may have come.
        throw broken.with({ transient: error instanceof SyntaxError && reference.digest === undefined });
    }
}

/** The error for content that was cut or changed on its way: the same request may well get it whole. */
export function misfit(attempt: Attempt): MultiArchError {
    return brokenError(attempt, "the content does not fit its digest").with({ transient: true });
}

function readContentType(answer: Answer): string {
    const header = answer.headers["content-type"];
    return typeof header === "string" ? (header.split(";")[0] ?? "").trim().toLowerCase() : "";
}
