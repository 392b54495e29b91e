import { acknowledge, newFrame, payloadTypes, type Frame } from "./frame";

/** Sees to it that data comes through a data channel once and in order, in both directions. */
export interface Delivery {
    /** From now on data may be sent: before, the agent takes it and forgets it. */
    open(): void;
    /** Sends pieces of data, not more of them at once than the other side keeps up with. `done` when all have left. */
    queue(pieces: readonly Buffer[], done: () => void): void;
    /** Sends what is no data of the connection, at once. */
    sendNow(payloadType: number, payload: string | Buffer): void;
    /** One was acknowledged. */
    confirm(sequence: number): void;
    /** Takes a frame with data, and gives those whose turn it is now. */
    receive(frame: Frame): Frame[];
    /** Waits until all that was sent is acknowledged, for so many milliseconds at most. */
    settle(ms: number): Promise<void>;
    stop(): void;
}

/** What it sends by, and whom it tells. */
export interface DeliveryOptions {
    readonly send: (frame: Frame) => void;
    /** Called once: the port has taken the first data. */
    readonly onConnected: () => void;
    /** Called when nothing is acknowledged. */
    readonly onLost: (reason: string) => void;
}

// The agent acknowledges a piece when it has handed it on, so this is what is under way at once.
const mostUnderWay = 64;
const lookMs = 100;
// An agent that has no connection yet does not acknowledge data, so this is not only for what gets lost.
const resendAfterMs = 300;
const giveUpAfterMs = 60_000;
// The agent has the port on its own machine. Where nobody listens it ends without a word, and is missed a minute later.
const connectMs = 5_000;

interface Sent {
    readonly frame: Frame;
    readonly first: number;
    last: number;
}

/** Begins at the first piece of both directions. */
export function createDelivery({ send, onConnected, onLost }: DeliveryOptions): Delivery {
    const sent = new Map<number, Sent>();
    const early = new Map<number, Frame>();
    let waiting: Buffer[] = [];
    let onLeft: (() => void) | undefined;
    let onSettled: (() => void) | undefined;
    let isOpen = false;
    let firstData: number | undefined;
    let next = 0;
    let expected = 0;

    const sendNow = (payloadType: number, payload: string | Buffer): void => {
        const frame = newFrame("input_stream_data", next, payloadType, payload);
        const now = performance.now();
        firstData ??= payloadType === payloadTypes.output ? next : undefined;
        sent.set(next, { frame, first: now, last: now });
        next += 1;
        send(frame);
    };
    const sendWaiting = (): void => {
        const count = isOpen ? Math.max(0, mostUnderWay - sent.size) : 0;
        const turn = waiting.slice(0, count);
        waiting = waiting.slice(count);
        turn.forEach((piece) => sendNow(payloadTypes.output, piece));
        if (isOpen && waiting.length === 0) {
            const done = onLeft;
            onLeft = undefined;
            done?.();
        }
    };
    const look = setInterval(() => {
        const [oldest] = sent.values();
        const now = performance.now();
        if (oldest === undefined) {
            return;
        }
        if (oldest.frame.sequence === firstData && now - oldest.first > connectMs) {
            onLost("nothing takes data on the port");
        } else if (now - oldest.first > giveUpAfterMs) {
            onLost(`nothing was acknowledged for ${giveUpAfterMs / 1_000} s`);
        } else if (now - oldest.last > resendAfterMs) {
            oldest.last = now;
            send(oldest.frame);
        }
    }, lookMs);

    return {
        sendNow,
        open: () => {
            isOpen = true;
            sendWaiting();
        },
        queue: (pieces, done) => {
            waiting.push(...pieces);
            onLeft = done;
            sendWaiting();
        },
        confirm: (sequence) => {
            // What is ahead of its turn is acknowledged too, also where nobody takes it: only the first says something.
            if (sent.delete(sequence) && sequence === firstData) {
                onConnected();
            }
            sendWaiting();
            if (sent.size === 0) {
                onSettled?.();
            }
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
        settle: (ms) => {
            // Nothing goes out behind what ends it.
            isOpen = false;
            return new Promise((resolve) => {
                onSettled = resolve;
                setTimeout(resolve, sent.size === 0 ? 0 : ms).unref();
            });
        },
        stop: () => clearInterval(look),
    };
}
