/** What a fault does to one request. */
export const faultKinds = {
    "401": "the token has expired: HTTP 401 with a challenge, as in the middle of a long build",
    "401 for good": "HTTP 401 without any way to log in",
    "403": "HTTP 403 with the error DENIED",
    "404": "HTTP 404 as a web server gives it, without an error of a registry",
    "404 unknown": "HTTP 404 with the error of a registry that does not have it",
    "429": "HTTP 429",
    "500": "HTTP 500 with a web page",
    slow: "the registry does its work, and its answer does not come in time",
    cut: "the registry does its work, and the connection ends before its answer",
    truncated: "the body of the request ends in the middle; where it has none, the answer does",
    shortened: "the body of the answer lacks its second half, and its length says so too",
} as const;

/** One of the faults above. */
export type FaultKind = keyof typeof faultKinds;

/** An answer of a registry, or of what stands in for it. */
export interface PlainAnswer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: Buffer;
}

/** The answer of a fault that never reaches the registry. Undefined for those that do. */
export function refusalOf(kind: FaultKind, path: string, challenge: string): PlainAnswer | undefined {
    switch (kind) {
        case "401":
            return report(401, "UNAUTHORIZED", { "www-authenticate": `${challenge},error="invalid_token"` });
        case "401 for good":
            return report(401, "UNAUTHORIZED");
        case "403":
            return report(403, "DENIED");
        case "404":
            return plain(404, "404 page not found\n");
        case "404 unknown":
            return report(404, unknownCode(path));
        case "429":
            return report(429, "TOOMANYREQUESTS");
        case "500":
            return plain(500, "<html><body>Oops</body></html>");
        default:
            return undefined;
    }
}

/** In the words of distribution, of which BuildKit shows no more than these. */
const messages: Readonly<Record<string, string>> = {
    BLOB_UNKNOWN: "blob unknown to registry",
    BLOB_UPLOAD_UNKNOWN: "blob upload unknown to registry",
    MANIFEST_UNKNOWN: "manifest unknown",
    NAME_UNKNOWN: "repository name not known to registry",
};

/** An error as a registry reports it. */
export function report(status: number, code: string, headers: PlainAnswer["headers"] = {}): PlainAnswer {
    const message = messages[code] ?? "injected";
    const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
    return { status, headers: { "content-type": "application/json", ...headers }, body };
}

function plain(status: number, text: string): PlainAnswer {
    return { status, headers: { "content-type": "text/plain" }, body: Buffer.from(text) };
}

function unknownCode(path: string): string {
    if (path.includes("/blobs/uploads/")) {
        return path.endsWith("/uploads/") ? "NAME_UNKNOWN" : "BLOB_UPLOAD_UNKNOWN";
    }
    if (path.includes("/manifests/")) {
        return "MANIFEST_UNKNOWN";
    }
    return path.includes("/blobs/") ? "BLOB_UNKNOWN" : "NAME_UNKNOWN";
}
