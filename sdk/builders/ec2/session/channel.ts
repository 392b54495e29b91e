import { randomUUID } from "node:crypto";
import { Duplex } from "node:stream";
import type { RawData } from "ws";

import { createDelivery } from "./delivery";
import { decodeFrame, encodeFrame, payloadTypes, terminateFlag, type Frame } from "./frame";

/** Where the data of a session goes, and what lets in there. */
export interface SessionTicket {
    readonly streamUrl: string;
    /** What the request is signed with. Secrets, as the token is. */
    readonly headers: Readonly<Record<string, string>>;
    /** Who has it has the connection. */
    readonly token: string;
}

/** The connection to a port of an instance. */
export interface SessionChannel {
    /** What is written goes to the port, what it says is read. Fails when the session breaks; a normal end is its end. */
    readonly stream: Duplex;
    /** Done when the port has taken data. Fails with the reason when it does not. */
    readonly ready: Promise<unknown>;
}

// What the agent sends itself: https://github.com/aws/amazon-ssm-agent/blob/3.3.0.0/agent/session/config/config.go
const pieceBytes = 1_024;
const pingEveryMs = 30_000;
// With the answer of the API together less than a check may take.
const handshakeMs = 10_000;
// How long the end may take, on this side.
const flagMs = 1_000;
const closeMs = 2_000;
// That of the client of AWS whose protocol this is: the agent goes by it for what it may ask.
const clientVersion = "1.2.764.0";

/**
 * Opens the data channel of a session of the type `Port`.
 *
 * AWS has a program for it, session-manager-plugin, whose data channel is the model of this. It is not used: it turns a
 * piece that is one line feed into a carriage return, which breaks TLS now and then, it waits a millisecond after each
 * kilobyte, and it would have to be installed. What breaks is not taken up again, which that program does: a build is
 * tried again.
 */
export async function openChannel({ streamUrl, headers, token }: SessionTicket): Promise<SessionChannel> {
    // Every start of the plugin loads this file, and few have sessions.
    const { WebSocket } = await import("ws");
    const socket = new WebSocket(streamUrl, { headers, handshakeTimeout: handshakeMs, perMessageDeflate: false });
    const opening = Promise.withResolvers<undefined>();
    opening.promise.catch(() => undefined);
    const isUp = (): boolean => socket.readyState === WebSocket.OPEN;
    const delivery = createDelivery({
        send: (frame) => (isUp() ? socket.send(encodeFrame(frame)) : undefined),
        onConnected: () => opening.resolve(undefined),
        onLost: (reason) => stream.destroy(new Error(reason)),
    });
    let isHeard = true;
    let isOver = false;
    const pings = setInterval(() => {
        // A connection that was dropped on the way ends by itself only after a quarter of an hour.
        if (isUp() && !isHeard) {
            stream.destroy(new Error("the data channel does not answer any more"));
        } else if (isUp()) {
            isHeard = false;
            socket.ping();
        }
    }, pingEveryMs);
    const limit = setTimeout(() => {
        stream.destroy(new Error(`its SSM agent did not take up the session within ${handshakeMs / 1_000} s`));
    }, handshakeMs);

    const stopTimers = (): void => {
        clearInterval(pings);
        clearTimeout(limit);
    };
    /** Tells the agent that it is over, for an agent that is not told keeps the port connected. */
    const hangUp = async (): Promise<void> => {
        stopTimers();
        if (isUp()) {
            const flag = Buffer.alloc(4);
            flag.writeUInt32BE(terminateFlag);
            delivery.sendNow(payloadTypes.flag, flag);
            await delivery.settle(flagMs);
            socket.close();
            setTimeout(() => socket.terminate(), closeMs).unref();
        } else {
            socket.terminate();
        }
        delivery.stop();
    };
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
            stream.push(null);
            done();
        },
        destroy: (error, done) => {
            opening.reject(error ?? new Error("the session was ended"));
            void hangUp();
            done(error);
        },
    });

    const use = (frame: Frame): void => {
        switch (frame.payloadType) {
            case payloadTypes.handshakeRequest:
                delivery.sendNow(payloadTypes.handshakeResponse, answerHandshake(readJson(frame)));
                break;
            case payloadTypes.handshakeComplete:
                clearTimeout(limit);
                delivery.open();
                break;
            case payloadTypes.output:
                stream.push(frame.payload);
                break;
        }
    };
    const take = (frame: Frame): void => {
        if (frame.type === "acknowledge") {
            delivery.confirm(Number(readJson(frame)["AcknowledgedMessageSequenceNumber"]));
        } else if (stream.destroyed || isOver) {
            return;
        } else if (frame.type === "output_stream_data") {
            delivery.receive(frame).forEach(use);
        } else if (frame.type === "channel_closed") {
            const said = readJson(frame)["Output"];
            if (typeof said === "string" && said !== "") {
                stream.destroy(new Error(said));
            } else {
                // What was said before may not be read yet: the end of the data channel is none of it.
                isOver = true;
                stopTimers();
                delivery.stop();
                stream.push(null);
            }
        }
    };
    socket.on("open", () => {
        const ids = { RequestId: randomUUID(), ClientId: randomUUID() };
        const input = { MessageSchemaVersion: "1.0", ...ids, TokenValue: token, ClientVersion: clientVersion };
        socket.send(JSON.stringify(input));
    });
    socket.on("pong", () => {
        isHeard = true;
    });
    socket.on("message", (data: RawData) => {
        isHeard = true;
        try {
            take(decodeFrame(data as Buffer));
        } catch (error) {
            stream.destroy(error as Error);
        }
    });
    socket.on("error", (error) => stream.destroy(error));
    socket.on("close", () => {
        if (!isOver) {
            stream.destroy(new Error("the data channel was closed"));
        }
    });
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
