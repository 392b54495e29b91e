import type { ErrorCode } from "../errors";

/** What went wrong before there was an answer. */
export interface NetworkFault {
    readonly code: ErrorCode;
    /** What happened, to be put after "failed: ". */
    readonly text: string;
    /** The next step, where that of the code does not fit. */
    readonly next?: string;
    /** True when the same request may succeed in a moment. */
    readonly transient: boolean;
}

const lost = { code: "registry-unreachable", text: "the connection was lost", transient: true } as const;
const noRoute = { code: "registry-unreachable", text: "there is no route to the host", transient: true } as const;
// The system has repeated its own packets for as long as the time-out: doing that four times helps nobody.
const noConnection = { code: "registry-unreachable", text: "nothing answered in time", transient: false } as const;
const notTls: NetworkFault = {
    code: "registry-untrusted",
    text: "it does not speak TLS",
    next: "Give the registry a certificate: plain HTTP is used for localhost only.",
    transient: false,
};
const wrongName: NetworkFault = {
    code: "registry-untrusted",
    text: "its certificate is for another name",
    next: "Use a name that the registry's certificate carries.",
    transient: false,
};

const faults = new Map<string, NetworkFault>(
    Object.entries({
        ENOTFOUND: { code: "registry-unreachable", text: "the name does not resolve", transient: false },
        EAI_AGAIN: { code: "registry-unreachable", text: "the name service does not answer", transient: true },
        ECONNREFUSED: { code: "registry-unreachable", text: "nothing listens there", transient: true },
        EHOSTUNREACH: noRoute,
        ENETUNREACH: noRoute,
        ECONNRESET: lost,
        EPIPE: lost,
        UND_ERR_SOCKET: lost,
        UND_ERR_RES_CONTENT_LENGTH_MISMATCH: lost,
        ETIMEDOUT: noConnection,
        UND_ERR_CONNECT_TIMEOUT: noConnection,
        UND_ERR_HEADERS_TIMEOUT: { ...lost, text: "no answer came in time" },
        UND_ERR_BODY_TIMEOUT: { ...lost, text: "the answer stopped in the middle" },
        CERT_HAS_EXPIRED: {
            code: "registry-untrusted",
            text: "its certificate has expired",
            next: "Renew the registry's certificate.",
            transient: false,
        },
        CERT_NOT_YET_VALID: {
            code: "registry-untrusted",
            text: "its certificate is not valid yet",
            next: "Check the clocks of both machines.",
            transient: false,
        },
        ERR_TLS_CERT_ALTNAME_INVALID: wrongName,
        HOSTNAME_MISMATCH: wrongName,
        ERR_SSL_WRONG_VERSION_NUMBER: notTls,
        ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
        ERR_SSL_HTTP_REQUEST: notTls,
        PLAIN_HTTP: {
            code: "registry-untrusted",
            text: "it leads to plain HTTP on another machine",
            next: "Let the registry hand out https addresses: plain HTTP is used for localhost only.",
            transient: false,
        },
        ANSWER_TOO_LONG: { code: "registry-broken", text: "the answer is too long", transient: false },
        PROXY_ADDRESS: {
            code: "registry-unreachable",
            text: "the address of the proxy cannot be read",
            next: "Write HTTPS_PROXY as http://host:port.",
            transient: false,
        },
    }),
);

const untrustedCodes =
    /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH_|ERROR_IN_CERT|ERR_SSL|ERR_TLS|EPROTO)/;

/** Tells apart what the network reports. The text of the report is not used: only its code is known to be harmless. */
export function readNetworkFault(error: unknown): NetworkFault {
    const codes = findCodes(error);
    for (const code of codes) {
        const known = faults.get(code);
        if (known) {
            return withCode(known, code);
        }
    }
    const tls = codes.find((code) => untrustedCodes.test(code));
    if (tls !== undefined) {
        return withCode({ code: "registry-untrusted", text: "its certificate is not trusted", transient: false }, tls);
    }
    const parser = codes.find((code) => code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW");
    if (parser !== undefined) {
        return withCode({ code: "registry-broken", text: "the answer is not HTTP", transient: false }, parser);
    }
    return withCode({ code: "registry-unreachable", text: "the request failed", transient: false }, codes[0]);
}

/** True when something answered a TLS handshake with something else. */
export function isNotTls(error: unknown): boolean {
    return findCodes(error).some((code) => faults.get(code) === notTls);
}

/** True when no program listens on the port. */
export function isNothingListening(error: unknown): boolean {
    return findCodes(error).includes("ECONNREFUSED");
}

function withCode(fault: NetworkFault, code: string | undefined): NetworkFault {
    return code === undefined ? fault : { ...fault, text: `${fault.text} (${code})` };
}

/** The codes of an error, of what caused it, and of its parts: a host with two addresses fails twice at once. */
function findCodes(error: unknown, depth = 0): string[] {
    if (!(error instanceof Error) || depth > 4) {
        return [];
    }
    const code = "code" in error && typeof error.code === "string" ? [error.code] : [];
    const parts = error instanceof AggregateError ? (error.errors as unknown[]) : [];
    return [...code, ...[error.cause, ...parts].flatMap((inner) => findCodes(inner, depth + 1))];
}
