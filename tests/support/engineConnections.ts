import * as settings from "@pulumi/pulumi/runtime/settings";

/**
 * Gives each program of a test its own connections to its engine.
 *
 * Clients in one process share their connections by address, and one to an engine that was killed tries again for ever. The
 * engine of a later test may get the same port. Its program then fails at once with "No connection established. Last error:
 * null", since the shared connection waits before its next try.
 * https://github.com/grpc/grpc-node/blob/master/packages/grpc-js/src/subchannel-pool.ts
 */
export function separateEngineConnections(): void {
    const { grpcClientOptions } = settings as unknown as { grpcClientOptions: Record<string, unknown> };
    grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;
}
