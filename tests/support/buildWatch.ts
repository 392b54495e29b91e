import { connectControl } from "../../sdk/builders/control/client";
import { buildEvents, type BuildRecord, type Timestamp } from "../../sdk/builders/control/messages";
import { parseAddress, type BuilderNode } from "../../sdk/builders/node";

/** What a daemon says of its builds while they are watched. */
export interface BuildWatch {
    /** The builds that have ended, tickets left out, in the order in which they began. */
    builds(): WatchedBuild[];
    /** The repositories of the tickets that were opened, oldest first. */
    tickets(): string[];
    /** What is in the history now. */
    history(): Promise<BuildRecord[]>;
    stop(): void;
}

/** One build, by the clock of its daemon, in milliseconds. */
export interface WatchedBuild {
    readonly repository: string;
    readonly begin: number;
    readonly end: number;
}

/** Follows a daemon's builds, as anybody can who may build there. */
export function watchBuilds(node: BuilderNode): BuildWatch {
    const address = parseAddress(node.address);
    if (address.scheme !== "tcp") {
        throw new Error(`${node.address} cannot be watched`);
    }
    const client = connectControl(node, address);
    const seen = new Map<string, BuildRecord>();
    client
        .listen("ListenBuildHistory", { ActiveOnly: true }, ({ type, record }) => {
            // The end of one that began before is told again when its trace is written.
            if (record && (type === buildEvents.started || (type === buildEvents.complete && seen.has(record.Ref)))) {
                seen.set(record.Ref, record);
            }
        })
        .catch(() => undefined);
    const inOrder = (): BuildRecord[] => {
        return [...seen.values()].sort((one, other) => timeOf(one.CreatedAt) - timeOf(other.CreatedAt));
    };
    return {
        builds: () =>
            inOrder()
                .filter((record) => record.CompletedAt && !isTicket(record))
                .map((record) => ({
                    repository: record.Exporters[0]?.Attrs["name"] ?? "",
                    begin: timeOf(record.CreatedAt),
                    end: timeOf(record.CompletedAt),
                })),
        tickets: () =>
            inOrder()
                .filter(isTicket)
                .map(({ FrontendAttrs }) => FrontendAttrs["multiarch.output"] ?? ""),
        history: async () => {
            const records: BuildRecord[] = [];
            await client.listen("ListenBuildHistory", { EarlyExit: true }, ({ record }) => {
                records.push(...(record ? [record] : []));
            });
            return records;
        },
        stop: () => {
            client.close();
        },
    };
}

/** The largest number of builds that ran at the same time. */
export function mostAtOnce(builds: readonly WatchedBuild[]): number {
    return Math.max(
        0,
        ...builds.map(({ begin }) => builds.filter((one) => one.begin <= begin && begin < one.end).length),
    );
}

export function isTicket({ FrontendAttrs }: BuildRecord): boolean {
    return FrontendAttrs["multiarch.ticket"] !== undefined;
}

function timeOf(time: Timestamp | null): number {
    return (time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
}
