import type { CommandResult } from "../build/exec";
import type { ErrorCode, MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";

/** How far buildx came with a container, in the words of its progress. */
type Phase = "daemon" | "image" | "container";

/** What is wrong with a builder on a Docker daemon, from the output of the run of buildx that failed. */
export function explainDocker(node: BuilderNode, { stdout, stderrTail }: Output): MultiArchError {
    const text = `${stdout}\n${stderrTail}`;
    const phase = findPhase(text);
    const lines = pickLines(text);
    const reason = phase === "daemon" ? text : (lines.at(-1) ?? "");
    if (/permission denied while trying to connect|got permission denied|connect: permission denied/i.test(reason)) {
        const what = "this user may not speak to the Docker daemon";
        return builderError(node, "builder-docker-denied", what, { lines });
    }
    if (unreachable.test(reason)) {
        const what = "the Docker daemon does not answer";
        return builderError(node, "builder-docker-unreachable", what, { lines, transient: true });
    }
    const [code, what, field] = failures[phase];
    return builderError(node, code, what, { lines, ...(field === undefined ? {} : { field }) });
}

/** True when a container was there or was made, and BuildKit in it did not answer. */
export function failedToStart(output: Output): "made" | "there" | undefined {
    const text = `${output.stdout}\n${output.stderrTail}`;
    if (findPhase(text) !== "container") {
        return undefined;
    }
    return text.includes("starting container") ? "there" : "made";
}

type Output = Pick<CommandResult, "stdout" | "stderrTail">;

const failures: Readonly<Record<Phase, readonly [code: ErrorCode, what: string, field?: string]>> = {
    daemon: ["builder-docker-settings", "buildx does not take these settings of a container"],
    image: ["builder-docker-image", "the Docker daemon cannot pull the image of BuildKit", "image"],
    container: ["builder-docker-start", "the container with BuildKit does not start"],
};

// What docker's own client says when there is no daemon, or none it can speak to.
// https://github.com/moby/moby/blob/v28.5.2/client/errors.go
const unreachable =
    /cannot connect to the docker daemon|failed to connect to the docker api|error during connect|^ERROR: .*(dial (?:tcp|unix)|no such host|i\/o timeout|connection refused|deadline exceeded|ssh: |command \[ssh)/im;

function findPhase(text: string): Phase {
    if (/(creating|starting) container/.test(text)) {
        return "container";
    }
    return text.includes("pulling image") ? "image" : "daemon";
}

/** The lines that say something: what buildx ends with, and what the daemon in the container has logged. */
function pickLines(text: string): string[] {
    const lines = text
        .split("\n")
        .map((line) => line.replace(/^#\d+ (?:[\d.]+ )?/, "").trim())
        .filter((line) => /^buildkitd: |\berror\b|denied|invalid|unknown|not found|could not|fail(ed|ure)/i.test(line))
        .filter((line) => !line.startsWith("pulling failed, using local image"));
    return [...new Set(lines)].slice(-5);
}
