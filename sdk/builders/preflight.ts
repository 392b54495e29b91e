import type * as net from "node:net";
import type { MultiArchError } from "../errors";
import { MultiArchError as Failure } from "../errors";
import { expectedServerName, parseAddress, type BuilderNode, type TcpAddress, type UnixAddress } from "./node";
import { builderError, runStage, startBudget, type Budget } from "./preflightBudget";
import { askControl } from "./preflightControl";
import { inspectDocker } from "./preflightDocker";
import { judgeBuilder, type BuilderFacts } from "./preflightFacts";
import { greet, type Greeting } from "./preflightGreeting";
import { inspectThroughBuildx } from "./preflightInspect";
import { checkNamed } from "./preflightNamed";
import { openConnection, resolveHost } from "./preflightNetwork";
import { checkMaterial, openTls, shakeHands } from "./preflightTls";
import { explainHandshake, silentRefusal } from "./preflightTlsErrors";

export type { BuilderFacts } from "./preflightFacts";

/** How a builder is checked. */
export interface PreflightOptions {
    /**
     * Milliseconds the whole check may take. By default 5000; 20000 through ssh, kubectl or docker; 180000 where buildx
     * may have to start the builder, and pull its image.
     */
    readonly timeoutMs?: number | undefined;
    /** The content of a docker config.json with the accounts of registries. Defaults to none. */
    readonly registriesConfig?: string | undefined;
    /** Stops the check. */
    readonly signal?: AbortSignal | undefined;
}

const directTimeoutMs = 5_000;
const helperTimeoutMs = 20_000;
const bootTimeoutMs = 180_000;

/**
 * Checks a builder before anything is built on it, stage by stage: name, port, TLS, certificate names and dates,
 * BuildKit, its version, its platforms. The first stage that fails is what the thrown MultiArchError is about.
 */
export async function preflight(node: BuilderNode, options: PreflightOptions = {}): Promise<BuilderFacts> {
    if (node.docker ?? node.named) {
        return checkThroughDriver(node, options);
    }
    const address = readAddress(node);
    if (address.scheme !== "tcp" && address.scheme !== "unix") {
        const budget = startBudget(options.timeoutMs ?? helperTimeoutMs, options.signal);
        return judgeBuilder(node, await inspectThroughBuildx(node, budget));
    }
    const budget = startBudget(options.timeoutMs ?? directTimeoutMs, options.signal);
    if (address.scheme === "tcp") {
        checkProtection(node);
        await resolveHost(node, address, budget);
    }
    await checkProtocol(node, address, budget);
    return judgeBuilder(node, await askControl(node, address, budget));
}

/** Checks a builder that a driver of buildx starts and reaches. */
async function checkThroughDriver(node: BuilderNode, options: PreflightOptions): Promise<BuilderFacts> {
    const budget = startBudget(options.timeoutMs ?? bootTimeoutMs, options.signal);
    if (node.named) {
        return checkNamed(node, node.named, budget, options.registriesConfig);
    }
    return judgeBuilder(node, await inspectDocker(node, node.docker ?? {}, budget, options.registriesConfig));
}

/** What came of a check: the facts, or the one error. */
export type PreflightResult =
    | { readonly node: BuilderNode; readonly facts: BuilderFacts }
    | { readonly node: BuilderNode; readonly error: MultiArchError };

/** Checks several builders at once. One that fails hides no other: there is one result for each, in order. */
export function preflightAll(
    nodes: readonly BuilderNode[],
    options: PreflightOptions = {},
): Promise<PreflightResult[]> {
    return Promise.all(
        nodes.map(async (node): Promise<PreflightResult> => {
            try {
                return { node, facts: await preflight(node, options) };
            } catch (error) {
                if (error instanceof Failure) {
                    return { node, error };
                }
                const what = "the builder could not be checked";
                return { node, error: builderError(node, "builder-unhealthy", what, { cause: error }) };
            }
        }),
    );
}

function readAddress(node: BuilderNode): ReturnType<typeof parseAddress> {
    try {
        return parseAddress(node.address);
    } catch (error) {
        const what = error instanceof Failure ? error.fields.what : "the address cannot be read";
        throw builderError(node, "builder-address", what, { field: "address" });
    }
}

/** Whoever reaches a builder without TLS can read and change all that is built there. */
function checkProtection(node: BuilderNode): void {
    if (node.tls) {
        checkMaterial(node, node.tls);
    } else if (node.insecure !== true) {
        const what = "a tcp:// address without TLS is open to everybody who reaches it";
        throw builderError(node, "builder-insecure", what, { field: "tls" });
    }
}

/** Connects once, and looks at what answers before gRPC does: its own errors tell these cases not apart. */
async function checkProtocol(node: BuilderNode, address: TcpAddress | UnixAddress, budget: Budget): Promise<void> {
    const connection = await openConnection(node, address, budget);
    try {
        const greeting = await askGreeting(node, address, connection, budget);
        if (greeting === "http2") {
            return;
        }
        if (greeting === "tls" || (greeting === "closed" && !node.tls && (await speaksTls(node, address, budget)))) {
            const what = "the builder wants TLS, and none is given";
            throw builderError(node, "builder-tls-missing", what, { field: "tls" });
        }
        const what = greeting === "closed" ? "closes the connection" : "does not speak HTTP/2";
        throw builderError(node, "builder-not-buildkit", `what answers there ${what}, so it is not BuildKit`);
    } finally {
        connection.destroy();
    }
}

async function askGreeting(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    connection: net.Socket,
    budget: Budget,
): Promise<Greeting> {
    const onTimeout = (): MultiArchError =>
        builderError(node, "builder-not-buildkit", "what answers there is silent, so it is not BuildKit", {
            transient: true,
        });
    if (!node.tls || address.scheme === "unix") {
        return runStage(budget, greet(connection), onTimeout).catch((error: unknown) => {
            return error instanceof Failure ? Promise.reject(error) : "closed";
        });
    }
    const secure = await shakeHands(node, node.tls, connection, budget);
    try {
        const greeting = await runStage(budget, greet(secure), onTimeout);
        if (greeting === "closed" && secure.alpnProtocol === "h2") {
            throw silentRefusal(node);
        }
        return greeting;
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
    });
    try {
        return await runStage(budget, answer, () => builderError(node, "builder-not-buildkit", "it is silent"));
    } finally {
        secure.on("error", () => undefined);
        secure.destroy();
    }
}
