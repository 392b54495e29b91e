import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import { connectControl, type ControlClient } from "../../../sdk/builders/control/client";
import { buildEvents, type BuildHistoryEvent, type SolveRequest } from "../../../sdk/builders/control/messages";
import { controlService } from "../../../sdk/builders/control/service";
import { listenGrpc, nodeOn, type TestServer } from "./testBuilders";
import { createAuthority } from "./testCertificates";

// The server is a double: what a real daemon does with these calls is tested in tests/integration.
describe("the control client", () => {
    let server: TestServer;
    let client: ControlClient;
    let ended: string[] = [];

    before(async () => {
        const double = new grpc.Server();
        double.addService(controlService, {
            Solve: (call: grpc.ServerUnaryCall<SolveRequest, object>) => {
                call.on("cancelled", () => ended.push(call.request.Ref));
            },
            ListenBuildHistory: (call: grpc.ServerWritableStream<object, object>) => {
                const CreatedAt = { seconds: 1_800_000_000, nanos: 5 };
                call.write({ type: 0, record: { Ref: "a", FrontendAttrs: { x: "y" }, CreatedAt } });
                call.write({ type: 1, record: { Ref: "a" } });
                call.end();
            },
        });
        const authority = await createAuthority();
        server = await listenGrpc(double, authority);
        const { cert, key } = await authority.issue({});
        const address = { scheme: "tcp", host: "127.0.0.1", port: server.port } as const;
        client = connectControl(nodeOn(server.port, { tls: { ca: authority.ca, cert, key } }), address);
    });
    beforeEach(() => {
        ended = [];
    });
    after(async () => {
        client.close();
        await server.close();
    });

    it("gives the events of a stream, with what a record holds", async () => {
        const events: BuildHistoryEvent[] = [];
        await client.listen("ListenBuildHistory", { EarlyExit: true }, (event) => events.push(event));
        assert.deepEqual(
            events.map(({ type, record }) => [type, record?.Ref, record?.FrontendAttrs, record?.CreatedAt?.seconds]),
            [
                [buildEvents.started, "a", { x: "y" }, 1_800_000_000],
                [buildEvents.complete, "a", {}, undefined],
            ],
        );
    });

    it("ends a call that waits when its signal is aborted, on the server too", async () => {
        const stop = new AbortController();
        const waiting = client.call("Solve", { Ref: "waits" }, { signal: stop.signal });
        setTimeout(() => {
            stop.abort();
        }, 50);
        await assert.rejects(waiting, { code: grpc.status.CANCELLED });
        await seen(() => ended.includes("waits"));
    });

    it("makes no call for a signal that was aborted before", async () => {
        const call = client.call("Solve", { Ref: "never" }, { signal: AbortSignal.abort() });
        await assert.rejects(call, { code: grpc.status.CANCELLED });
    });

    it("gives up a call after its time", async () => {
        const call = client.call("Solve", { Ref: "late" }, { timeoutMs: 50 });
        await assert.rejects(call, { code: grpc.status.DEADLINE_EXCEEDED });
        await seen(() => ended.includes("late"));
    });

    it("says what the daemon does not know", async () => {
        await assert.rejects(client.call("Info", {}), { code: grpc.status.UNIMPLEMENTED });
    });
});

async function seen(isSo: () => boolean): Promise<void> {
    for (let waited = 0; waited < 100 && !isSo(); waited++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(isSo());
}
