import { once } from "node:events";
import * as net from "node:net";

import { MultiArchError, type ErrorCode } from "../../../errors";
import type { BuilderNode } from "../../node";
import { builderError } from "../../preflightBudget";
import { openChannel } from "./channel";
import { explainSession, startSession, type SessionFailure, type SessionTarget } from "./start";

/** A port of this machine that leads to one of an instance. */
interface Tunnel {
    readonly address: string;
    /** What went wrong the last time, and when. */
    failure: (SessionFailure & { readonly at: number }) | undefined;
}

/** What a check says of a connection that breaks, whoever broke it. */
const brokenCodes = new Set<ErrorCode>([
    ...(["builder-unreachable", "builder-refused", "builder-unhealthy", "builder-not-buildkit"] as const),
    ...(["builder-not-tls", "builder-tls-client-refused"] as const),
]);

/** The tunnels of this process. Each is there until the process ends: without a connection it is one open socket. */
const tunnels = new Map<string, Promise<Tunnel>>();
const byAddress = new Map<string, Tunnel>();

/**
 * The builder on an instance, at an address of this machine. Each connection to it is a session of its own. TLS goes
 * through from end to end, so others on this machine get no further than its beginning. Throws `builder-insecure` where
 * there is none.
 */
export async function throughSession(node: BuilderNode, target: SessionTarget): Promise<BuilderNode> {
    if (node.tls === undefined) {
        const what = "a session ends at a port of this machine, which is open to all its users without TLS";
        const next = "Give tls.ca, tls.cert and tls.key.";
        throw builderError(node, "builder-insecure", what, { field: "tls", next });
    }
    const { address } = await findTunnel(target);
    return { ...node, address, through: "Session Manager" };
}

function findTunnel(target: SessionTarget): Promise<Tunnel> {
    const key = JSON.stringify([target.region, target.instanceId, target.port]);
    const known = tunnels.get(key);
    if (known !== undefined) {
        return known;
    }
    const opening = openTunnel(target);
    tunnels.set(key, opening);
    opening.catch(() => tunnels.delete(key));
    return opening;
}

/** Does something with a builder. What fails because there was no session says so. */
export async function explainTunnel<T>(node: BuilderNode, work: () => Promise<T>): Promise<T> {
    const tunnel = node.through === undefined ? undefined : byAddress.get(node.address);
    const begin = performance.now();
    try {
        return await work();
    } catch (error) {
        const { failure } = tunnel ?? {};
        const isOfConnection = error instanceof MultiArchError && brokenCodes.has(error.code);
        if (failure === undefined || failure.at < begin || !isOfConnection) {
            throw error;
        }
        const { at, code, what, ...more } = failure;
        throw builderError(node, code, what, { field: "ec2", ...more });
    }
}

async function openTunnel(target: SessionTarget): Promise<Tunnel> {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        void connect(socket, target, tunnel);
    });
    // What runs keeps the process alive, not what could.
    server.unref();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    const tunnel: Tunnel = { address, failure: undefined };
    byAddress.set(address, tunnel);
    return tunnel;
}

/** One connection. What is said before the session is there waits. */
async function connect(socket: net.Socket, target: SessionTarget, tunnel: Tunnel): Promise<void> {
    const fail = (error: unknown): void => {
        // An orderly end of the other side is none: that is for TLS and HTTP/2 to tell.
        tunnel.failure = { ...explainSession(target, error), at: performance.now() };
        // What is missing must not look like all there was.
        socket.resetAndDestroy();
    };
    socket.on("error", () => undefined);
    try {
        const { stream, ready } = await openChannel(await startSession(target));
        let isConnected = false;
        stream.once("error", fail);
        stream.once("close", () => socket.destroySoon());
        socket.once("close", () => stream.destroy());
        socket.once("end", () => {
            // Whoever leaves before the session is there wants nothing of it.
            if (!isConnected) {
                stream.destroy();
            }
        });
        socket.pipe(stream).pipe(socket);
        if (socket.destroyed) {
            stream.destroy();
        }
        // Where it fails without an error of the stream, who had connected has left.
        await ready.then(
            () => (isConnected = true),
            () => undefined,
        );
    } catch (error) {
        fail(error);
    }
}
