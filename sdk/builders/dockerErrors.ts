import type { CommandResult } from "../build/exec";
import type { ErrorCode, MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";

/** How far buildx came with a container, in the words of its progress. */
type Phase = "daemon" | "image" | "container";

/**
 * What is wrong with a builder on a Docker daemon, from the output of the run of buildx that failed, and the log of the
 * container, or the command that shows it.
 */
export function explainDocker(
    node: BuilderNode,
    { stdout, stderrTail }: Output,
    log: readonly string[] | string = [],
): MultiArchError {
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
    const logged = typeof log === "string" ? [] : pickLogged(log);
    return builderError(node, code, what, {
        lines: logged.length > 0 ? logged : lines,
        ...(field === undefined ? {} : { field }),
        ...(typeof log === "string" ? { next: `Look at its log on that daemon: ${log}.` } : {}),
    });
}

/** A container in which BuildKit did not answer. */
export interface FailedStart {
    readonly container: string;
    /** True when it was there before. */
    readonly wasThere: boolean;
}

/** The container that did not start, where buildx came so far. */
export function failedToStart({ stdout, stderrTail }: Output): FailedStart | undefined {
    const found = /(creating|starting) container (\S+)/.exec(`${stdout}\n${stderrTail}`);
    return found ? { container: found[2] ?? "", wasThere: found[1] === "starting" } : undefined;
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
    /cannot connect to the docker daemon|failed to connect to the docker api|error during connect|^ERROR: (?!Error response from daemon).*(dial (?:tcp|unix)|no such host|i\/o timeout|connection refused|deadline exceeded|ssh: |command \[ssh)/im;

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
        .map((line) => line.replace(/failed to initialize builder \S+ \(\S+\): /, ""))
        .filter((line) => /^buildkitd: |\berror\b|denied|invalid|unknown|not found|could not|fail(ed|ure)/i.test(line))
        .filter((line) => !line.startsWith("pulling failed, using local image"));
    return [...new Set(lines)].slice(-5);
}

/** What BuildKit ends with, without the stack below it, and what it warned of before. */
function pickLogged(log: readonly string[]): string[] {
    return [...new Set(log.filter((line) => /^buildkitd: |^panic: |level=(?:error|fatal|warning)/.test(line)))].slice(
        -5,
    );
}
