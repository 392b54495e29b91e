import { setTimeout as sleep } from "node:timers/promises";
import { describeNode, type BuilderNode } from "../builders/node";
import { MultiArchError } from "../errors";
import { attemptBuild, placeOf, type AttemptResult } from "./attempt";
import { findBuildArgProblems } from "./buildArgs";
import { findBuildx, type Buildx } from "./buildx";
import { completeCache, machineSecretsOf, refuseLackingCache } from "./cacheMachine";
import type { PushedImage } from "./metadata";
import { withPrivateFolder, type FolderPlace } from "./privateFolder";
import type { BuildProgress } from "./progress";
import type { BuildRequest } from "./request";

/** What a build may use beside its request. */
export interface BuildOptions {
    /** Cancels the build, on the builder too. */
    readonly signal?: AbortSignal | undefined;
    /** Called with everything that happens. */
    readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
    /** Picks the builder for the next try after a transient fault. Defaults to the same one. */
    readonly nextNode?: ((failed: BuilderNode, error: MultiArchError) => Promise<BuilderNode>) | undefined;
    /** The environment of this machine. Defaults to that of the process. */
    readonly env?: Readonly<Record<string, string | undefined>> | undefined;
    /** Where files with keys and passwords live while a build runs. */
    readonly place?: FolderPlace | undefined;
    /** Seconds before the second try; each further pause is twice as long. Defaults to 2. */
    readonly pauseSeconds?: number | undefined;
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
    for (let tries = 1; ; tries += 1) {
        try {
            const result = await attempt(current, buildx, deadline, options);
            return { pushed: result.image, build: figuresOf(current, result, begin) };
        } catch (error) {
            const last = tries > (request.retries ?? defaultRetries);
            if (!(error instanceof MultiArchError) || !error.transient || last) {
                throw error;
            }
            const waitSeconds = (options.pauseSeconds ?? defaultPauseSeconds) * 2 ** (tries - 1);
            if (Date.now() + waitSeconds * 1_000 >= deadline) {
                throw error;
            }
            options.onProgress?.({ kind: "retry", tries, waitSeconds, reason: error.fields.what });
            await pause(current, waitSeconds, options.signal);
            current = { ...current, node: await pickNext(current.node, error, options) };
        }
    }
}

function attempt(
    request: BuildRequest,
    buildx: Buildx,
    deadline: number,
    { signal, onProgress, place, env = process.env }: BuildOptions,
): Promise<AttemptResult> {
    const timeoutMs = Math.max(1, deadline - Date.now());
    return withPrivateFolder(
        (folder) => attemptBuild(request, folder, { buildx, env, timeoutMs, signal, onProgress }),
        place,
    );
}

/** A builder that restarts may look lost right now: the next try waits for it, and says best what is wrong with it. */
async function pickNext(failed: BuilderNode, error: MultiArchError, options: BuildOptions): Promise<BuilderNode> {
    try {
        return (await options.nextNode?.(failed, error)) ?? failed;
    } catch {
        return failed;
    }
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
