import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** What a server answers, read to its end. */
export interface Answer {
    readonly status: number;
    readonly body: string;
    /** Defaults to `text/xml`. */
    readonly type?: string | undefined;
}

/** A server that answers as a function says. */
export interface Answering {
    readonly server: http.Server;
    readonly url: string;
    /** Ends it with its connections. */
    readonly stop: () => Promise<void>;
}

/** Starts a server on a port of its own. What the function throws is answered with 500. */
export async function startAnswering(
    answer: (request: http.IncomingMessage, body: string) => Answer | Promise<Answer>,
    host = "127.0.0.1",
): Promise<Answering> {
    const handle = async (request: http.IncomingMessage): Promise<Answer> => answer(request, await readBody(request));
    const server = http.createServer((request, response) => {
        handle(request).then(
            ({ status, body, type = "text/xml" }) => response.writeHead(status, { "content-type": type }).end(body),
            (error: unknown) => response.writeHead(500).end(String(error)),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return {
        server,
        url: `http://${host}:${(server.address() as AddressInfo).port}`,
        stop: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
}

/** Passes a request on to another server, with a body that was read already. */
export function forward(
    server: string,
    { method, url = "/", headers }: Pick<http.IncomingMessage, "method" | "url" | "headers">,
    body: string,
): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const sent = http.request(new URL(url, server), { method, headers }, (answer) => {
            const { statusCode: status = 500, headers: given } = answer;
            readBody(answer).then((text) => resolve({ status, body: text, type: given["content-type"] }), reject);
        });
        sent.once("error", reject);
        sent.end(body);
    });
}

async function readBody(stream: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
}
