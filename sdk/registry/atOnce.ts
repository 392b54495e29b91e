/**
 * Does the work for all items, some at once. The first failure ends the others by their signal, and is thrown when all
 * have ended.
 */
export async function forEachAtOnce<T>(
    items: readonly T[],
    atOnce: number,
    signal: AbortSignal | undefined,
    work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
    const failed = new AbortController();
    const combined = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
    const waiting = items.values();
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
        // All workers take from the same iterator, so each item is worked on once.
        for (const item of waiting) {
            if (failures.length > 0) {
                return;
            }
            try {
                await work(item, combined);
            } catch (error) {
                failures.push(error);
                failed.abort();
            }
        }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (failures.length > 0) {
        throw failures[0];
    }
}
