import type { Duplex } from "node:stream";

// The first bytes of a client that speaks HTTP/2, with empty settings. https://www.rfc-editor.org/rfc/rfc9113#section-3.4
const preface = Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const settingsFrame = 4;
const tlsAlertRecord = 21;

/** What a server says to the first bytes of HTTP/2. */
export type Greeting =
    /** It speaks HTTP/2. */
    | "http2"
    /** It wants TLS first. */
    | "tls"
    /** It speaks, but something else. */
    | "other"
    /** It closed the connection without a word. */
    | "closed";

/**
 * Says hello as an HTTP/2 client and looks at the first bytes that come back. A server that refuses a client
 * certificate does so here: with TLS 1.3 the client's side of the handshake is done before the server has checked it.
 * Throws the error of the connection.
 */
export async function greet(socket: Duplex): Promise<Greeting> {
    return new Promise<Greeting>((resolve, reject) => {
        socket.once("data", (chunk: Buffer) => {
            resolve(readGreeting(chunk));
        });
        socket.once("end", () => {
            resolve("closed");
        });
        socket.once("close", () => {
            resolve("closed");
        });
        socket.once("error", reject);
        socket.write(preface);
    });
}

/** Tells the protocol from the first bytes of an answer. */
export function readGreeting(bytes: Uint8Array): Greeting {
    if (bytes.length >= 4 && bytes[0] === 0 && bytes[3] === settingsFrame) {
        return "http2";
    }
    return bytes[0] === tlsAlertRecord && bytes[1] === 3 ? "tls" : "other";
}
