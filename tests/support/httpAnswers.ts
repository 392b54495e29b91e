import * as http from "node:http";

/** What a server has answered, read to its end. */
export interface Answer {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
}

/** Passes a request on to another server, with a body that was read already. */
export function forward(
    server: string,
    { method, url = "/", headers }: Pick<http.IncomingMessage, "method" | "url" | "headers">,
    body: string,
): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const sent = http.request(new URL(url, server), { method, headers }, (answer) => {
            readBody(answer).then(
                (text) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: text }),
                reject,
            );
        });
        sent.once("error", reject);
        sent.end(body);
    });
}

/** Reads a body to its end. */
export async function readBody(stream: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
}
