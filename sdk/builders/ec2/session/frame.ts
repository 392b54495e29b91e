import { createHash, randomUUID } from "node:crypto";

/** What goes through a data channel of Session Manager. */
export interface Frame {
    readonly type: FrameType;
    /** Its place among the data of its direction; 0 for what is no data. */
    readonly sequence: number;
    /** A UUID. */
    readonly id: string;
    readonly payloadType: number;
    readonly payload: Buffer;
}

/** Data to the agent is `input_stream_data`, data from it `output_stream_data`; others are about both. */
type FrameType = string;

/** What the payload of a frame with data is. */
export const payloadTypes = {
    output: 1,
    handshakeRequest: 5,
    handshakeResponse: 6,
    handshakeComplete: 7,
    flag: 10,
} as const;

/** The flag that ends the session on the agent's side. */
export const terminateFlag = 2;

// The layout is that of the agent: a header whose length comes first, the length of the payload, the payload. Numbers are
// big-endian. https://github.com/aws/amazon-ssm-agent/blob/3.3.0.0/agent/session/contracts/agentmessage.go
const at = { type: 4, schema: 36, created: 40, sequence: 48, flags: 56, id: 64, digest: 80, kind: 112, length: 116 };
const typeLength = 32;
const headerLength = 120;
// First and last of its kind, as an acknowledgement is. Nothing is decided by it.
const acknowledgeFlags = 3n;

/** Writes a frame. */
export function encodeFrame({ type, sequence, id, payloadType, payload }: Frame): Buffer {
    const bytes = Buffer.alloc(headerLength + payload.length);
    bytes.writeUInt32BE(at.length, 0);
    bytes.fill(" ", at.type, at.type + typeLength);
    bytes.write(type, at.type, typeLength, "utf8");
    bytes.writeUInt32BE(1, at.schema);
    bytes.writeBigUInt64BE(BigInt(Date.now()), at.created);
    bytes.writeBigInt64BE(BigInt(sequence), at.sequence);
    bytes.writeBigUInt64BE(type === "acknowledge" ? acknowledgeFlags : 0n, at.flags);
    swapHalves(Buffer.from(id.replaceAll("-", ""), "hex")).copy(bytes, at.id);
    createHash("sha256").update(payload).digest().copy(bytes, at.digest);
    bytes.writeUInt32BE(payloadType, at.kind);
    bytes.writeUInt32BE(payload.length, at.length);
    payload.copy(bytes, headerLength);
    return bytes;
}

/** Reads a frame. Throws a RangeError for what is none. */
export function decodeFrame(bytes: Buffer): Frame {
    const start = bytes.readUInt32BE(0) + 4;
    if (start < headerLength - 4 || start > bytes.length) {
        throw new RangeError(`a frame of ${bytes.length} bytes cannot have a header of ${start}`);
    }
    const hex = swapHalves(bytes.subarray(at.id, at.id + 16)).toString("hex");
    return {
        type: bytes.toString("utf8", at.type, at.type + typeLength).replace(/[\0 ]+$/, ""),
        sequence: Number(bytes.readBigInt64BE(at.sequence)),
        id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
        payloadType: bytes.readUInt32BE(at.kind),
        payload: bytes.subarray(start),
    };
}

/** The frame that says that another one has come. */
export function acknowledge({ type, id, sequence }: Frame): Frame {
    const content = {
        AcknowledgedMessageType: type,
        AcknowledgedMessageId: id,
        AcknowledgedMessageSequenceNumber: sequence,
        IsSequentialMessage: true,
    };
    return newFrame("acknowledge", 0, 0, JSON.stringify(content));
}

/** A frame with an id of its own. */
export function newFrame(type: FrameType, sequence: number, payloadType: number, payload: string | Buffer): Frame {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    return { type, sequence, id: randomUUID(), payloadType, payload: bytes };
}

/** The agent keeps the second half of an id first. */
function swapHalves(id: Buffer): Buffer {
    return Buffer.concat([id.subarray(8), id.subarray(0, 8)]);
}
