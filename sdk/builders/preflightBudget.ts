import { MultiArchError, type ErrorCode, type ErrorFields } from "../errors";
import { describeNode, type BuilderNode } from "./node";

/** What a check looks at, in this order; a builder that only other programs reach has fewer of them. */
export type StageName = "settings" | "name" | "port" | "tls" | "program" | "buildx" | "buildkit" | "platform" | "disk";

/** One stage of a check that has ended. */
export interface Stage {
    readonly name: StageName;
    readonly milliseconds: number;
    /** What was found, for people. Empty when there is nothing to tell. */
    readonly detail: string;
    /** What is wrong. Then no stage follows. */
    readonly error?: unknown;
}

/** The time a check may take, and the wish of the user to stop it. */
export interface Budget {
    /** All the time there was, in milliseconds. */
    readonly timeoutMs: number;
    /** Aborted when the time is up or the user cancels. */
    readonly signal: AbortSignal;
    /** True when the user cancelled. */
    readonly isCancelled: () => boolean;
    /** The milliseconds that are left. */
    readonly left: () => number;
    /** Is told of each stage. */
    readonly onStage: (stage: Stage) => void;
}

/** Starts the clock. */
export function startBudget(
    timeoutMs: number,
    cancel?: AbortSignal,
    onStage: (stage: Stage) => void = () => undefined,
): Budget {
    const end = Date.now() + timeoutMs;
    const timer = AbortSignal.timeout(timeoutMs);
    return {
        timeoutMs,
        signal: cancel ? AbortSignal.any([timer, cancel]) : timer,
        isCancelled: () => cancel?.aborted ?? false,
        left: () => Math.max(1, end - Date.now()),
        onStage,
    };
}

/** Does the work of a stage, and tells how it went. */
export async function inStage<T>(
    { onStage }: Budget,
    name: StageName,
    work: () => T | Promise<T>,
    describe: (value: T) => string = () => "",
): Promise<T> {
    const begun = performance.now();
    const elapsed = (): number => performance.now() - begun;
    try {
        const value = await work();
        onStage({ name, milliseconds: elapsed(), detail: describe(value) });
        return value;
    } catch (error) {
        onStage({ name, milliseconds: elapsed(), detail: "", error });
        throw error;
    }
}

/**
 * Waits for one stage of a check. When the time is up first, throws what `onTimeout` gives; when the user cancels, a
 * MultiArchError `build-cancelled`. What the stage holds open is for `work` to close, by listening to the signal.
 */
export async function runStage<T>(budget: Budget, work: Promise<T>, onTimeout: () => MultiArchError): Promise<T> {
    let stop: () => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => {
        stop = () => {
            reject(budget.isCancelled() ? cancelledCheck() : onTimeout());
        };
        if (budget.signal.aborted) {
            stop();
        } else {
            budget.signal.addEventListener("abort", stop, { once: true });
        }
    });
    try {
        return await Promise.race([work, stopped]);
    } finally {
        budget.signal.removeEventListener("abort", stop);
    }
}

/** An error about a builder: with its platform, its address, and the place in the program that names it. */
export function builderError(
    node: BuilderNode,
    code: ErrorCode,
    what: string,
    more: Partial<ErrorFields> & { readonly field?: string } = {},
): MultiArchError {
    const { field, ...fields } = more;
    return new MultiArchError(code, {
        what,
        platform: node.platform,
        builder: describeNode(node),
        property: field === undefined ? node.property : `${node.property}.${field}`,
        ...fields,
    });
}

/** The error of a check that the user has stopped. */
export function cancelledCheck(): MultiArchError {
    return new MultiArchError("build-cancelled", { what: "cancelled while the builder was checked" });
}
