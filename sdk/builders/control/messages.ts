/** The messages of BuildKit's control service, with the fields that are used. Each call is in one of the two tables. */

/** Calls with one answer: what goes there, what comes back. */
export interface UnaryCalls {
    readonly ListWorkers: { readonly request: object; readonly response: ListWorkersResponse };
    readonly Info: { readonly request: object; readonly response: InfoResponse };
    readonly DiskUsage: { readonly request: { readonly filter?: string[] }; readonly response: DiskUsageResponse };
    readonly Solve: { readonly request: SolveRequest; readonly response: object };
    readonly UpdateBuildHistory: { readonly request: UpdateBuildHistoryRequest; readonly response: object };
}

/** Calls with a stream of answers. */
export interface StreamingCalls {
    readonly ListenBuildHistory: { readonly request: BuildHistoryRequest; readonly response: BuildHistoryEvent };
    readonly Status: { readonly request: { readonly Ref: string }; readonly response: StatusResponse };
    readonly Prune: { readonly request: PruneRequest; readonly response: UsageRecord };
}

/** A platform as BuildKit writes it. */
export interface PlatformMessage {
    readonly Architecture: string;
    readonly OS: string;
    readonly Variant: string;
}

/** The workers of a daemon. */
export interface ListWorkersResponse {
    readonly record: readonly {
        readonly ID: string;
        readonly Labels: Readonly<Record<string, string>>;
        readonly platforms: readonly PlatformMessage[];
        readonly GCPolicy: readonly GcRule[];
    }[];
}

/** When entries of the cache go by themselves. */
export interface GcRule {
    /** True takes what BuildKit keeps for itself too. */
    readonly all: boolean;
    /** Nanoseconds for which an entry has to be unused. */
    readonly keepDuration: number;
    /** Which entries; all of them when there is none. */
    readonly filters: readonly string[];
    /** Bytes that the whole cache has to have more than; 0 for no such limit. */
    readonly maxUsedSpace: number;
}

/** The version of a daemon. */
export interface InfoResponse {
    readonly buildkitVersion: { readonly version: string } | null;
}

/** What the cache of a daemon holds. */
export interface DiskUsageResponse {
    readonly record: readonly UsageRecord[];
}

/** One entry of the cache. */
export interface UsageRecord {
    readonly ID: string;
    readonly InUse: boolean;
    /** In bytes. */
    readonly Size: number;
    /** `regular`, `source.local`, `exec.cachemount` and others. */
    readonly RecordType: string;
}

/** A build. Without a frontend and a definition the daemon waits for a client that says what to build. */
export interface SolveRequest {
    /** A name for it, unique on the daemon. */
    readonly Ref: string;
    /** The steps themselves. */
    readonly Definition?: Definition;
    readonly FrontendAttrs?: Readonly<Record<string, string>>;
    /** True keeps it out of the history of builds. */
    readonly Internal?: boolean;
}

/** Steps as BuildKit takes them: each one in bytes, and what is known of it by the digest of these bytes. */
export interface Definition {
    readonly def: readonly Uint8Array[];
    readonly metadata: Readonly<Record<string, OpMetadata>>;
}

/** What is known of a step beside what it does. */
export interface OpMetadata {
    /** True runs it although its result is known. */
    readonly ignore_cache?: boolean;
    /** For people; `llb.customname` is what the step is called. */
    readonly description?: Readonly<Record<string, string>>;
}

/** How far a build is. */
export interface StatusResponse {
    /** The steps that something has changed about. */
    readonly vertexes: readonly {
        readonly name: string;
        /** When it was begun last; null before. By the clock of the daemon. */
        readonly started: Timestamp | null;
        /** When that ended; null while it goes on. Looking for a result in the cache begins and ends too. */
        readonly completed: Timestamp | null;
    }[];
}

/** What to remove from the cache. What a build uses stays. */
export interface PruneRequest {
    /** For example `description==text`; one that matches is enough. */
    readonly filter: readonly string[];
    /** True takes what BuildKit keeps for itself too. */
    readonly all?: boolean;
    /** Entries go only while all of the cache has more, in bytes. Without a limit, what the filter takes goes at once. */
    readonly maxUsedSpace?: number;
    /** Entries go while the disk has less free space, in bytes, whatever else is said. */
    readonly minFreeSpace?: number;
}

/** Which builds to tell of. */
export interface BuildHistoryRequest {
    /** True leaves those out that have ended. */
    readonly ActiveOnly?: boolean;
    /** Only this one. */
    readonly Ref?: string;
    /** True ends the stream after what is known now. Otherwise it goes on with what happens. */
    readonly EarlyExit?: boolean;
    /** For example `ref~=^name`. Builds that run are told of all the same. */
    readonly Filter?: readonly string[];
}

/** What happens to a build, as its number in the protocol. */
export const buildEvents = { started: 0, complete: 1, deleted: 2 } as const;

/** Something that happened to a build. The order of events that are close to each other is not certain. */
export interface BuildHistoryEvent {
    readonly type: number;
    readonly record: BuildRecord | null;
}

/** A build that runs or has ended. */
export interface BuildRecord {
    readonly Ref: string;
    readonly FrontendAttrs: Readonly<Record<string, string>>;
    readonly Exporters: readonly { readonly Type: string; readonly Attrs: Readonly<Record<string, string>> }[];
    /** By the clock of the daemon. */
    readonly CreatedAt: Timestamp | null;
    readonly CompletedAt: Timestamp | null;
}

/** A time, since 1970. */
export interface Timestamp {
    readonly seconds: number;
    readonly nanos: number;
}

/** What to do about the record of a build. */
export interface UpdateBuildHistoryRequest {
    readonly Ref: string;
    /** True removes it. One of a build that runs would be written all the same when it ends. */
    readonly Delete?: boolean;
}
