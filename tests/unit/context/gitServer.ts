import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A repository over HTTP, as far as `git ls-remote` looks at it. */
export interface GitServer {
    /** Its address. */
    readonly remote: string;
    /** `127.0.0.1` with its port. */
    readonly host: string;
    /** The commit that its branch `main` is at. */
    commit: string;
    /** The value of each header Authorization that came, one list per lookup. */
    readonly seen: string[][];
    close(): void;
}

/** Starts a server for one repository, open to those who send this value as the header Authorization. */
export async function startGitServer(authorization?: string): Promise<GitServer> {
    const seen: string[][] = [];
    const server = createServer((request, response) => {
        const given = request.headersDistinct.authorization ?? [];
        if (request.url?.startsWith("/app.git/info/refs")) {
            seen.push(given);
        }
        if (authorization !== undefined && given[0] !== authorization) {
            response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
        } else if (request.url?.startsWith("/app.git/info/refs")) {
            // The "dumb" protocol: https://git-scm.com/docs/http-protocol#_dumb_clients
            response.writeHead(200, { "content-type": "text/plain" }).end(`${answer.commit}\trefs/heads/main\n`);
        } else {
            response.writeHead(404).end();
        }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer: GitServer = {
        remote: `http://${host}/app.git`,
        host,
        commit: "a".repeat(40),
        seen,
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
    return answer;
}
