import { findBuildx, oldestBuildx } from "../../build/buildx";
import { askCache, type CacheFacts } from "../../builders/cacheFacts";
import { parseAddress, type BuilderNode } from "../../builders/node";
import { preflightAll, type BuilderFacts, type PreflightOptions, type Stage } from "../../builders/preflight";
import { messageOf, MultiArchError } from "../../errors";

/** One program of this machine that builds need. */
export interface ToolReport {
    readonly name: string;
    /** Its version; empty for a development build. */
    readonly version: string;
    readonly error?: MultiArchError;
}

/** What was found at one builder. */
export interface BuilderReport {
    readonly node: BuilderNode;
    readonly stages: readonly Stage[];
    /** Undefined when it is not fit. */
    readonly facts?: BuilderFacts | undefined;
    /** Undefined when it could not be asked. */
    readonly cache?: CacheFacts | undefined;
    /** Why it is not fit. */
    readonly error?: MultiArchError | undefined;
}

const cacheTimeoutMs = 5_000;

/** Looks at the programs of this machine. */
export async function examineMachine(): Promise<ToolReport[]> {
    const node = { name: "node", version: process.versions.node };
    try {
        const { version } = await findBuildx();
        return [node, { name: "buildx", version }];
    } catch (error) {
        return [
            node,
            { name: "buildx", version: "", error: toError(error, `buildx ${oldestBuildx} or newer is needed`) },
        ];
    }
}

/** Checks all builders at once. */
export async function examineBuilders(
    nodes: readonly BuilderNode[],
    options: Pick<PreflightOptions, "timeoutMs" | "signal">,
): Promise<BuilderReport[]> {
    const stages = new Map<BuilderNode, Stage[]>(nodes.map((node) => [node, []]));
    const onStage = (stage: Stage, node: BuilderNode): void => {
        stages.get(node)?.push(stage);
    };
    const results = await preflightAll(nodes, { ...options, onStage });
    return Promise.all(
        results.map(async (result): Promise<BuilderReport> => {
            const report = { node: result.node, stages: stages.get(result.node) ?? [] };
            return "error" in result
                ? { ...report, error: result.error }
                : { ...report, facts: result.facts, cache: await findCache(result.node, options.signal) };
        }),
    );
}

/** The cache of a builder that has an address of its own. What is not known is left out. */
async function findCache(node: BuilderNode, signal: AbortSignal | undefined): Promise<CacheFacts | undefined> {
    if (node.docker ?? node.named) {
        return undefined;
    }
    const address = parseAddress(node.address);
    if (address.scheme !== "tcp" && address.scheme !== "unix") {
        return undefined;
    }
    return askCache(node, address, { timeoutMs: cacheTimeoutMs, signal }).catch(() => undefined);
}

function toError(error: unknown, what: string): MultiArchError {
    return error instanceof MultiArchError
        ? error
        : new MultiArchError("buildx-missing", { what, cause: messageOf(error) });
}
