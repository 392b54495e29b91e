import type { BuilderNode } from "../builders/node";
import { describeNode } from "../builders/node";
import type { MultiArchError } from "../errors";
import type { Checked, Choice } from "./lease";

/** A try that failed. */
export interface FailedTry {
    readonly node: BuilderNode;
    readonly error: MultiArchError;
    /** The step that ran when the builder was lost. */
    readonly step?: string | undefined;
}

/** A limit of a registry lasts longer than a restart, and BuildKit does not say for how long: it hides Retry-After. */
const limitFactor = 5;
const longestSeconds = 120;

/**
 * Seconds to wait after a failed try: twice as long each time, and half of it left to chance, so that builds that failed
 * together do not come back together.
 */
export function pauseAfter(
    tries: number,
    error: Pick<MultiArchError, "code">,
    firstSeconds: number,
    random: () => number = Math.random,
): number {
    const first = error.code === "registry-rate-limited" ? firstSeconds * limitFactor : firstSeconds;
    const seconds = Math.min(first * 2 ** (tries - 1), longestSeconds) * (0.5 + random() / 2);
    return Math.round(seconds * 1_000) / 1_000;
}

/** The last error, with what the others were. */
export function summarize(failures: readonly FailedTry[]): MultiArchError | undefined {
    const last = failures.at(-1);
    const before = failures.slice(0, -1);
    if (last === undefined || before.length === 0) {
        return last?.error;
    }
    const { what, lines = [], next } = last.error.fields;
    const step = stepLostTwice(failures);
    return last.error.with({
        what: `${what} (failed after ${failures.length} tries)`,
        lines: [
            ...lines,
            ...before.map(({ node, error }, index) => {
                return `try ${index + 1} on ${describeNode(node)}: ${error.fields.what} [${error.code}]`;
            }),
        ],
        next:
            step === undefined
                ? next
                : `The builder went away more than once during ${step}: look whether its memory is enough for that step.`,
    });
}

/**
 * Puts builders last that were lost more than once in this build. One that was lost once and is back has a cache that is
 * worth more than another builder.
 */
export function preferSteady(checked: Checked, failures: readonly FailedTry[]): Checked {
    const lost = failures.filter(({ error }) => error.code === "build-lost-connection").map(({ node }) => node.name);
    const isUnsteady = ({ node }: Choice): number => (lost.filter((name) => name === node.name).length > 1 ? 1 : 0);
    const [first, ...others] = checked.choices.toSorted((one, other) => isUnsteady(one) - isUnsteady(other));
    return first === undefined ? checked : { ...checked, choices: [first, ...others] };
}

/** What a builder dies of each time is rather the step than the builder. */
function stepLostTwice(failures: readonly FailedTry[]): string | undefined {
    const steps = failures.flatMap(({ step }) => step ?? []);
    return steps.find((step, index) => steps.indexOf(step) < index);
}
