import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { expectedServerName, type BuilderNode, type TcpAddress, type UnixAddress } from "../node";
import type { StreamingCalls, UnaryCalls } from "./messages";
import { controlService } from "./service";

/** How one call is made. */
export interface CallOptions {
    /** Milliseconds until it fails with DEADLINE_EXCEEDED. Defaults to no limit, for calls that wait. */
    readonly timeoutMs?: number | undefined;
    /** Ends it, with CANCELLED: on the daemon too. */
    readonly signal?: AbortSignal | undefined;
}

/** A connection to the control service of a BuildKit daemon. Whoever opens one closes it. */
export interface ControlClient {
    /** One question, one answer. Throws a grpc.ServiceError. */
    call<Name extends keyof UnaryCalls>(
        name: Name,
        request: UnaryCalls[Name]["request"],
        options?: CallOptions,
    ): Promise<UnaryCalls[Name]["response"]>;
    /** One question, an answer for each event. Done when the daemon ends it. Throws a grpc.ServiceError. */
    listen<Name extends keyof StreamingCalls>(
        name: Name,
        request: StreamingCalls[Name]["request"],
        onEvent: (event: StreamingCalls[Name]["response"]) => void,
        options?: CallOptions,
    ): Promise<void>;
    /** Ends all calls that run. */
    close(): void;
}

/**
 * Opens a connection to a daemon with an address of its own; nothing is sent before the first call. A connection that
 * breaks fails the calls that run, and the next call makes it anew.
 *
 * There is no keepalive of HTTP/2 on purpose: buildkitd takes a ping every five minutes at most, and closes the
 * connection over more. To learn whether a daemon still answers, call `Info` with a time limit.
 * https://github.com/grpc/grpc-go/blob/v1.81.1/internal/transport/defaults.go (defaultKeepalivePolicyMinTime)
 */
export function connectControl(node: BuilderNode, address: TcpAddress | UnixAddress): ControlClient {
    const Client = grpc.makeClientConstructor(controlService, "Control");
    const client = new Client(targetOf(address), credentialsOf(node), channelOptions(node));
    const running = new Set<grpc.Call>();
    const follow = (call: grpc.Call & NodeJS.EventEmitter, signal: AbortSignal | undefined): void => {
        const cancel = (): void => {
            call.cancel();
        };
        running.add(call);
        signal?.addEventListener("abort", cancel, { once: true });
        call.on("status", () => {
            running.delete(call);
            signal?.removeEventListener("abort", cancel);
        });
        if (signal?.aborted === true) {
            cancel();
        }
    };
    return {
        call: <Name extends keyof UnaryCalls>(
            name: Name,
            request: UnaryCalls[Name]["request"],
            { timeoutMs, signal }: CallOptions = {},
        ) => {
            type Response = UnaryCalls[Name]["response"];
            const { path, requestSerialize, responseDeserialize } = methodOf<Response>(name);
            return new Promise<Response>((resolve, reject) => {
                const call = client.makeUnaryRequest(
                    path,
                    requestSerialize,
                    responseDeserialize,
                    request,
                    limit(timeoutMs),
                    (error, value) => {
                        if (error || value === undefined) {
                            reject(error ?? new Error("no answer"));
                        } else {
                            resolve(value);
                        }
                    },
                );
                follow(call, signal);
            });
        },
        listen: <Name extends keyof StreamingCalls>(
            name: Name,
            request: StreamingCalls[Name]["request"],
            onEvent: (event: StreamingCalls[Name]["response"]) => void,
            { timeoutMs, signal }: CallOptions = {},
        ) => {
            const { path, requestSerialize, responseDeserialize } = methodOf<StreamingCalls[Name]["response"]>(name);
            return new Promise<void>((resolve, reject) => {
                const call = client.makeServerStreamRequest(
                    path,
                    requestSerialize,
                    responseDeserialize,
                    request,
                    limit(timeoutMs),
                );
                follow(call, signal);
                call.on("data", onEvent);
                call.on("error", reject);
                call.on("end", resolve);
            });
        },
        close: () => {
            running.forEach((call) => {
                call.cancel();
            });
            client.close();
        },
    };
}

function methodOf<Response>(name: keyof UnaryCalls | keyof StreamingCalls): grpc.MethodDefinition<object, Response> {
    return controlService[name] as grpc.MethodDefinition<object, Response>;
}

function limit(timeoutMs: number | undefined): grpc.CallOptions {
    return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function targetOf(address: TcpAddress | UnixAddress): string {
    if (address.scheme === "unix") {
        return `unix:${address.path}`;
    }
    return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function credentialsOf(node: BuilderNode): grpc.ChannelCredentials {
    const material = node.tls;
    if (!material) {
        return grpc.credentials.createInsecure();
    }
    const [ca, key, cert] = [material.ca, material.key, material.cert].map((pem) => Buffer.from(pem));
    const name = expectedServerName(node) ?? "";
    return grpc.credentials.createSsl(ca, key, cert, {
        checkServerIdentity: (_asked, certificate) => checkServerIdentity(name, certificate),
    });
}

function channelOptions(node: BuilderNode): grpc.ChannelOptions {
    const name = expectedServerName(node) ?? "";
    // grpc-js would ask for an IP address by the name of a server, which Node warns about. Any name will do: the one in
    // the certificate is checked against the address all the same.
    const asked = isIP(name) === 0 ? name : "buildkitd";
    return {
        // A connection of its own, and direct: buildx does not use a proxy either.
        "grpc.enable_http_proxy": 0,
        "grpc.use_local_subchannel_pool": 1,
        "grpc.service_config_disable_resolution": 1,
        "grpc.enable_retries": 0,
        // A daemon with many builds tells of them in large answers.
        "grpc.max_receive_message_length": -1,
        ...(node.tls ? { "grpc.ssl_target_name_override": asked, "grpc.default_authority": asked } : {}),
    };
}
