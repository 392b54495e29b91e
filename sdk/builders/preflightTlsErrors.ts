import * as tls from "node:tls";
import { MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";

/** The parts of a builder's certificate that errors speak of. */
type PeerCertificate = Pick<tls.PeerCertificate, "subjectaltname" | "valid_from" | "valid_to">;

/** What is wrong with the chain of a builder's certificate, from the code that OpenSSL gave. */
export function explainChain(
    node: BuilderNode,
    serverName: string,
    certificate: PeerCertificate,
    code: string,
): MultiArchError | undefined {
    switch (code) {
        case "CERT_HAS_EXPIRED": {
            const leaf = Date.now() > Date.parse(certificate.valid_to);
            const what = leaf
                ? `the builder's certificate expired on ${formatDate(certificate.valid_to)}`
                : "a CA certificate above the builder's has expired";
            return builderError(node, "builder-tls-expired", what, leaf ? {} : { field: "tls.ca" });
        }
        case "CERT_NOT_YET_VALID": {
            const what = `the builder's certificate is valid only from ${formatDate(certificate.valid_from)}`;
            return builderError(node, "builder-tls-not-yet-valid", what);
        }
        case "ERR_TLS_CERT_ALTNAME_INVALID":
            return explainName(node, serverName, certificate);
        default: {
            const what = `the builder's certificate is not signed by the given CA (${code})`;
            return builderError(node, "builder-tls-untrusted", what, { field: "tls.ca" });
        }
    }
}

/** What is wrong with the names in a builder's certificate. Undefined when the expected one is there. */
export function explainName(
    node: BuilderNode,
    serverName: string,
    certificate: PeerCertificate,
): MultiArchError | undefined {
    const names = certificate.subjectaltname;
    const field = node.serverName === undefined ? "address" : "serverName";
    if (!names) {
        // Go dropped the common name as a fallback in 1.15: https://go.dev/doc/go1.15#commonname
        const what = "the builder's certificate carries no subject alternative name";
        return builderError(node, "builder-tls-name", what, {
            next: `Issue it again with the name ${serverName}.`,
        });
    }
    if (tls.checkServerIdentity(serverName, certificate as tls.PeerCertificate) === undefined) {
        return undefined;
    }
    const what = `the builder's certificate is for ${names}, and not for ${serverName}`;
    return builderError(node, "builder-tls-name", what, { field });
}

/** What is wrong when the handshake itself failed, or the first answer after it. */
export function explainHandshake(node: BuilderNode, error: unknown): unknown {
    if (error instanceof MultiArchError) {
        return error;
    }
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (isClientRefusal(code)) {
        const what = `the builder refuses the client certificate (${describeAlert(code)})`;
        return builderError(node, "builder-tls-client-refused", what, { field: "tls.cert" });
    }
    if (/WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/.test(code)) {
        return builderError(node, "builder-not-tls", "what answers there does not speak TLS");
    }
    if (code.includes("NO_APPLICATION_PROTOCOL")) {
        return builderError(node, "builder-not-buildkit", "what answers there speaks TLS, but not HTTP/2");
    }
    if (code.includes("UNRECOGNIZED_NAME")) {
        return builderError(node, "builder-tls-name", "the builder knows no certificate for the name asked for", {
            field: "serverName",
        });
    }
    if (code === "ECONNRESET" || code === "EPIPE") {
        return builderError(node, "builder-not-tls", "what answers there closes the connection when TLS begins", {
            transient: true,
        });
    }
    return builderError(node, "builder-unhealthy", `the TLS handshake failed (${describeAlert(code)})`, {
        cause: error,
    });
}

/** Not every server says why it closes a connection once it has seen the client certificate. */
export function silentRefusal(node: BuilderNode): MultiArchError {
    const what = "the builder closes the connection once it has seen the client certificate";
    return builderError(node, "builder-tls-client-refused", what, { field: "tls.cert" });
}

// The alerts a server sends about a client's certificate. https://www.rfc-editor.org/rfc/rfc8446#section-6.2
function isClientRefusal(code: string): boolean {
    return /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT|HANDSHAKE_FAIL)/.test(
        code.replace("NO_CERTIFICATE", "CERTIFICATE"),
    );
}

function describeAlert(code: string): string {
    const alert = /ALERT_([A-Z_]+)$/.exec(code)?.[1];
    return alert === undefined ? code || "unknown" : alert.toLowerCase().replaceAll("_", " ");
}

function formatDate(text: string): string {
    return new Date(text).toISOString().replace(/\.\d+Z$/, "Z");
}
