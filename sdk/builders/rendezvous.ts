import { createHash } from "node:crypto";
import type { BuilderNode } from "./node";

/** How many builds run on a node at once, where nobody says. */
export const defaultParallelism = 4;

/** How many builds run on a node at once. */
export function parallelismOf({ maxParallelism = defaultParallelism }: Pick<BuilderNode, "maxParallelism">): number {
    return maxParallelism;
}

type RankedNode = Pick<BuilderNode, "address" | "maxParallelism" | "ec2">;

/**
 * The nodes in the order in which an image prefers them, by rendezvous hashing: equal on every machine and in every run,
 * whatever the order they are listed in. A node that goes moves only the images that preferred it, and one that comes
 * takes only those that prefer it. A node with twice the places is preferred by twice the images. One that is for when
 * no other can be had is behind all others.
 * https://doi.org/10.1109/90.663936 (Thaler and Ravishankar)
 */
export function orderNodes<Item extends { readonly node: RankedNode }>(image: string, items: readonly Item[]): Item[] {
    return items
        .map((item) => ({ item, rank: Number(isFallback(item.node)), score: scoreOf(image, item.node) }))
        .sort((one, other) => one.rank - other.rank || other.score - one.score)
        .map(({ item }) => item);
}

/** Whether it is for when no other can be had. */
export function isFallback({ ec2 }: Pick<BuilderNode, "ec2">): boolean {
    return ec2?.fallback === true;
}

function scoreOf(image: string, node: RankedNode): number {
    // The address of an instance changes whenever it starts.
    const name = node.ec2?.instanceId ?? node.address.toLowerCase();
    const digest = createHash("sha256")
        .update(JSON.stringify([name, image]))
        .digest();
    // Between 0 and 1, both excluded.
    const share = (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
    return -parallelismOf(node) / Math.log(share);
}
