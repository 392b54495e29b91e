import type * as grpc from "@grpc/grpc-js";
import type { SolveRequest } from "../../../sdk/builders/control/messages";

/** How the disk of a test's builder is. By default all is well, and nothing was ever checked. */
export interface TestDisk {
    /** How a step ends: with this error, or never while it `runs` or `waits`. By default well. */
    readonly step?: Partial<grpc.ServiceError> | "runs" | "waits";
    /** Its free space in bytes. By default much. */
    readonly freeBytes?: number;
    /** Whether an earlier check has left its entry there. By default not. */
    readonly wasChecked?: boolean;
}

type Solve = grpc.handleUnaryCall<Required<SolveRequest>, object>;

/** What a builder answers to the check of its disk; builds that are no such check go to `others`. */
export function answerDisk(disk: TestDisk, others: Solve): grpc.UntypedServiceImplementation {
    const { step, freeBytes = 2 ** 40, wasChecked = false } = disk;
    const Solve: Solve = (call, done) => {
        if (!call.request.Internal) {
            others(call, done);
        } else if (typeof step !== "string") {
            done(step ?? null, {});
        }
    };
    return {
        Solve,
        Status: (call: grpc.ServerWritableStream<unknown, unknown>) => {
            const started = { seconds: 1 };
            call.write({ vertexes: [{ name: "step", started }] });
            if (step === "waits") {
                call.write({ vertexes: [{ name: "step", started, completed: started }] });
            }
        },
        DiskUsage: (_call: unknown, done: grpc.sendUnaryData<unknown>) => {
            done(null, { record: wasChecked ? [{ ID: "left" }] : [] });
        },
        Prune: (call: grpc.ServerWritableStream<{ minFreeSpace: number }, unknown>) => {
            if (freeBytes < call.request.minFreeSpace) {
                call.write({ ID: "left" });
            }
            call.end();
        },
    };
}
