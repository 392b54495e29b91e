import { setTimeout } from "node:timers/promises";

import { formatPlatform, parsePlatform } from "../platform";
import { chooseMember, describeNode, type BuilderNode } from "../builders/node";
import { sortNodes, wakeNode, type WakeOptions } from "../builders/ec2/wake";
import { preflightAll, type BuilderFacts, type PreflightResult } from "../builders/preflight";
import { isFallback, orderNodes } from "../builders/rendezvous";
import { MultiArchError } from "../errors";
import type { LeasedImage } from "./queue/line";
import { takePlace, type PlaceOptions } from "./queue/place";

/** A builder that is fit for a platform. */
export interface Choice {
    readonly node: BuilderNode;
    readonly facts: BuilderFacts;
}

/** The builders of a platform, after they were checked. */
export interface Checked {
    /** Those that are fit, in the order in which the image prefers them. */
    readonly choices: readonly [Choice, ...Choice[]];
    /** The builders that could not be used, and why. */
    readonly skipped: readonly { readonly node: BuilderNode; readonly error: MultiArchError }[];
}

/**
 * A builder that is held for one build: a place on it, until it is given back.
 *
 * ```ts
 * const lease = await leaseNode(image, nodes, { signal, onWaiting });
 * try {
 *     await build(lease.node, AbortSignal.any([signal, lease.lost]));
 * } finally {
 *     await lease.release();
 * }
 * ```
 */
export interface Lease extends Choice {
    readonly skipped: Checked["skipped"];
    /** Seconds the build waited for its place. */
    readonly waitedSeconds: number;
    /**
     * Aborted when the builder is gone: its connection broke, or it has not answered for ten to twenty seconds. The place
     * is no longer held then. The reason is a transient MultiArchError `build-lost-connection`. Only builders at `tcp://`
     * and `unix://` are watched; for others it never is aborted.
     */
    readonly lost: AbortSignal;
    /** Gives the place back. Never fails, and can be called twice; after it nothing is watched any more. */
    release(): Promise<void>;
}

export type { LeasedImage } from "./queue/line";

/** How builders are checked. */
export interface CheckOptions extends WakeOptions {
    /**
     * Milliseconds during which a builder that restarts is asked again. By default 4000, and 30000 with an EC2 instance,
     * which may be about to stop.
     */
    readonly patienceMs?: number | undefined;
}

/** How a builder is looked for. */
export type LeaseOptions = CheckOptions & PlaceOptions;

const defaultPatienceMs = 4_000;
const ec2PatienceMs = 30_000;
const pauseMs = 1_000;

/**
 * Checks all builders that serve a platform, at once. Those that run it natively are the choices; where emulation is
 * allowed and none does, those that are fit. Of several kinds only the first counts: endpoints, docker, named. Endpoints
 * are in the order in which the image prefers them, others in that of their list.
 * Instances that are stopped are started only when none of the others is native and fit: one after the other, in the order
 * in which the image prefers them, until one gets a machine. A fallback comes last, and while one is all there is, the
 * others are tried again.
 * Throws `builder-none` when none serves the platform; when none is fit, the error of the first one, with what is wrong
 * with the others.
 */
export async function checkNodes(
    image: LeasedImage,
    nodes: readonly BuilderNode[],
    options: CheckOptions = {},
): Promise<Checked> {
    const isOnEc2 = nodes.some(({ ec2 }) => ec2 !== undefined);
    const { patienceMs = isOnEc2 ? ec2PatienceMs : defaultPatienceMs } = options;
    const deadline = Date.now() + patienceMs;
    for (;;) {
        try {
            return await tryCheck(image, nodes, options, deadline);
        } catch (error) {
            const isWorthWaiting = error instanceof MultiArchError && error.transient;
            if (!isWorthWaiting || Date.now() + pauseMs > deadline || options.signal?.aborted === true) {
                throw error;
            }
            await setTimeout(pauseMs);
        }
    }
}

/** Checks the builders and takes a place on one of them. Throws as `checkNodes` and `holdNode` do. */
export async function leaseNode(
    image: LeasedImage,
    nodes: readonly BuilderNode[],
    options: LeaseOptions = {},
): Promise<Lease> {
    return holdNode(image, nodes, await checkNodes(image, nodes, options), options);
}

/**
 * Takes a place on one of the builders that were found fit. When that builder goes while the build waits, all are checked
 * again. Throws as `takePlace` does, and then as `checkNodes` does.
 */
export async function holdNode(
    image: LeasedImage,
    nodes: readonly BuilderNode[],
    first: Checked,
    options: LeaseOptions = {},
): Promise<Lease> {
    const begin = Date.now();
    const { waitMs = Infinity } = options;
    for (let checked = first; ; checked = await checkNodes(image, nodes, options)) {
        try {
            const left = { ...options, waitMs: waitMs - (Date.now() - begin) };
            const { choice, entry } = await takePlace(checked.choices, image, left);
            const waitedSeconds = (Date.now() - begin) / 1_000;
            const { lost } = entry;
            return { ...choice, skipped: checked.skipped, waitedSeconds, lost, release: () => entry.release() };
        } catch (error) {
            if (!(error instanceof MultiArchError) || !error.transient) {
                throw error;
            }
            // A builder that goes at once whenever it is asked for a place must not be asked without a pause. A build that
            // is cancelled meanwhile learns of it from the check.
            await setTimeout(pauseMs, undefined, options.signal ? { signal: options.signal } : {}).catch(
                () => undefined,
            );
        }
    }
}

async function tryCheck(
    image: LeasedImage,
    nodes: readonly BuilderNode[],
    options: WakeOptions,
    deadline: number,
): Promise<Checked> {
    const { platform } = image;
    const wanted = formatPlatform(parsePlatform(platform));
    const serving = nodes.filter((node) => formatPlatform(parsePlatform(node.platform)) === wanted);
    if (serving.length === 0) {
        throw new MultiArchError("builder-none", { what: "no builder is given for this platform", platform });
    }
    const { awake, booting, asleep, failed } = await sortNodes(serving, options);
    const results: PreflightResult[] = [...(await preflightAll(awake, options)), ...failed];
    const wake = async (waiting: readonly BuilderNode[]): Promise<void> => {
        for (const node of waiting) {
            if (!isServed(results, node)) {
                results.push(await wakeNode(node, options));
            }
        }
    };
    const order = [booting, asleep].flatMap((kind) => preferred(image, kind));
    await wake(order.filter((node) => !isFallback(node)));
    // One that is about to stop, or does not answer at the moment, is there again soon: it is waited for first.
    const isComingBack = results.some((result) => "error" in result && result.error.transient);
    const mayWait = isComingBack && Date.now() + 2 * pauseMs < deadline;
    await wake(mayWait ? [] : order.filter(isFallback));
    const fit = results.flatMap((result) => ("facts" in result ? [result] : []));
    const native = fit.filter(({ facts }) => facts.native);
    const [choice, ...others] = orderChoices(image, native.length > 0 ? native : fit);
    const skipped = results.filter((result) => "error" in result);
    if (choice) {
        return { choices: [choice, ...others], skipped };
    }
    throw joinErrors(skipped);
}

/** Whether there is a builder that another one need not be started beside. A fallback is none to those it is behind. */
function isServed(results: readonly PreflightResult[], waiting: BuilderNode): boolean {
    const native = results.filter((result) => "facts" in result && result.facts.native);
    return native.some(({ node }) => isFallback(waiting) || !isFallback(node));
}

/** Builders of one kind stand in for each other; those of another kind are for when none of the first can be used. */
function orderChoices(image: LeasedImage, fit: readonly Choice[]): Choice[] {
    const kind = fit[0] && kindOf(fit[0].node);
    const alike = fit.filter(({ node }) => kindOf(node) === kind);
    const chosen = alike.map(({ node, facts }) => ({ node: chooseMember(node, facts.member), facts }));
    if (kind !== "endpoints") {
        return chosen;
    }
    return orderNodes(keyOf(image), chosen);
}

function preferred(image: LeasedImage, nodes: readonly BuilderNode[]): BuilderNode[] {
    return orderNodes(
        keyOf(image),
        nodes.map((node) => ({ node })),
    ).map(({ node }) => node);
}

/** What stands for an image where builders are preferred. */
function keyOf({ platform, repository }: LeasedImage): string {
    return `${repository} ${formatPlatform(parsePlatform(platform))}`;
}

function kindOf({ docker, named }: BuilderNode): string {
    if (docker !== undefined) {
        return "docker";
    }
    return named === undefined ? "endpoints" : "named";
}

/** One error for several builders of a platform: the first one's, with a line for each of the others. */
function joinErrors(skipped: Checked["skipped"]): MultiArchError {
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
