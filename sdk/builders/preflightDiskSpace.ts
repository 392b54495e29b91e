import type { ControlClient } from "./control/client";
import type { PruneRequest } from "./control/messages";
import type { Budget } from "./preflightBudget";

// No call of BuildKit tells how much space is free. But it prunes by free space: whether it takes an entry that is ours,
// and nothing to anybody, is the answer. So each check leaves one, without a file in it, in place of that of the one before.
// https://github.com/moby/buildkit/blob/v0.31.1/cache/manager.go (calculateKeepBytes)

/** What the steps of checks are called on the daemon, before their id: it is the description of what they leave. */
export const probeName = "pulumi-multiarch looks at the disk";

/** Below this, users are told. In bytes. */
export const lowSpaceBytes = 2 ** 30;

// ext4 keeps back up to 16 MiB, which count as free.
const fullBytes = 32 * 2 ** 20;
const everything = 2 ** 52;
const limitMs = 1_000;

const ours = `description~=${JSON.stringify(`^${probeName} `)}`;

/**
 * Looks whether space is short, and removes what earlier checks have left. While the daemon collects garbage both would
 * have to wait: then nothing is known, and the next check does it.
 */
export async function tidyAfter(client: ControlClient, name: string, budget: Budget): Promise<boolean> {
    const others = await prune(client, { filter: [`${ours},description!=${JSON.stringify(name)}`], all: true }, budget);
    return others !== undefined && (await isBelow(client, lowSpaceBytes, budget)) === true;
}

/** Which of the two a disk has run out of, as far as can be known: undefined when no check has left anything. */
export async function findFull(client: ControlClient, budget: Budget): Promise<"space" | "inodes" | undefined> {
    const timeoutMs = Math.min(limitMs, budget.left());
    const isThere = await client.call("DiskUsage", { filter: [ours] }, { timeoutMs, signal: budget.signal }).then(
        ({ record }) => record.length > 0,
        () => false,
    );
    if (!isThere) {
        return undefined;
    }
    const isFull = await isBelow(client, fullBytes, budget);
    return isFull === undefined ? undefined : isFull ? "space" : "inodes";
}

/** Whether less than this is free. Undefined when the daemon does not say in time. */
async function isBelow(client: ControlClient, bytes: number, budget: Budget): Promise<boolean | undefined> {
    const request = { filter: [ours], all: true, maxUsedSpace: everything, minFreeSpace: bytes };
    const pruned = await prune(client, request, budget);
    return pruned === undefined ? undefined : pruned > 0;
}

/** How many entries went. Undefined when the daemon did not do it in time. */
async function prune(client: ControlClient, request: PruneRequest, budget: Budget): Promise<number | undefined> {
    let count = 0;
    const options = { timeoutMs: Math.min(limitMs, budget.left()), signal: budget.signal };
    try {
        await client.listen("Prune", request, () => count++, options);
        return count;
    } catch {
        return undefined;
    }
}
