/**
 * Lets calls with an equal key that overlap share one run of the work. Nothing is remembered once it has ended. Each
 * caller can leave through its own signal; the work is aborted when the last one has left.
 */
export function shareInFlight<T>(): (
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
) => Promise<T> {
    const running = new Map<string, { result: Promise<T>; callers: number; stop: AbortController }>();
    return async (key, signal, work) => {
        let run = running.get(key);
        if (!run) {
            const stop = new AbortController();
            const result = work(stop.signal).finally(() => {
                if (running.get(key)?.stop === stop) {
                    running.delete(key);
                }
            });
            run = { result, callers: 0, stop };
            running.set(key, run);
        }
        const { result, stop } = run;
        run.callers++;
        try {
            return await untilAborted(result, signal);
        } finally {
            run.callers--;
            if (run.callers === 0) {
                // Who comes now must not join work that is being stopped.
                if (running.get(key) === run) {
                    running.delete(key);
                }
                stop.abort(signal?.reason);
            }
        }
    };
}

async function untilAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) {
        return result;
    }
    let leave = (): void => undefined;
    const left = new Promise<never>((_, reject) => {
        leave = () => {
            reject(signal.reason as Error);
        };
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
        return await Promise.race([result, left]);
    } finally {
        signal.removeEventListener("abort", leave);
        // Somebody else may be the last one to wait for it.
        result.catch(() => undefined);
    }
}
