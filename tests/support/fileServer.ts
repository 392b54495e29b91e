import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

/** Files of a folder over plain HTTP, as a builder on another host reaches them. */
export interface FileServer {
    /** Its address, without a slash at the end. */
    readonly url: string;
    close(): void;
}

/** Serves a folder on an address of this machine. Git clones from it too, where `git update-server-info` was run. */
export async function serveFiles(folder: string, address: string): Promise<FileServer> {
    const server = createServer((request, response) => {
        const path = join(folder, normalize(decodeURI(new URL(request.url ?? "/", "http://localhost").pathname)));
        if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
            response.writeHead(404).end();
            return;
        }
        createReadStream(path).pipe(response.writeHead(200, { "content-length": statSync(path).size }));
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return {
        url: `http://${address}:${(server.address() as AddressInfo).port}`,
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}
