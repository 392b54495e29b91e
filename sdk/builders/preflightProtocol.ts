import type * as net from "node:net";
import { MultiArchError } from "../errors";
import { expectedServerName, type BuilderNode, type TcpAddress, type UnixAddress } from "./node";
import { builderError, inStage, runStage, type Budget } from "./preflightBudget";
import { certificateDates, describeDates, type CertificateDates } from "./preflightCertificates";
import { greet, type Greeting } from "./preflightGreeting";
import { openConnection } from "./preflightNetwork";
import { openTls, shakeHands } from "./preflightTls";
import { explainHandshake, silentRefusal } from "./preflightTlsErrors";

/**
 * Connects once, and looks at what answers before gRPC does: its own errors tell these cases not apart. Gives when the
 * certificates end, where there are any.
 */
export async function checkProtocol(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    budget: Budget,
): Promise<CertificateDates | undefined> {
    const connection = await inStage(budget, "port", () => openConnection(node, address, budget));
    try {
        return await inStage(
            budget,
            "tls",
            async () => {
                const { greeting, dates } = await askGreeting(node, address, connection, budget);
                if (greeting !== "http2") {
                    throw await explainGreeting(node, address, greeting, budget);
                }
                return dates;
            },
            (dates) => (dates ? describeDates(dates) : "without TLS"),
        );
    } finally {
        connection.destroy();
    }
}

async function explainGreeting(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    greeting: Greeting,
    budget: Budget,
): Promise<MultiArchError> {
    if (greeting === "tls" || (greeting === "closed" && !node.tls && (await speaksTls(node, address, budget)))) {
        const what = "the builder wants TLS, and none is given";
        return builderError(node, "builder-tls-missing", what, { field: "tls" });
    }
    const what = greeting === "closed" ? "closes the connection" : "does not speak HTTP/2";
    return builderError(node, "builder-not-buildkit", `what answers there ${what}, so it is not BuildKit`);
}

interface Answer {
    readonly greeting: Greeting;
    readonly dates?: CertificateDates;
}

async function askGreeting(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    connection: net.Socket,
    budget: Budget,
): Promise<Answer> {
    const onTimeout = (): MultiArchError =>
        builderError(node, "builder-not-buildkit", "what answers there is silent, so it is not BuildKit", {
            transient: true,
        });
    if (!node.tls || address.scheme === "unix") {
        return runStage(budget, greet(connection), onTimeout).then(
            (greeting) => ({ greeting }),
            (error: unknown) => {
                return error instanceof MultiArchError ? Promise.reject(error) : { greeting: "closed" };
            },
        );
    }
    const secure = await shakeHands(node, node.tls, connection, budget);
    try {
        const greeting = await runStage(budget, greet(secure), onTimeout);
        if (greeting === "closed" && secure.alpnProtocol === "h2") {
            throw silentRefusal(node);
        }
        return { greeting, dates: certificateDates(node.tls, secure) };
    } catch (error) {
        throw explainHandshake(node, error);
    } finally {
        secure.on("error", () => undefined);
        secure.destroy();
    }
}

/** Some servers close the connection on what is not TLS without an alert: ask again, in TLS. */
async function speaksTls(node: BuilderNode, address: TcpAddress | UnixAddress, budget: Budget): Promise<boolean> {
    const connection = await openConnection(node, address, budget);
    const secure = openTls(connection, expectedServerName(node) ?? "");
    const answer = new Promise<boolean>((resolve) => {
        secure.once("secureConnect", () => {
            resolve(true);
        });
        secure.once("error", (error: NodeJS.ErrnoException) => {
            resolve((error.code ?? "").includes("ALERT"));
        });
        // One that is closed without a word is no error to Node.js.
        secure.once("close", () => {
            resolve(false);
        });
    });
    try {
        return await runStage(budget, answer, () => builderError(node, "builder-not-buildkit", "it is silent"));
    } finally {
        secure.on("error", () => undefined);
        secure.destroy();
    }
}
