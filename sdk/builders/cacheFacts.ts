import { connectControl } from "./control/client";
import type { GcRule } from "./control/messages";
import type { BuilderNode, TcpAddress, UnixAddress } from "./node";

/** The cache of a builder, and what becomes of it. */
export interface CacheFacts {
    readonly entries: number;
    /** What they take up, in bytes. Shared layers count once for each entry. */
    readonly bytes: number;
    /** What the cache may take up before garbage is collected, in bytes; undefined without a limit. */
    readonly limitBytes: number | undefined;
    /** What the user may want to know of the rules. */
    readonly notes: readonly string[];
}

const hourNs = 3_600e9;
const weekNs = 7 * 24 * hourNs;

/** Asks a daemon for its cache. It may take a while to add up a large one: throws a grpc.ServiceError when it is late. */
export async function askCache(
    node: BuilderNode,
    address: TcpAddress | UnixAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<CacheFacts> {
    const client = connectControl(node, address);
    try {
        const [usage, workers] = await Promise.all([
            client.call("DiskUsage", {}, options),
            client.call("ListWorkers", {}, options),
        ]);
        const rules = workers.record[0]?.GCPolicy ?? [];
        const bytes = usage.record.reduce((sum, { Size }) => sum + Size, 0);
        return { entries: usage.record.length, bytes, ...judgeRules(rules) };
    } finally {
        client.close();
    }
}

/** What the rules of a worker come to. */
export function judgeRules(rules: readonly GcRule[]): Pick<CacheFacts, "limitBytes" | "notes"> {
    if (rules.length === 0) {
        return { limitBytes: undefined, notes: ["collects no garbage: its cache grows until the disk is full"] };
    }
    const limits = rules.filter(({ filters }) => filters.length === 0).map(({ maxUsedSpace }) => maxUsedSpace);
    const limitBytes = Math.max(0, ...limits) || undefined;
    const takesMounts = rules.find(({ filters, keepDuration, maxUsedSpace }) => {
        // A rule that begins only when the cache is nearly full takes mounts because it has to.
        const isEarly = maxUsedSpace < (limitBytes ?? Infinity) / 10;
        return isEarly && keepDuration < weekNs && filters.some((filter) => filter.includes("exec.cachemount"));
    });
    const hours = Math.round((takesMounts?.keepDuration ?? 0) / hourNs);
    const notes = takesMounts ? [`throws cache mounts away that were not used for ${hours} hours`] : [];
    return { limitBytes, notes };
}
