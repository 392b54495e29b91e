import { MultiArchError } from "../errors";

/** Waits for work that cannot be ended, as long as the user does. Throws a MultiArchError `build-cancelled`. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const cancelled = (): MultiArchError => new MultiArchError("build-cancelled", { what: "signing was cancelled" });
    if (signal.aborted) {
        work.catch(() => undefined);
        throw cancelled();
    }
    let stop: (() => void) | undefined;
    try {
        const aborted = new Promise<never>((_resolve, reject) => {
            stop = () => reject(cancelled());
            signal.addEventListener("abort", stop, { once: true });
        });
        return await Promise.race([work, aborted]);
    } finally {
        if (stop !== undefined) {
            signal.removeEventListener("abort", stop);
        }
    }
}
