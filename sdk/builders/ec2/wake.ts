import { setTimeout as sleep } from "node:timers/promises";

import { MultiArchError } from "../../errors";
import type { BuilderNode } from "../node";
import { preflightAll, type PreflightOptions, type PreflightResult } from "../preflight";
import { builderError, cancelledCheck } from "../preflightBudget";
import { isCapacityReason } from "./faults";
import { noteStart } from "./machineUse";
import { throughSession } from "./session/tunnel";
import { openInstances, type Ec2Target, type InstanceFacts, type Instances } from "./instances";

/** How instances are started. */
export interface WakeOptions extends PreflightOptions {
    /** Called with what is being waited for. */
    readonly onStatus?: ((text: string) => void) | undefined;
    /** Milliseconds until BuildKit of an instance that is started has to answer. By default five minutes. */
    readonly bootMs?: number | undefined;
    /** Milliseconds between two looks. By default 2000. */
    readonly lookMs?: number | undefined;
}

/** The builders of a platform by whether they can be checked now. */
export interface Sorted {
    /** Those that run, with the address they have today. */
    readonly awake: readonly BuilderNode[];
    /** Instances that are on their way. */
    readonly booting: readonly BuilderNode[];
    /** Instances that have to be started. */
    readonly asleep: readonly BuilderNode[];
    readonly failed: readonly { readonly node: BuilderNode; readonly error: MultiArchError }[];
}

const defaultBootMs = 300_000;
const defaultLookMs = 2_000;
const defaultPort = 1234;
const mostStarts = 3;

/** Asks EC2 for the instances among the builders, all at once, and starts none. */
export async function sortNodes(nodes: readonly BuilderNode[], options: WakeOptions = {}): Promise<Sorted> {
    const found = await Promise.all(nodes.map((node) => lookUp(node, options)));
    const pick = (kind: string): BuilderNode[] => found.filter((one) => one.kind === kind).map(({ node }) => node);
    return {
        awake: pick("awake"),
        booting: pick("booting"),
        asleep: pick("asleep"),
        failed: found.flatMap(({ node, error }) => (error === undefined ? [] : [{ node, error }])),
    };
}

/**
 * Starts the instance of a builder, waits until BuildKit answers there, and checks it. An instance that is about to stop
 * is started when it has. One that gets no machine fails at once, with `builder-ec2-capacity`.
 */
export async function wakeNode(node: BuilderNode, options: WakeOptions = {}): Promise<PreflightResult> {
    const begin = Date.now();
    try {
        return await withInstances(node, options, async (instances, target) => {
            for (let starts = 0; ;) {
                const facts = await instances.describe();
                refuseLost(node, target, facts);
                const result = facts.state === "running" ? await check(node, target, facts, options) : undefined;
                if (facts.state === "stopped") {
                    refuseStopped(node, target, facts, starts);
                    options.onStatus?.(`starting ${node.name}`);
                    const begunAt = Date.now();
                    await instances.start();
                    noteStart(target.instanceId, begunAt);
                    starts += 1;
                }
                const isWorthWaiting = result === undefined || ("error" in result && result.error.transient);
                const spent = Date.now() - begin;
                if (!isWorthWaiting || options.signal?.aborted === true) {
                    return result ?? { node, error: cancelledCheck() };
                }
                if (spent > (options.bootMs ?? defaultBootMs)) {
                    const what = `the EC2 instance ${target.instanceId} did not start in ${seconds(spent)} s`;
                    return result ?? { node, error: builderError(node, "builder-ec2", what, { field: "ec2" }) };
                }
                const missing = result === undefined ? "the machine" : "BuildKit";
                options.onStatus?.(`waiting for ${missing} of ${node.name}, ${seconds(spent)} s so far`);
                await pause(options);
            }
        });
    } catch (error) {
        return { node, error: asFailure(node, error) };
    }
}

async function check(
    node: BuilderNode,
    target: Ec2Target,
    facts: InstanceFacts,
    options: WakeOptions,
): Promise<PreflightResult | undefined> {
    const [result] = await preflightAll([await locate(node, target, facts)], options);
    return result;
}

/**
 * A start that was accepted can still find no machine: the instance is stopped again, with the reason. What EC2 tells
 * right after a start may also be from before it, so other reasons get a few more tries.
 */
function refuseStopped(
    node: BuilderNode,
    { instanceId }: Ec2Target,
    { reason = "no reason given" }: InstanceFacts,
    starts: number,
): void {
    if (starts > 0 && isCapacityReason(reason)) {
        const what = `the EC2 instance ${instanceId} gets no machine: ${reason}`;
        throw builderError(node, "builder-ec2-capacity", what, { field: "ec2" });
    }
    if (starts >= mostStarts) {
        const what = `the EC2 instance ${instanceId} was started ${starts} times and is stopped: ${reason}`;
        throw builderError(node, "builder-ec2", what, { field: "ec2" });
    }
}

interface LookedUp {
    readonly kind: "awake" | "booting" | "asleep" | "failed";
    readonly node: BuilderNode;
    readonly error?: MultiArchError;
}

async function lookUp(node: BuilderNode, options: WakeOptions): Promise<LookedUp> {
    if (node.ec2 === undefined) {
        return { kind: "awake", node };
    }
    try {
        return await withInstances(node, options, async (instances, target): Promise<LookedUp> => {
            const facts = await instances.describe();
            refuseLost(node, target, facts);
            if (facts.state !== "running") {
                return { kind: facts.state === "pending" ? "booting" : "asleep", node };
            }
            const isNew = Date.now() - (facts.startedAt ?? 0) < (options.bootMs ?? defaultBootMs);
            return isNew ? { kind: "booting", node } : { kind: "awake", node: await locate(node, target, facts) };
        });
    } catch (error) {
        return { kind: "failed", node, error: asFailure(node, error) };
    }
}

/** The builder at the address that its instance has today, or at one of this machine that leads there. */
async function locate(node: BuilderNode, target: Ec2Target, facts: InstanceFacts): Promise<BuilderNode> {
    const { instanceId, region, port = defaultPort, addressKind: kind = "private" } = target;
    if (kind === "ssm") {
        return throughSession(node, { instanceId, region, port });
    }
    const host = kind === "public" ? facts.publicAddress : facts.privateAddress;
    if (host === undefined) {
        const what = `the EC2 instance ${instanceId} runs and has no ${kind} address`;
        const next = "Give the instance such an address, or set ec2.addressKind to the one it has.";
        throw builderError(node, "builder-ec2", what, { field: "ec2.addressKind", next });
    }
    return { ...node, address: `tcp://${host}:${port}` };
}

function refuseLost(node: BuilderNode, { instanceId, region }: Ec2Target, { state }: InstanceFacts): void {
    if (state === "terminated" || state === "shutting-down") {
        const what = `the EC2 instance ${instanceId} in ${region} is terminated`;
        throw builderError(node, "builder-ec2-unknown", what, { field: "ec2.instanceId" });
    }
}

async function withInstances<T>(
    node: BuilderNode,
    { signal }: WakeOptions,
    work: (instances: Instances, target: Ec2Target) => Promise<T>,
): Promise<T> {
    const target = node.ec2 ?? { instanceId: "", region: "" };
    const instances = await openInstances(node, target, signal);
    try {
        return await work(instances, target);
    } finally {
        instances.close();
    }
}

function asFailure(node: BuilderNode, error: unknown): MultiArchError {
    return error instanceof MultiArchError
        ? error
        : builderError(node, "builder-ec2", "the EC2 instance cannot be used", { field: "ec2", cause: error });
}

async function pause({ lookMs = defaultLookMs, signal }: WakeOptions): Promise<void> {
    try {
        await sleep(lookMs, undefined, signal ? { signal } : {});
    } catch {
        throw cancelledCheck();
    }
}

function seconds(milliseconds: number): number {
    return Math.round(milliseconds / 1_000);
}
