import type { Redactor } from "./redact";
import { parseSolveStatus, type Vertex, type VertexLog, type VertexStatus, type VertexWarning } from "./solveStatus";
import { createStepLogs } from "./stepLogs";

/** Something that happened in a build, as it happens. */
export type BuildProgress =
    /** A step of the Dockerfile began, came from the cache, or is done. */
    | { readonly kind: "step"; readonly state: "started" | "cached" | "done"; readonly step: StepProgress }
    /** The image is being pushed. */
    | { readonly kind: "pushing" }
    /** BuildKit has a hint about the Dockerfile, or the build goes on without a cache. */
    | { readonly kind: "warning"; readonly text: string }
    /** A transient fault ended a try; there is another one after a pause. */
    | {
          readonly kind: "retry";
          /** How many tries there have been. */
          readonly tries: number;
          readonly waitSeconds: number;
          readonly reason: string;
      }
    /** The next try begins. */
    | {
          readonly kind: "retrying";
          /** Which one it is, from 1. */
          readonly tries: number;
          readonly builder: string;
          /** Why the one before failed. */
          readonly reason: string;
      };

/** A step of the Dockerfile. */
export interface StepProgress {
    /** Its place in the order of starting, from 1. */
    readonly number: number;
    /** How many steps are known. */
    readonly total: number;
    /** What it does, for example `[build 2/4] RUN go build`. */
    readonly name: string;
}

/** What a build amounted to. */
export interface BuildTotals {
    readonly steps: number;
    /** How many of them came from the cache, or were not needed because a later one did. */
    readonly cachedSteps: number;
    /** Bytes of contexts that were sent to the builder. */
    readonly bytesSent: number;
    /** When the builder began; undefined when it never did. Milliseconds of its own clock, as the other two. */
    readonly startedAt: number | undefined;
    readonly pushStartedAt: number | undefined;
    readonly pushDoneAt: number | undefined;
}

/** The part of a build that failed. */
export interface FailedVertex {
    readonly name: string;
    readonly error: string;
    /** The last lines of its output. */
    readonly lines: readonly string[];
}

/** Follows one build by the lines of `--progress rawjson`. */
export interface ProgressReader {
    /** Takes a line. Gives what it says; undefined for a line that is something else. */
    readonly push: (line: string) => BuildProgress[] | undefined;
    readonly totals: () => BuildTotals;
    readonly failure: () => FailedVertex | undefined;
}

// `[2/5] RUN ...`, `[build 2/5] RUN ...` and, with several platforms, `[linux/arm64 build 2/5] RUN ...`
const dockerfileStep = /^\[(?:[^\]]* )?\d+\/\d+\] /;
const outOfBuild = /^\[internal\] (waiting for connection|booting buildkit|load local bake definitions)/;
// https://github.com/moby/buildkit/blob/v0.31.1/solver/llbsolver/bridge.go and the exporters in cache/remotecache
const cacheWhole = /^(importing cache manifest|exporting (cache to|inline cache|to GitHub Actions Cache))/;
const cachePart = /^(preparing build cache for export|writing (layer|cache|config|manifest) )/;
// What a first build finds.
const noCacheYet = /not found|no such file|does not exist|NoSuchKey/i;
const notContext = /^\[internal\] load (build definition|\.dockerignore|remote build context metadata)/;
// Names of steps hold whole scripts.
const longestName = 200;
const longestLine = 1_000;

/** Starts to follow a build. Secrets are replaced in all that is given out. */
export function createProgressReader(redact: Redactor = (text) => text): ProgressReader {
    const vertexes = new Map<string, Vertex>();
    const order: string[] = [];
    const sent = new Map<string, number>();
    const logs = createStepLogs();
    let startedAt: number | undefined;
    let pushStartedAt: number | undefined;
    let pushDoneAt: number | undefined;
    let failed: string | undefined;
    // A build goes on without a cache, unless it was told not to.
    let failedCache: string | undefined;

    const steps = (): Vertex[] => [...vertexes.values()].filter(({ name }) => dockerfileStep.test(name));

    function takeVertex(next: Vertex): BuildProgress[] {
        const before = vertexes.get(next.digest);
        vertexes.set(next.digest, { ...next, name: next.name === "" ? (before?.name ?? "") : next.name });
        if (next.error && !before?.error) {
            if (cacheWhole.test(next.name) || cachePart.test(next.name)) {
                failedCache ??= next.digest;
                const isNews = cacheWhole.test(next.name) && !noCacheYet.test(next.error);
                return isNews ? [describeCacheFault(next)] : [];
            }
            failed ??= next.digest;
        }
        if (next.started && !outOfBuild.test(next.name)) {
            startedAt = Math.min(startedAt ?? Infinity, Date.parse(next.started));
        }
        if (!dockerfileStep.test(next.name) || before?.completed) {
            return [];
        }
        const states: ("started" | "cached" | "done")[] = [];
        if (next.started && !before?.started) {
            order.push(next.digest);
            states.push(...(next.cached ? [] : ["started" as const]));
        }
        if (next.completed && !next.error) {
            states.push(next.cached ? "cached" : "done");
        }
        return states.map((state) => ({ kind: "step", state, step: describe(next) }));
    }

    function describeCacheFault({ name, error = "" }: Vertex): BuildProgress {
        const done = name.startsWith("importing") ? "read" : "written";
        return { kind: "warning", text: `the cache could not be ${done}: ${redact(error).slice(0, longestLine)}` };
    }

    function describe({ digest, name }: Vertex): StepProgress {
        return { number: order.indexOf(digest) + 1, total: steps().length, name: shorten(redact(name)) };
    }

    function takeStatus(status: VertexStatus): BuildProgress[] {
        const name = vertexes.get(status.vertex)?.name ?? "";
        if (status.id.startsWith("transferring ") && !notContext.test(name)) {
            const key = `${status.vertex} ${status.id}`;
            sent.set(key, Math.max(sent.get(key) ?? 0, status.current));
        }
        if (!status.id.startsWith("pushing ")) {
            return [];
        }
        const first = pushStartedAt === undefined && status.started !== undefined;
        if (status.started) {
            pushStartedAt = Math.min(pushStartedAt ?? Infinity, Date.parse(status.started));
        }
        if (status.completed) {
            pushDoneAt = Math.max(pushDoneAt ?? 0, Date.parse(status.completed));
        }
        return first ? [{ kind: "pushing" }] : [];
    }

    function takeWarning({ short }: VertexWarning): BuildProgress {
        return { kind: "warning", text: redact(Buffer.from(short, "base64").toString("utf8")) };
    }

    return {
        push: (line) => {
            const status = parseSolveStatus(line);
            status?.logs.forEach(({ vertex, data }: VertexLog) => {
                logs.add(vertex, data);
            });
            return (
                status && [
                    ...status.vertexes.flatMap(takeVertex),
                    ...status.statuses.flatMap(takeStatus),
                    ...status.warnings.map(takeWarning),
                ]
            );
        },
        totals: () => ({
            steps: steps().length,
            cachedSteps: steps().filter(({ cached, started }) => cached === true || !started).length,
            bytesSent: [...sent.values()].reduce((sum, bytes) => sum + bytes, 0),
            startedAt,
            pushStartedAt,
            pushDoneAt,
        }),
        failure: () => {
            const digest = failed ?? failedCache;
            const vertex = digest === undefined ? undefined : vertexes.get(digest);
            return (
                vertex && {
                    name: shorten(redact(vertex.name)),
                    error: redact(vertex.error ?? ""),
                    lines: logs.tail(vertex.digest).map((line) => redact(line).slice(0, longestLine)),
                }
            );
        },
    };
}

/** The text of a progress for people, in one line. */
export function describeProgress(progress: BuildProgress): string {
    switch (progress.kind) {
        case "step": {
            const suffix = { started: "", cached: " (cached)", done: " (done)" }[progress.state];
            return `step ${progress.step.number}/${progress.step.total} ${progress.step.name}${suffix}`;
        }
        case "pushing":
            return "pushing the image";
        case "warning":
            return progress.text;
        case "retry":
            return `try ${progress.tries} failed (${progress.reason}), next one in ${progress.waitSeconds} s`;
        case "retrying":
            return `retrying on ${progress.builder} (try ${progress.tries}), because ${progress.reason}`;
    }
}

function shorten(name: string): string {
    const line = name.replace(/\s+/g, " ");
    return line.length > longestName ? `${line.slice(0, longestName - 1)}…` : line;
}
