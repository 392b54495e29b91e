import { MultiArchError } from "../errors";
import { connectControl } from "./control/client";
import { explainTunnel } from "./ec2/session/tunnel";
import { parseAddress, type BuilderNode, type TcpAddress, type UnixAddress } from "./node";
import { builderError, inStage, startBudget, type Budget, type Stage } from "./preflightBudget";
import { noteEnds, type CertificateDates } from "./preflightCertificates";
import { askControl, type ControlAnswer } from "./preflightControl";
import { checkDisk } from "./preflightDisk";
import { inspectDocker } from "./preflightDocker";
import { judgeBuilder, type BuilderFacts } from "./preflightFacts";
import { inspectThroughBuildx } from "./preflightInspect";
import { checkNamed } from "./preflightNamed";
import { resolveHost } from "./preflightNetwork";
import { checkProgram } from "./preflightProgram";
import { checkProtocol } from "./preflightProtocol";
import { shareCheck } from "./preflightShared";
import { checkMaterial } from "./preflightTls";
import { programCommand } from "./programCommand";
import { withRelay } from "./relay";

export type { Stage, StageName } from "./preflightBudget";
export type { BuilderFacts } from "./preflightFacts";

/** How a builder is checked. */
export interface PreflightOptions {
    /**
     * Milliseconds the whole check may take. By default 5000; 20000 through ssh, kubectl, docker or Session Manager; 180000
     * where buildx may have to start the builder, and pull its image.
     */
    readonly timeoutMs?: number | undefined;
    /** The content of a docker config.json with the accounts of registries. Defaults to none. */
    readonly registriesConfig?: string | undefined;
    /** Stops the check. */
    readonly signal?: AbortSignal | undefined;
    /** Called after each stage. Defaults to nothing. */
    readonly onStage?: ((stage: Stage, node: BuilderNode) => void) | undefined;
}

const directTimeoutMs = 5_000;
const helperTimeoutMs = 20_000;
const bootTimeoutMs = 180_000;

/**
 * Checks a builder before anything is built on it, stage by stage: name, port, TLS, certificate names and dates,
 * BuildKit, its version, its platforms, its disk. The first stage that fails is what the thrown MultiArchError is about.
 */
export async function preflight(node: BuilderNode, options: PreflightOptions = {}): Promise<BuilderFacts> {
    return explainTunnel(node, () => checkAll(node, options));
}

async function checkAll(node: BuilderNode, options: PreflightOptions): Promise<BuilderFacts> {
    if (node.docker ?? node.named) {
        return checkThroughDriver(node, options);
    }
    const address = readAddress(node);
    if (address.scheme !== "tcp" && address.scheme !== "unix") {
        const budget = openBudget(node, helperTimeoutMs, options);
        const command = programCommand(node, address.scheme);
        if (command) {
            return withRelay(command, budget.signal, async (relay) => {
                await inStage(
                    budget,
                    "program",
                    () => checkProgram(node, command, relay, budget),
                    () => command.file,
                );
                return checkDaemon({ ...node, tls: undefined }, relay.address, undefined, budget);
            });
        }
        const answer = await inStage(budget, "buildx", () => inspectThroughBuildx(node, budget));
        return inStage(budget, "platform", () => judgeBuilder(node, answer), describeFacts);
    }
    const budget = openBudget(node, node.through === undefined ? directTimeoutMs : helperTimeoutMs, options);
    if (address.scheme === "tcp") {
        await inStage(budget, "settings", () => {
            checkProtection(node);
        });
        await inStage(
            budget,
            "name",
            () => resolveHost(node, address, budget),
            (found) => found.join(", "),
        );
    }
    const certificates = await checkProtocol(node, address, budget);
    return checkDaemon(node, address, certificates, budget);
}

/** Asks BuildKit itself. */
async function checkDaemon(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    certificates: CertificateDates | undefined,
    budget: Budget,
): Promise<BuilderFacts> {
    const client = connectControl(node, address);
    try {
        const answer = await inStage(budget, "buildkit", () => askControl(node, client, budget), describeVersion);
        const facts = await inStage(budget, "platform", () => judgeBuilder(node, answer), describeFacts);
        const notes = await inStage(budget, "disk", () => checkDisk(node, client, budget), describeDisk);
        const all = [...facts.notes, ...noteEnds(certificates), ...notes];
        return { ...facts, notes: all, ...(certificates ? { certificates } : {}) };
    } finally {
        client.close();
    }
}

function openBudget(node: BuilderNode, defaultMs: number, options: PreflightOptions): Budget {
    const { timeoutMs = defaultMs, signal, onStage } = options;
    return startBudget(timeoutMs, signal, (stage) => onStage?.(stage, node));
}

function describeVersion({ version }: ControlAnswer): string {
    return `BuildKit ${version ?? ""}`.trim();
}

function describeFacts({ native, platforms }: BuilderFacts): string {
    return `${native ? "native" : "emulated"}; it offers ${platforms.join(", ")}`;
}

function describeDisk(notes: readonly string[]): string {
    return notes[0] ?? "writable";
}

/** Checks a builder that a driver of buildx starts and reaches. */
async function checkThroughDriver(node: BuilderNode, options: PreflightOptions): Promise<BuilderFacts> {
    const budget = openBudget(node, bootTimeoutMs, options);
    const { docker = {}, named } = node;
    if (named) {
        return inStage(
            budget,
            "buildx",
            () => checkNamed(node, named, budget, options.registriesConfig),
            describeFacts,
        );
    }
    const answer = await inStage(budget, "buildx", () => inspectDocker(node, docker, budget, options.registriesConfig));
    return inStage(budget, "platform", () => judgeBuilder(node, answer), describeFacts);
}

/** What came of a check: the facts, or the one error. */
export type PreflightResult =
    | { readonly node: BuilderNode; readonly facts: BuilderFacts }
    | { readonly node: BuilderNode; readonly error: MultiArchError };

/**
 * Checks several builders at once. One that fails hides no other: there is one result for each, in order. A check of the
 * same builder that is under way in this process is joined.
 */
export function preflightAll(
    nodes: readonly BuilderNode[],
    options: PreflightOptions = {},
): Promise<PreflightResult[]> {
    return Promise.all(
        nodes.map(async (node): Promise<PreflightResult> => {
            try {
                return { node, facts: await checkOrJoin(node, options) };
            } catch (error) {
                if (error instanceof MultiArchError) {
                    return { node, error };
                }
                const what = "the builder could not be checked";
                return { node, error: builderError(node, "builder-unhealthy", what, { cause: error }) };
            }
        }),
    );
}

/** Whoever wants to hear of the stages has a check of their own. */
function checkOrJoin(node: BuilderNode, options: PreflightOptions): Promise<BuilderFacts> {
    return options.onStage
        ? preflight(node, options)
        : shareCheck(node, options, (signal) => preflight(node, { ...options, signal }));
}

function readAddress(node: BuilderNode): ReturnType<typeof parseAddress> {
    try {
        return parseAddress(node.address);
    } catch (error) {
        const what = error instanceof MultiArchError ? error.fields.what : "the address cannot be read";
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
