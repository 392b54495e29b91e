import { setTimeout as sleep } from "node:timers/promises";
import { describeNode } from "../builders/node";
import { MultiArchError } from "../errors";
import { attemptBuild, placeOf, type AttemptResult } from "./attempt";
import { findBuildArgProblems } from "./buildArgs";
import { findBuildx, type Buildx } from "./buildx";
import { completeCache, machineSecretsOf, refuseLackingCache } from "./cacheMachine";
import type { PushedImage } from "./metadata";
import { withPrivateFolder, type FolderPlace } from "./privateFolder";
import type { BuildProgress } from "./progress";
import type { BuildRequest } from "./request";
import { pauseAfter, summarize, type FailedTry } from "./retry";
import type { WatchTimes } from "./watchdog";

/** What a build may use beside its request. */
export interface BuildOptions {
    /** Cancels the build, on the builder too. */
    readonly signal?: AbortSignal | undefined;
    /** Called with everything that happens. */
    readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
    /** Aborted when the builder of the request is gone. The reason is a transient MultiArchError. */
    readonly lost?: AbortSignal | undefined;
    /**
     * Finds a builder for the next try, told all tries that failed. Defaults to the same builder. What it throws counts
     * as a failed try.
     */
    readonly nextTry?: ((failures: readonly FailedTry[]) => Promise<NextTry>) | undefined;
    /** When a silent build counts as lost. */
    readonly watch?: WatchTimes | undefined;
    /** The environment of this machine. Defaults to that of the process. */
    readonly env?: Readonly<Record<string, string | undefined>> | undefined;
    /** Where files with keys and passwords live while a build runs. */
    readonly place?: FolderPlace | undefined;
    /** Seconds before the second try, at most; each further pause is twice as long. Defaults to 2. */
    readonly pauseSeconds?: number | undefined;
}

/** What the next try is made with. */
export interface NextTry extends Pick<BuildRequest, "node"> {
    /** As for the first builder. */
    readonly lost?: AbortSignal | undefined;
    /** The accounts of registries, where they may have changed. */
    readonly registriesConfig?: string | undefined;
}

/** An image that was built. */
export interface BuiltImage {
    /** What was pushed; undefined when the request said not to. */
    readonly pushed: PushedImage | undefined;
    readonly build: BuildFigures;
}

/** How a build went. */
export interface BuildFigures {
    /** The builder that did it. */
    readonly builder: string;
    /** Seconds until the builder took the build. */
    readonly waitingSeconds: number;
    /** Seconds from there until the image was ready. */
    readonly buildingSeconds: number;
    readonly pushingSeconds: number;
    readonly steps: number;
    readonly cachedSteps: number;
    /** Bytes of contexts that were sent to the builder. */
    readonly bytesSent: number;
}

const defaultRetries = 2;
const defaultPauseSeconds = 2;

/**
 * Builds the image of one platform on its builder and pushes it by digest. Nothing on this machine has to be set up
 * for it, and nothing stays behind. A transient fault is retried; a failing step is not.
 *
 * Throws a MultiArchError: `build-step-failed`, `build-failed`, `build-timeout`, `build-cancelled`,
 * `build-lost-connection`, `cache-environment`, or one of the registry's.
 */
export async function buildPlatform(request: BuildRequest, options: BuildOptions = {}): Promise<BuiltImage> {
    const begin = Date.now();
    const deadline = begin + request.timeoutSeconds * 1_000;
    refuseProblems(request);
    const { env = process.env } = options;
    refuseLackingCache(request.cache, env, request.platform);
    const buildx = await findBuildx(options.env);
    let current: BuildRequest = {
        ...request,
        cache: completeCache(request.cache, env),
        redact: [...(request.redact ?? []), ...machineSecretsOf(request.cache, env)],
    };
    let { lost } = options;
    const failures: FailedTry[] = [];
    const fail = async (error: unknown, step?: string): Promise<void> => {
        failures.push({ node: current.node, error: error as MultiArchError, step });
        await waitForNext(current, failures, deadline, options);
    };
    const search = async (): Promise<NextTry> => {
        for (;;) {
            try {
                return (await options.nextTry?.(failures)) ?? { node: current.node };
            } catch (error) {
                await fail(error);
            }
        }
    };
    for (;;) {
        const steps = followSteps(options.onProgress);
        try {
            const tryOptions = { ...options, lost, onProgress: steps.onProgress };
            const result = await attempt(current, buildx, deadline, tryOptions);
            return { pushed: result.image, build: figuresOf(current, result, begin) };
        } catch (error) {
            const isLost = error instanceof MultiArchError && error.code === "build-lost-connection";
            await fail(error, isLost ? steps.running() : undefined);
        }
        const reason = failures.at(-1)?.error.fields.what ?? "";
        const next = await search();
        lost = next.lost;
        const { node, registriesConfig = current.registriesConfig } = next;
        current = { ...current, node, registriesConfig };
        options.onProgress?.({ kind: "retrying", tries: failures.length + 1, builder: describeNode(node), reason });
    }
}

/** Waits before the next try. Throws when there is none: the fault is real, or all tries or the time are used up. */
async function waitForNext(
    request: BuildRequest,
    failures: readonly FailedTry[],
    deadline: number,
    { pauseSeconds = defaultPauseSeconds, onProgress, signal }: BuildOptions,
): Promise<void> {
    const tries = failures.length;
    const error: unknown = failures.at(-1)?.error;
    if (!(error instanceof MultiArchError)) {
        throw error;
    }
    const waitSeconds = pauseAfter(tries, error, pauseSeconds);
    const isLast = tries > (request.retries ?? defaultRetries) || Date.now() + waitSeconds * 1_000 >= deadline;
    if (!error.transient || isLast) {
        throw summarize(failures) ?? error;
    }
    onProgress?.({ kind: "retry", tries, waitSeconds, reason: error.fields.what });
    await pause(request, waitSeconds, signal);
}

/** Follows which step of the Dockerfile runs. */
function followSteps(onProgress: BuildOptions["onProgress"]): {
    onProgress: (progress: BuildProgress) => void;
    running: () => string | undefined;
} {
    const running = new Set<string>();
    return {
        onProgress: (progress) => {
            if (progress.kind === "step") {
                running[progress.state === "started" ? "add" : "delete"](progress.step.name);
            }
            onProgress?.(progress);
        },
        running: () => [...running].at(-1),
    };
}

function attempt(
    request: BuildRequest,
    buildx: Buildx,
    deadline: number,
    { signal, lost, onProgress, watch, place, env = process.env }: BuildOptions,
): Promise<AttemptResult> {
    const timeoutMs = Math.max(1, deadline - Date.now());
    const options = { buildx, env, timeoutMs, signal, lost, onProgress, watch };
    return withPrivateFolder((folder) => attemptBuild(request, folder, options), place);
}

async function pause(request: BuildRequest, seconds: number, signal: AbortSignal | undefined): Promise<void> {
    try {
        await sleep(seconds * 1_000, undefined, signal ? { signal } : {});
    } catch {
        throw new MultiArchError("build-cancelled", { what: "the build was cancelled", ...placeOf(request) });
    }
}

function refuseProblems(request: BuildRequest): void {
    const [problem] = findBuildArgProblems(request);
    if (problem) {
        throw new MultiArchError("build-failed", {
            what: problem.reason,
            platform: request.platform,
            property: problem.property,
            next: "Change it and run up again.",
        });
    }
}

/** Durations on the builder are taken from its own clock, which may differ from this machine's. */
function figuresOf(request: BuildRequest, { totals, tookAt }: AttemptResult, begin: number): BuildFigures {
    const { startedAt, pushStartedAt, pushDoneAt, steps, cachedSteps, bytesSent } = totals;
    return {
        builder: describeNode(request.node),
        waitingSeconds: seconds(tookAt - begin),
        buildingSeconds: seconds((pushStartedAt ?? pushDoneAt ?? startedAt ?? 0) - (startedAt ?? 0)),
        pushingSeconds: seconds((pushDoneAt ?? 0) - (pushStartedAt ?? pushDoneAt ?? 0)),
        steps,
        cachedSteps,
        bytesSent,
    };
}

function seconds(milliseconds: number): number {
    return Math.max(0, Math.round(milliseconds / 100) / 10);
}
