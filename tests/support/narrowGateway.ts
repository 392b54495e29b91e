import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Builder } from "./world";

/** A way to a builder that carries only so much. */
export interface NarrowGateway {
    /** Where it listens, as `tcp://ip:port`. The builder's certificate is for its own address. */
    readonly address: string;
    /** The bytes that went to the builder. */
    readonly sent: () => number;
    /** Cuts all connections, as soon as so many more bytes have gone to the builder. Says later whether it has. */
    cutAfter(bytes: number): { hasCut: () => boolean };
    stop(): Promise<void>;
}

/** Puts a gateway of this process before a builder. All its connections share the bandwidth, each in its turn. */
export async function startNarrowGateway(builder: Builder, bytesPerSecond = Infinity): Promise<NarrowGateway> {
    const { hostname, port } = new URL(builder.endpoint.address);
    const sockets = new Set<Socket>();
    let sent = 0;
    let cut: { at: number; done: boolean } | undefined;
    let line: Promise<unknown> = Promise.resolve();
    /** Waits until all before it have passed, and as long as this much takes. */
    const pass = (bytes: number): Promise<unknown> => (line = line.then(() => sleep((1_000 * bytes) / bytesPerSecond)));

    const carry = async (near: Socket, far: Socket): Promise<void> => {
        for await (const chunk of near as AsyncIterable<Buffer>) {
            // Small enough that nobody waits long for the turn of others.
            for (let start = 0; start < chunk.length; start += 4_096) {
                const part = chunk.subarray(start, start + 4_096);
                await (bytesPerSecond === Infinity ? undefined : pass(part.length));
                sent += part.length;
                if (cut?.done === false && sent >= cut.at) {
                    cut.done = true;
                    sockets.forEach((socket) => socket.destroy());
                }
                if (!far.write(part)) {
                    await new Promise((resolve) => far.once("drain", resolve).once("close", resolve));
                }
            }
        }
        far.end();
    };
    const server = createServer((near) => {
        const far = connect(Number(port), hostname);
        far.pipe(near);
        for (const socket of [near, far]) {
            sockets.add(socket);
            socket.on("error", () => undefined);
            socket.on("close", () => {
                sockets.delete(socket);
                near.destroy();
                far.destroy();
            });
        }
        // A side that breaks is what this is for.
        carry(near, far).catch(() => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
        sent: () => sent,
        cutAfter: (bytes) => {
            const own = { at: sent + bytes, done: false };
            cut = own;
            return { hasCut: () => own.done };
        },
        stop: async () => {
            sockets.forEach((socket) => socket.destroy());
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
