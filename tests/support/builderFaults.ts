import { createServer, connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

import type { Builder } from "./world";

// What can happen to a builder while it builds. Cutting its cable is `builder.host.disconnect()`, an orderly restart is
// `stop` and `start`.

/** Stops a daemon in its tracks: its connections stay open, and nothing comes out of them any more. */
export function freeze(builder: Builder): void {
    process.kill(builder.pid(), "SIGSTOP");
}

/** Lets a frozen daemon go on. Harmless for one that runs or has ended. */
export function thaw(builder: Builder): void {
    try {
        process.kill(builder.pid(), "SIGCONT");
    } catch {
        // It has ended meanwhile.
    }
}

/** Kills a daemon with all that runs on it, as when its machine loses power. `start` brings it back, with its cache. */
export async function crash(builder: Builder): Promise<void> {
    process.kill(builder.pid(), "SIGKILL");
    await builder.stop();
}

/** A way to a builder that can forget connections, as a NAT gateway or a load balancer does with idle ones. */
export interface Gateway {
    /** Where it listens, as `tcp://ip:port`. The builder's certificate is for its own address. */
    readonly address: string;
    /** From now on nothing passes on the connections there are, and neither side hears of it. New ones work. */
    forgetConnections(): void;
    stop(): Promise<void>;
}

/** Puts a gateway of this process before a builder. */
export async function startGateway(builder: Builder): Promise<Gateway> {
    const { hostname, port } = new URL(builder.endpoint.address);
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
        const far = connect(Number(port), hostname);
        near.pipe(far);
        far.pipe(near);
        for (const socket of [near, far]) {
            sockets.add(socket);
            // One side that breaks is no reason for this process to end; the other side learns of it by its end.
            socket.on("error", () => undefined);
            socket.on("close", () => {
                sockets.delete(socket);
                if (!socket.isPaused()) {
                    near.destroy();
                    far.destroy();
                }
            });
        }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
        forgetConnections: () => {
            sockets.forEach((socket) => {
                socket.unpipe();
                socket.pause();
            });
        },
        stop: async () => {
            sockets.forEach((socket) => socket.destroy());
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
