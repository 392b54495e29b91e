import { request } from "node:http";

const timeoutMs = 3_000;
const linesAsked = 30;

/**
 * The end of a container's log, from a daemon on a socket of this machine. Undefined where it cannot be read. buildx
 * writes it too, but mixes its lines up; and a docker command need not be here.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerLogs
 */
export async function readContainerLog(socketPath: string, container: string): Promise<string[] | undefined> {
    const path = `/containers/${encodeURIComponent(container)}/logs?stdout=1&stderr=1&tail=${linesAsked}`;
    const body = await new Promise<Buffer | undefined>((resolve) => {
        const call = request({ socketPath, path, timeout: timeoutMs }, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => {
                resolve(response.statusCode === 200 ? Buffer.concat(chunks) : undefined);
            });
        });
        call.on("timeout", () => call.destroy());
        call.on("error", () => {
            resolve(undefined);
        });
        call.end();
    });
    return body && splitFrames(body).join("").split("\n").filter(Boolean);
}

/** Each piece of output has eight bytes before it: the stream, three zeros, and its length. */
export function splitFrames(body: Buffer): string[] {
    const texts: string[] = [];
    for (let start = 0; start + 8 <= body.length;) {
        const end = start + 8 + body.readUInt32BE(start + 4);
        texts.push(body.toString("utf8", start + 8, end));
        start = end;
    }
    return texts;
}
