import { randomUUID } from "node:crypto";
import { Duplex } from "node:stream";
import { ping, WebSocket } from "undici";

import { createDelivery } from "./delivery";
import { decodeFrame, encodeFrame, payloadTypes, terminateFlag, type Frame } from "./frame";

/** Where the data of a session goes, and what lets in there. */
export interface SessionTicket {
    readonly sessionId: string;
    readonly streamUrl: string;
    /** A secret: who has it has the connection. */
    readonly token: string;
}

/** The connection to a port of an instance. */
export interface SessionChannel {
    /** What is written goes to the port, what it says is read. Both directions end together. */
    readonly stream: Duplex;
    /** Done when data may be written. Fails with what the agent says, for example that nothing listens. */
    readonly ready: Promise<unknown>;
}

// What the agent sends itself: https://github.com/aws/amazon-ssm-agent/blob/3.3.0.0/agent/session/config/config.go
const pieceBytes = 1_024;
const pingEveryMs = 60_000;
// That of the client of AWS whose protocol this is: the agent goes by it for what it may ask.
const clientVersion = "1.2.764.0";

/**
 * Opens the data channel of a session of the type `Port`.
 *
 * AWS has a program for it, session-manager-plugin, whose data channel is the model of this. It is not used: it turns a
 * piece that is one line feed into a carriage return, which breaks TLS now and then, it waits a millisecond after each
 * kilobyte, and it would have to be installed.
 */
export function openChannel({ streamUrl, token }: SessionTicket): SessionChannel {
    const socket = new WebSocket(streamUrl);
    socket.binaryType = "arraybuffer";
    const opening = Promise.withResolvers<undefined>();
    opening.promise.catch(() => undefined);
    const delivery = createDelivery({
        send: (frame) => {
            if (socket.readyState === WebSocket.OPEN) {
                socket.send(encodeFrame(frame));
            }
        },
        onLost: (error) => stream.destroy(error),
    });
    const pings = setInterval(() => socket.readyState === WebSocket.OPEN && ping(socket), pingEveryMs);

    const stream = new Duplex({
        // What comes is kept until it is read: the agent takes no hint to be slower.
        read: () => undefined,
        write: (chunk: Buffer, _encoding, done) => {
            const pieces = Array.from({ length: Math.ceil(chunk.length / pieceBytes) }, (_, index) => {
                return chunk.subarray(index * pieceBytes, (index + 1) * pieceBytes);
            });
            delivery.queue(pieces, done);
        },
        // One direction cannot end alone.
        final: (done) => {
            done();
            stream.destroy();
        },
        destroy: (error, done) => {
            clearInterval(pings);
            opening.reject(error ?? new Error("the session was ended"));
            const flag = Buffer.alloc(4);
            flag.writeUInt32BE(terminateFlag);
            delivery.sendNow(payloadTypes.flag, flag);
            delivery.stop();
            socket.close();
            done(error);
        },
    });

    const use = (frame: Frame): void => {
        switch (frame.payloadType) {
            case payloadTypes.handshakeRequest:
                delivery.sendNow(payloadTypes.handshakeResponse, answerHandshake(readJson(frame)));
                break;
            case payloadTypes.handshakeComplete:
                opening.resolve(undefined);
                break;
            case payloadTypes.output:
                stream.push(frame.payload);
                break;
        }
    };
    const take = (frame: Frame): void => {
        if (frame.type === "output_stream_data") {
            delivery.receive(frame).forEach(use);
        } else if (frame.type === "acknowledge") {
            delivery.confirm(Number(readJson(frame)["AcknowledgedMessageSequenceNumber"]));
        } else if (frame.type === "channel_closed") {
            const said = readJson(frame)["Output"];
            stream.destroy(new Error(typeof said === "string" && said !== "" ? said : "the session was ended there"));
        }
    };
    socket.addEventListener("open", () => {
        const ids = { RequestId: randomUUID(), ClientId: randomUUID() };
        const input = { MessageSchemaVersion: "1.0", ...ids, TokenValue: token, ClientVersion: clientVersion };
        socket.send(JSON.stringify(input));
    });
    socket.addEventListener("message", ({ data }) => {
        try {
            take(decodeFrame(Buffer.from(data as ArrayBuffer)));
        } catch (error) {
            stream.destroy(error as Error);
        }
    });
    socket.addEventListener("error", ({ message }) => stream.destroy(new Error(message)));
    socket.addEventListener("close", () => stream.destroy(new Error("the data channel was closed")));
    return { stream, ready: opening.promise };
}

function readJson({ payload }: Frame): Record<string, unknown> {
    return JSON.parse(payload.toString("utf8")) as Record<string, unknown>;
}

/** The agent tells the type of the session. It may ask for encryption beside TLS, which sessions to ports do not have. */
function answerHandshake({ RequestedClientActions: asked }: Record<string, unknown>): string {
    const actions = (Array.isArray(asked) ? asked : []) as { ActionType?: string }[];
    const ProcessedClientActions = actions.map(({ ActionType = "" }) => {
        const isKnown = ActionType === "SessionType";
        return { ActionType, ActionStatus: isKnown ? 1 : 3, Error: isKnown ? "" : `Unsupported action ${ActionType}` };
    });
    return JSON.stringify({ ClientVersion: clientVersion, ProcessedClientActions, Errors: [] });
}
