import { acknowledge, newFrame, payloadTypes, type Frame } from "./frame";

/** Sees to it that data comes through a data channel once and in order, in both directions. */
export interface Delivery {
    /** Sends pieces of data, not more of them at once than the other side keeps up with. `done` when all have left. */
    queue(pieces: readonly Buffer[], done: () => void): void;
    /** Sends one at once. */
    sendNow(payloadType: number, payload: string | Buffer): void;
    /** One was acknowledged. */
    confirm(sequence: number): void;
    /** Takes a frame with data, and gives those whose turn it is now. */
    receive(frame: Frame): Frame[];
    stop(): void;
}

/** What it sends by, and tells of its end. */
export interface DeliveryOptions {
    readonly send: (frame: Frame) => void;
    /** Called when nothing is acknowledged any more. */
    readonly onLost: (error: Error) => void;
}

// The agent acknowledges a piece when it has handed it on, so this is what is under way at once.
const mostUnderWay = 64;
const lookMs = 100;
// The agent forgets what comes before it has a connection of its own, so this is not only for what gets lost.
const resendAfterMs = 300;
const giveUpAfterMs = 60_000;

interface Sent {
    readonly frame: Frame;
    readonly first: number;
    last: number;
}

/** Begins at the first piece of both directions. */
export function createDelivery({ send, onLost }: DeliveryOptions): Delivery {
    const sent = new Map<number, Sent>();
    const early = new Map<number, Frame>();
    let waiting: Buffer[] = [];
    let onLeft: (() => void) | undefined;
    let next = 0;
    let expected = 0;

    const sendNow = (payloadType: number, payload: string | Buffer): void => {
        const frame = newFrame("input_stream_data", next, payloadType, payload);
        const now = performance.now();
        sent.set(next, { frame, first: now, last: now });
        next += 1;
        send(frame);
    };
    const sendWaiting = (): void => {
        const count = Math.max(0, mostUnderWay - sent.size);
        const turn = waiting.slice(0, count);
        waiting = waiting.slice(count);
        turn.forEach((piece) => sendNow(payloadTypes.output, piece));
        if (waiting.length === 0) {
            const done = onLeft;
            onLeft = undefined;
            done?.();
        }
    };
    const look = setInterval(() => {
        const [oldest] = sent.values();
        const now = performance.now();
        if (oldest !== undefined && now - oldest.first > giveUpAfterMs) {
            onLost(new Error(`nothing was acknowledged for ${giveUpAfterMs / 1_000} s`));
        } else if (oldest !== undefined && now - oldest.last > resendAfterMs) {
            oldest.last = now;
            send(oldest.frame);
        }
    }, lookMs);

    return {
        sendNow,
        queue: (pieces, done) => {
            waiting.push(...pieces);
            onLeft = done;
            sendWaiting();
        },
        confirm: (sequence) => {
            sent.delete(sequence);
            sendWaiting();
        },
        receive: (frame) => {
            send(acknowledge(frame));
            if (frame.sequence >= expected) {
                early.set(frame.sequence, frame);
            }
            const turn: Frame[] = [];
            for (let found = early.get(expected); found !== undefined; found = early.get(expected)) {
                early.delete(expected);
                expected += 1;
                turn.push(found);
            }
            return turn;
        },
        stop: () => clearInterval(look),
    };
}
