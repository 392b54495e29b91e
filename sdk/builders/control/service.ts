import type * as grpc from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";

const string = (id: number): object => ({ type: "string", id });
const bool = (id: number): object => ({ type: "bool", id });
const number = (id: number, type: "int32" | "int64" = "int64"): object => ({ type, id });
const texts = (id: number): object => ({ keyType: "string", type: "string", id });
const one = (type: string, id: number): object => ({ type, id });
const many = (type: string, id: number): object => ({ rule: "repeated", type, id });

// Of the messages the fields that are used. The numbers are those of
// https://github.com/moby/buildkit/blob/v0.31.1/api/services/control/control.proto and api/types/worker.proto
const messages = {
    Platform: { Architecture: string(1), OS: string(2), Variant: string(3) },
    GCPolicy: { all: bool(1), keepDuration: number(2), filters: many("string", 4), maxUsedSpace: number(5) },
    WorkerRecord: {
        ID: string(1),
        Labels: texts(2),
        platforms: many("Platform", 3),
        GCPolicy: many("GCPolicy", 4),
    },
    ListWorkersRequest: {},
    ListWorkersResponse: { record: many("WorkerRecord", 1) },
    BuildkitVersion: { version: string(2) },
    InfoRequest: {},
    InfoResponse: { buildkitVersion: one("BuildkitVersion", 1) },
    DiskUsageRequest: { filter: many("string", 1) },
    UsageRecord: { ID: string(1), InUse: bool(3), Size: number(4), RecordType: string(10) },
    DiskUsageResponse: { record: many("UsageRecord", 1) },
    OpMetadata: { ignore_cache: bool(1), description: texts(2) },
    Definition: { def: many("bytes", 1), metadata: { keyType: "string", type: "OpMetadata", id: 2 } },
    SolveRequest: { Ref: string(1), Definition: one("Definition", 2), FrontendAttrs: texts(7), Internal: bool(11) },
    SolveResponse: {},
    StatusRequest: { Ref: string(1) },
    Vertex: { name: string(3), started: one("Timestamp", 5), completed: one("Timestamp", 6) },
    StatusResponse: { vertexes: many("Vertex", 1) },
    PruneRequest: { filter: many("string", 1), all: bool(2), maxUsedSpace: number(5), minFreeSpace: number(6) },
    Timestamp: { seconds: number(1), nanos: number(2, "int32") },
    Exporter: { Type: string(1), Attrs: texts(2) },
    BuildHistoryRequest: { ActiveOnly: bool(1), Ref: string(2), EarlyExit: bool(3), Filter: many("string", 4) },
    BuildHistoryRecord: {
        Ref: string(1),
        FrontendAttrs: texts(3),
        Exporters: many("Exporter", 4),
        CreatedAt: one("Timestamp", 6),
        CompletedAt: one("Timestamp", 7),
    },
    BuildHistoryEvent: { type: number(1, "int32"), record: one("BuildHistoryRecord", 2) },
    UpdateBuildHistoryRequest: { Ref: string(1), Delete: bool(3) },
    UpdateBuildHistoryResponse: {},
};

const call = (name: string): object => ({
    requestType: `${name}Request`,
    responseType: `${name}Response`,
});

const Control = {
    methods: {
        ListWorkers: call("ListWorkers"),
        Info: call("Info"),
        DiskUsage: call("DiskUsage"),
        Solve: call("Solve"),
        ListenBuildHistory: {
            requestType: "BuildHistoryRequest",
            responseType: "BuildHistoryEvent",
            responseStream: true,
        },
        UpdateBuildHistory: call("UpdateBuildHistory"),
        Status: { ...call("Status"), responseStream: true },
        Prune: { requestType: "PruneRequest", responseType: "UsageRecord", responseStream: true },
    },
};

const nest = (nested: object): object => ({ nested });

const descriptor = nest({
    ...Object.fromEntries(Object.entries(messages).map(([name, fields]) => [name, { fields }])),
    moby: nest({ buildkit: nest({ v1: nest({ Control }) }) }),
});

/** BuildKit's control service, as far as it is used here, in the form that grpc-js takes. */
export const controlService = fromJSON(descriptor, {
    keepCase: true,
    defaults: true,
    arrays: true,
    objects: true,
    longs: Number,
})["moby.buildkit.v1.Control"] as grpc.ServiceDefinition;
