import { setTimeout } from "node:timers/promises";

import { formatPlatform, parsePlatform } from "../platform";
import { chooseMember, describeNode, type BuilderNode } from "../builders/node";
import { preflightAll, type BuilderFacts, type PreflightOptions } from "../builders/preflight";
import { MultiArchError } from "../errors";

/** A builder that is held for one build. */
export interface Lease {
    readonly node: BuilderNode;
    readonly facts: BuilderFacts;
    /** The builders that could not be used, and why. */
    readonly skipped: readonly { readonly node: BuilderNode; readonly error: MultiArchError }[];
}

/** How a builder is looked for. */
export interface LeaseOptions extends PreflightOptions {
    /** Milliseconds during which a builder that restarts is asked again. By default 4000. */
    readonly patienceMs?: number | undefined;
}

const defaultPatienceMs = 4_000;
const pauseMs = 1_000;

/**
 * Picks the builder for a platform: all that serve it are checked at once, and the first in order that runs it natively
 * is taken; where emulation is allowed and none does, the first that is fit.
 * Throws `builder-none` when none serves it; when none is fit, the error of the first one, with what is wrong with the
 * others.
 */
export async function leaseNode(
    platform: string,
    nodes: readonly BuilderNode[],
    options: LeaseOptions = {},
): Promise<Lease> {
    const { patienceMs = defaultPatienceMs, ...preflight } = options;
    const deadline = Date.now() + patienceMs;
    for (;;) {
        try {
            return await tryLease(platform, nodes, preflight);
        } catch (error) {
            const isWorthWaiting = error instanceof MultiArchError && error.transient;
            if (!isWorthWaiting || Date.now() + pauseMs > deadline || options.signal?.aborted === true) {
                throw error;
            }
            await setTimeout(pauseMs);
        }
    }
}

async function tryLease(platform: string, nodes: readonly BuilderNode[], options: PreflightOptions): Promise<Lease> {
    const wanted = formatPlatform(parsePlatform(platform));
    const serving = nodes.filter((node) => formatPlatform(parsePlatform(node.platform)) === wanted);
    if (serving.length === 0) {
        throw new MultiArchError("builder-none", { what: "no builder is given for this platform", platform });
    }
    const results = await preflightAll(serving, options);
    const allFit = results.filter((result) => "facts" in result);
    const fit = allFit.find(({ facts }) => facts.native) ?? allFit[0];
    const skipped = results.filter((result) => "error" in result);
    if (fit) {
        return { node: chooseMember(fit.node, fit.facts.member), facts: fit.facts, skipped };
    }
    throw joinErrors(skipped);
}

/** One error for several builders of a platform: the first one's, with a line for each of the others. */
function joinErrors(skipped: Lease["skipped"]): MultiArchError {
    const [first, ...others] = skipped;
    if (!first) {
        return new MultiArchError("builder-none", { what: "no builder is given for this platform" });
    }
    const cancelled = skipped.find(({ error }) => error.code === "build-cancelled");
    if (cancelled ?? others.length === 0) {
        return (cancelled ?? first).error;
    }
    const lines = others.map(({ node, error }) => `${describeNode(node)}: ${error.fields.what} [${error.code}]`);
    return first.error.with({
        what: `none of ${skipped.length} builders can be used; the first one: ${first.error.fields.what}`,
        lines: [...(first.error.fields.lines ?? []), ...lines],
        transient: skipped.some(({ error }) => error.transient),
        cause: new AggregateError(skipped.map(({ error }) => error)),
    });
}
