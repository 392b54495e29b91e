import * as net from "node:net";
import type { WebSocket } from "ws";

import {
    acknowledge,
    decodeFrame,
    encodeFrame,
    newFrame,
    payloadTypes,
    terminateFlag,
    type Frame,
} from "../../sdk/builders/ec2/session/frame";

/** Where the agent connects to, and how good the way there is. */
export interface AgentOptions {
    readonly host: string;
    readonly port: number;
    /** The secret that the other side has to show. */
    readonly token: string;
    /** Frames get lost, come twice and in another order. Defaults to false. */
    readonly isFaulty?: boolean | undefined;
    /** It does not begin. Defaults to false. */
    readonly isMute?: boolean | undefined;
}

const agentVersion = "3.3.0.0";
const resendMs = 200;

/**
 * The SSM agent's side of a data channel, in a session that connects with a port. It follows the agent's own source:
 * what comes before the handshake is over is acknowledged and dropped, what comes before the port is connected is not
 * acknowledged, and what is ahead of its turn is kept.
 * https://github.com/aws/amazon-ssm-agent/blob/3.3.0.0/agent/session/datachannel/datachannel.go
 */
export function serveSession(
    socket: WebSocket,
    { host, port, token, isFaulty = false, isMute = false }: AgentOptions,
): void {
    const unacknowledged = new Map<number, Frame>();
    const early = new Map<number, Frame>();
    let expected = 0;
    let next = 0;
    let hasHandshake = false;
    let connection: net.Socket | undefined;
    let isConnected = false;
    let received = 0;

    const put = (frame: Frame): void => socket.send(encodeFrame(frame));
    const send = (payloadType: number, payload: string | Buffer): void => {
        const frame = newFrame("output_stream_data", next, payloadType, payload);
        next += 1;
        unacknowledged.set(frame.sequence, frame);
        if (isFaulty && frame.sequence % 13 === 12) {
            return;
        }
        if (isFaulty && frame.sequence % 5 === 4) {
            setTimeout(() => put(frame), 5);
            return;
        }
        put(frame);
        if (isFaulty && frame.sequence % 11 === 10) {
            put(frame);
        }
    };
    const resend = setInterval(() => {
        const [oldest] = unacknowledged.values();
        if (oldest !== undefined && socket.readyState === socket.OPEN) {
            put(oldest);
        }
    }, resendMs);
    const end = (said: string): void => {
        const content = JSON.stringify({ MessageType: "channel_closed", SchemaVersion: 1, Output: said });
        put(newFrame("channel_closed", 0, 0, content));
        socket.close();
    };
    const connect = (): void => {
        const opened = net.connect(port, host);
        connection = opened;
        opened.once("connect", () => (isConnected = true));
        opened.on("data", (chunk: Buffer) => {
            for (let start = 0; start < chunk.length; start += 1_024) {
                send(payloadTypes.output, chunk.subarray(start, start + 1_024));
            }
        });
        // Where nobody listens the agent's session crashes without a word, and is missed a minute later.
        opened.once("error", () => undefined);
        opened.once("end", () => end(""));
    };
    /** False where the agent is not ready for it. */
    const use = ({ payloadType, payload }: Frame): boolean => {
        if (payloadType === payloadTypes.handshakeResponse) {
            send(payloadTypes.handshakeComplete, JSON.stringify({ HandshakeTimeToComplete: 1, CustomerMessage: "" }));
            hasHandshake = true;
            connect();
        } else if (payloadType === payloadTypes.flag && payload.readUInt32BE(0) === terminateFlag) {
            socket.close();
        } else if (hasHandshake && payloadType === payloadTypes.output) {
            if (!isConnected) {
                return false;
            }
            connection?.write(payload);
        }
        return true;
    };
    const take = (frame: Frame): void => {
        if (frame.type === "acknowledge") {
            const { AcknowledgedMessageSequenceNumber: sequence } = JSON.parse(String(frame.payload)) as {
                AcknowledgedMessageSequenceNumber: number;
            };
            unacknowledged.delete(sequence);
            return;
        }
        received += 1;
        if ((isFaulty && received % 7 === 6) || (frame.sequence === expected && !use(frame))) {
            return;
        }
        put(acknowledge(frame));
        if (frame.sequence > expected) {
            early.set(frame.sequence, frame);
        }
        expected += frame.sequence === expected ? 1 : 0;
        for (let found = early.get(expected); found !== undefined; found = early.get(expected)) {
            early.delete(expected);
            expected += 1;
            use(found);
        }
    };

    socket.on("message", (data, isBinary) => {
        const bytes = data as Buffer;
        if (isBinary) {
            take(decodeFrame(bytes));
            return;
        }
        const { TokenValue } = JSON.parse(bytes.toString()) as { TokenValue: string };
        if (TokenValue !== token) {
            socket.close(1008, "not the token");
            return;
        }
        if (isMute) {
            return;
        }
        const ActionParameters = { SessionType: "Port", Properties: { portNumber: String(port) } };
        const RequestedClientActions = [{ ActionType: "SessionType", ActionParameters }];
        send(payloadTypes.handshakeRequest, JSON.stringify({ AgentVersion: agentVersion, RequestedClientActions }));
    });
    socket.on("close", () => {
        clearInterval(resend);
        connection?.destroy();
    });
}
