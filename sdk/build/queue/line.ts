import type { BuildRecord } from "../../builders/control/messages";

/** What is to be built. A daemon is told of it while the build waits, which is no more than it learns from the build. */
export interface LeasedImage {
    readonly platform: string;
    readonly repository: string;
    /** False for a build that pushes nothing. */
    readonly isPushed: boolean;
}

/** Names of tickets begin like this. */
export const ticketPrefix = "multiarch-ticket-";

const marker = "multiarch.ticket";
const output = "multiarch.output";

/** A ticket as the attributes of a build. */
export function describeTicket({ platform, repository, isPushed }: LeasedImage): Record<string, string> {
    return { [marker]: "1", "multiarch.platform": platform, [output]: isPushed ? repository : "" };
}

/**
 * How many builds are ahead of a ticket, from all that a daemon has going on: older tickets, each of which has a place or
 * gets one earlier, and builds of others. Undefined when the ticket is not among them.
 */
export function countAhead(records: readonly BuildRecord[], ref: string): number | undefined {
    const own = records.find(({ Ref }) => Ref === ref);
    const older = own && records.filter((record) => isTicket(record) && isOlder(record, own));
    return older && older.length + countForeign(records);
}

/** How many builds have a place or wait for one. */
export function countAll(records: readonly BuildRecord[]): number {
    return records.filter(isTicket).length + countForeign(records);
}

/**
 * Builds that nobody holds a ticket for: of other tools, and of other releases. A build of ours has a ticket and, once it
 * runs, a record of its own, which says the same repository. One that cannot be told from ours counts as foreign: then
 * fewer builds run at once, never more.
 */
function countForeign(records: readonly BuildRecord[]): number {
    const held = new Map<string, number>();
    for (const { FrontendAttrs } of records.filter(isTicket)) {
        const repository = FrontendAttrs[output] ?? "";
        held.set(repository, (held.get(repository) ?? 0) + 1);
    }
    return records.filter((record) => {
        if (isTicket(record)) {
            return false;
        }
        const repository = repositoryOf(record);
        const left = held.get(repository) ?? 0;
        held.set(repository, left - 1);
        return left <= 0;
    }).length;
}

function isTicket({ FrontendAttrs }: BuildRecord): boolean {
    return FrontendAttrs[marker] !== undefined;
}

function repositoryOf({ Exporters }: BuildRecord): string {
    return Exporters.find(({ Attrs }) => Attrs["name"] !== undefined)?.Attrs["name"] ?? "";
}

/** By the clock of the daemon, which is one for all. */
function isOlder(one: BuildRecord, other: BuildRecord): boolean {
    const order =
        (one.CreatedAt?.seconds ?? 0) - (other.CreatedAt?.seconds ?? 0) ||
        (one.CreatedAt?.nanos ?? 0) - (other.CreatedAt?.nanos ?? 0);
    return order === 0 ? one.Ref < other.Ref : order < 0;
}
