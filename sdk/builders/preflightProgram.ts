import { MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError, runStage, type Budget } from "./preflightBudget";
import { greet } from "./preflightGreeting";
import type { ProgramCommand } from "./programCommand";
import { explainProgram } from "./programErrors";
import type { Relay } from "./relay";

/** Reaches a builder once through a program, and tells apart what the program fails at. */
export async function checkProgram(
    node: BuilderNode,
    command: ProgramCommand,
    relay: Relay,
    budget: Budget,
): Promise<void> {
    const { file } = command;
    const { stream, ended } = relay.open();
    const onTimeout = (): MultiArchError => {
        const what = `${file} brought no answer of the builder within ${budget.timeoutMs / 1000} s`;
        return builderError(node, "builder-unreachable", what, { field: "address", transient: true });
    };
    try {
        // A pipe that breaks says less than the end of the program.
        const greeting = await runStage(
            budget,
            greet(stream).catch(() => "closed" as const),
            onTimeout,
        );
        if (greeting === "http2") {
            return;
        }
        if (greeting !== "closed") {
            const what = `what ${file} brings from the builder does not begin as BuildKit does`;
            const next = "Nothing may be printed there by login scripts, for that comes first.";
            throw builderError(node, "builder-not-buildkit", what, { field: "address", next });
        }
        throw explainProgram(node, command, await runStage(budget, ended, onTimeout));
    } catch (error) {
        if (error instanceof MultiArchError && error.code === "tool-missing") {
            const next = `Install ${file}, or put it on PATH.`;
            throw builderError(node, "tool-missing", error.fields.what, { field: "address", next });
        }
        throw error;
    } finally {
        stream.destroy();
    }
}
