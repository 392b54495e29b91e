import { once } from "node:events";
import { open } from "node:fs/promises";
import * as net from "node:net";
import * as path from "node:path";
import { openPipe, type Pipe } from "../build/exec";
import { buildxEnvironment } from "../build/environment";
import { withPrivateFolder } from "../build/privateFolder";
import type { UnixAddress } from "./node";
import type { ProgramCommand } from "./programCommand";

/** A way to a builder through a program. */
export interface Relay {
    /** Opens a connection of its own. */
    readonly open: () => Pipe;
    /** A socket that only this user can reach: each connection to it is one to the builder. */
    readonly address: UnixAddress;
}

// A path of a socket holds 107 bytes and a zero on Linux, see unix(7); a few less elsewhere.
const longestPath = 103;

/** A path for a socket in a folder. Where it is too long for one, Linux has a short one for a folder that is open. */
async function placeSocket(folder: string): Promise<{ path: string; release: () => Promise<void> }> {
    const plain = path.join(folder, "s");
    if (Buffer.byteLength(plain) <= longestPath || process.platform !== "linux") {
        return { path: plain, release: () => Promise.resolve() };
    }
    const handle = await open(folder);
    return { path: `/proc/self/fd/${handle.fd}/s`, release: () => handle.close() };
}

/** Reaches a builder through a program, for as long as the work takes. All that was started ends with it. */
export async function withRelay<T>(
    { file, args }: ProgramCommand,
    signal: AbortSignal,
    work: (relay: Relay) => Promise<T>,
): Promise<T> {
    return withPrivateFolder(async (folder) => {
        const env = buildxEnvironment(process.env, {
            dockerConfig: await folder.folder("docker"),
            buildxConfig: await folder.folder("buildx"),
            temporary: await folder.folder("tmp"),
        });
        const pipes = new Set<Pipe>();
        const openOne = (): Pipe => {
            const pipe = openPipe({ file, args, env, signal, killAfterMs: 500 });
            pipes.add(pipe);
            return pipe;
        };
        const server = net.createServer((socket) => {
            const { stream } = openOne();
            socket.on("error", () => stream.destroy());
            socket.on("close", () => stream.destroy());
            stream.on("close", () => socket.destroy());
            socket.pipe(stream).pipe(socket);
        });
        const socket = await placeSocket(folder.path);
        server.listen(socket.path);
        await once(server, "listening");
        try {
            return await work({ open: openOne, address: { scheme: "unix", path: socket.path } });
        } finally {
            server.close();
            pipes.forEach(({ stream }) => stream.destroy());
            await Promise.allSettled([...pipes].map(({ ended }) => ended));
            await socket.release();
        }
    });
}
