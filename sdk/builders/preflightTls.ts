import { createPrivateKey, X509Certificate } from "node:crypto";
import type * as net from "node:net";
import * as tls from "node:tls";
import { messageOf, type MultiArchError } from "../errors";
import { expectedServerName, type BuilderNode, type BuilderTls } from "./node";
import { builderError, runStage, type Budget } from "./preflightBudget";
import { explainChain, explainHandshake, explainName, silentRefusal } from "./preflightTlsErrors";

/**
 * Looks at the certificates and the key before anything is sent: that they can be read, that the key belongs to the
 * certificate, and that the certificate is valid today. Throws what is wrong.
 */
export function checkMaterial(node: BuilderNode, material: BuilderTls): void {
    readCertificate(node, "tls.ca", material.ca);
    const cert = readCertificate(node, "tls.cert", material.cert);
    let belongs: boolean;
    try {
        belongs = cert.checkPrivateKey(createPrivateKey(material.key));
    } catch {
        // The reason of the library could quote what was given as the key.
        throw builderError(node, "builder-tls-material", "tls.key is not a private key in PEM form", {
            field: "tls.key",
        });
    }
    if (!belongs) {
        const what = "tls.key does not belong to tls.cert";
        throw builderError(node, "builder-tls-material", what, { field: "tls.key" });
    }
    checkDates(node, cert);
}

/**
 * Does the TLS handshake and checks the builder's certificate as BuildKit's own clients do: by the given CA only, and
 * by the names in it and never by its common name. Throws what is wrong, told apart.
 */
export async function shakeHands(
    node: BuilderNode,
    material: BuilderTls,
    connection: net.Socket,
    budget: Budget,
): Promise<tls.TLSSocket> {
    const serverName = expectedServerName(node) ?? "";
    const secure = openTls(connection, serverName, material);
    const seen = { tls: false };
    secure.once("keylog", () => {
        seen.tls = true;
    });
    const done = new Promise<void>((resolve, reject) => {
        secure.once("secureConnect", resolve);
        secure.once("error", reject);
        secure.once("close", () => {
            reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
        });
    });
    try {
        await runStage(budget, done, () => silentError(node, budget));
    } catch (error) {
        secure.on("error", () => undefined);
        secure.destroy();
        throw seen.tls && codeOf(error) === "ECONNRESET" ? silentRefusal(node) : explainHandshake(node, error);
    }
    // Nothing has been sent over the connection yet, and nothing is when the other side is not who it has to be.
    const certificate = secure.getPeerCertificate();
    const problem = secure.authorized
        ? explainName(node, serverName, certificate)
        : explainChain(node, serverName, certificate, codeOf(secure.authorizationError));
    if (problem) {
        secure.destroy();
        throw problem;
    }
    return secure;
}

/** Starts TLS over a connection. Who the other side is has to be checked by the caller. */
export function openTls(socket: net.Socket, serverName: string, material?: BuilderTls): tls.TLSSocket {
    return tls.connect({
        socket,
        ALPNProtocols: ["h2"],
        minVersion: "TLSv1.2",
        // The certificate is checked after the handshake, because only then its dates and names can be told.
        rejectUnauthorized: false,
        ...(material ? { ca: material.ca, cert: material.cert, key: material.key } : {}),
        // An IP address is no name to ask for: https://www.rfc-editor.org/rfc/rfc6066#section-3
        ...(/[a-z]/i.test(serverName) && !serverName.includes(":") ? { servername: serverName } : {}),
    });
}

function readCertificate(node: BuilderNode, field: "tls.ca" | "tls.cert", pem: string): X509Certificate {
    try {
        return new X509Certificate(pem);
    } catch {
        const what = `${field} is not a certificate in PEM form`;
        throw builderError(node, "builder-tls-material", what, { field });
    }
}

function checkDates(node: BuilderNode, cert: X509Certificate): void {
    const now = Date.now();
    if (now > Date.parse(cert.validTo)) {
        throw builderError(node, "builder-tls-expired", `tls.cert expired on ${formatDate(cert.validTo)}`, {
            field: "tls.cert",
            next: "Issue a new client certificate.",
        });
    }
    if (now < Date.parse(cert.validFrom)) {
        const what = `tls.cert is valid only from ${formatDate(cert.validFrom)}`;
        throw builderError(node, "builder-tls-not-yet-valid", what, { field: "tls.cert" });
    }
}

function formatDate(text: string): string {
    return new Date(text).toISOString().replace(/\.\d+Z$/, "Z");
}

function silentError(node: BuilderNode, budget: Budget): MultiArchError {
    const what = `the builder accepts connections, and says nothing to a TLS handshake for ${budget.timeoutMs / 1000} s`;
    return builderError(node, "builder-unhealthy", what, { transient: true });
}

// The types say Error; what is there is the code as a string. https://nodejs.org/api/tls.html#tlssocketauthorizationerror
function codeOf(error: unknown): string {
    return typeof error === "string" ? error : ((error as NodeJS.ErrnoException).code ?? messageOf(error));
}
