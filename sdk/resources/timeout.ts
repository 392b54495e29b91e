import { MultiArchError } from "../errors";
import type { OperationContext } from "./lifecycle";

/** What a timer can wait; more means no limit. */
const longestMs = 2_147_483_647;

/**
 * Runs an operation for as long as the program allows (`customTimeouts`). After that its signal ends it, and it throws a
 * MultiArchError `registry-timeout`.
 */
export async function withinTimeout<Result>(
    context: OperationContext,
    run: (context: OperationContext) => Promise<Result>,
): Promise<Result> {
    const { timeoutMs = Infinity, signal } = context;
    if (timeoutMs > longestMs) {
        return run(context);
    }
    const limit = AbortSignal.timeout(Math.max(1, Math.round(timeoutMs)));
    try {
        return await run({ ...context, signal: AbortSignal.any([signal, limit]) });
    } catch (error) {
        const isCancelled = error instanceof MultiArchError && error.code === "build-cancelled";
        if (isCancelled && limit.aborted && !signal.aborted) {
            const what = `not done within the ${timeoutMs / 1_000} s of customTimeouts: ${error.fields.what}`;
            throw new MultiArchError("registry-timeout", { what, cause: error });
        }
        throw error;
    }
}
