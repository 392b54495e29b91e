import type { ErrorCode, ErrorFields } from "../errors";
import type { FailedVertex } from "./progress";

/** How a build ended, as far as its texts tell. Secrets are replaced in them already. */
export interface BuildOutcome {
    /** The part that failed, if one did. */
    readonly failure: FailedVertex | undefined;
    /** What buildx wrote that is not progress: the lines of the Dockerfile in question, and the error. */
    readonly lines: readonly string[];
}

/** The reason of a failed build, and whether another try may help. */
export interface Classified {
    readonly code: ErrorCode;
    readonly fields: ErrorFields;
}

/** Tells why a build failed. A failing step is never transient, whatever its own output says. */
export function classifyFailure({ failure, lines }: BuildOutcome): Classified {
    const text = lastError(lines) ?? failure?.error ?? "";
    // Whatever fails first stops all the rest: that a step was given up says nothing of the reason.
    if (isCancellation(text)) {
        return lost("the builder gave the build up", lines);
    }
    return (
        findFailedStep(failure, text) ??
        findRegistryFault(text) ??
        findFullDisk(text, lines) ??
        findLostConnection(text, lines) ?? {
            code: "build-failed",
            fields: {
                what: `the build failed: ${firstSentence(text)}`,
                lines: lines.slice(-linesShown),
                ...(text.includes(madeMeanwhile) ? { transient: true } : {}),
            },
        }
    );
}

const linesShown = 20;

// All platforms begin at once, and each makes the container of an Azure cache that is not there yet.
const madeMeanwhile = "ContainerAlreadyExists";

// "process ... did not complete successfully: exit code: 7"
const exitCode = /did not complete successfully: exit code: (\d+)/;
// Where the builder counts what the kernel kills for want of memory (cgroup v2), BuildKit says so in place of the code:
// https://github.com/moby/buildkit/blob/v0.31.1/executor/runcexecutor/executor_linux.go (detectOOM)
const outOfMemory = "did not complete successfully: cannot allocate memory";
const perhapsKilled =
    "unless a command gave that code itself, it was killed, most likely because the builder ran out of memory";
const moreMemory = "Give the builder more memory or fewer builds at once (max-parallelism), or let the step use less.";

function findFailedStep(failure: FailedVertex | undefined, text: string): Classified | undefined {
    const texts = [failure?.error ?? "", text];
    const step = failure?.name ? `step ${failure.name}` : "a step";
    const lines = failure?.lines ?? [];
    if (texts.some((one) => one.includes(outOfMemory))) {
        const what = `${step} was killed because the builder ran out of memory`;
        return { code: "build-step-failed", fields: { what, lines, next: moreMemory } };
    }
    const code = texts.map((one) => exitCode.exec(one)?.[1]).find((one) => one !== undefined);
    if (code === undefined) {
        return undefined;
    }
    // 128 + SIGKILL, in the words of a shell. It looks the same when a command gives that code itself, so this is a guess.
    const isKilled = code === "137";
    const reason = isKilled ? `: ${perhapsKilled}` : "";
    const what = `${step} failed with exit code ${code}${reason}`;
    return {
        code: "build-step-failed",
        fields: { what, lines, next: isKilled ? `If it was killed: ${moreMemory}` : undefined },
    };
}

/** The statuses that registries answer, in the words of BuildKit and containerd. */
const registryFaults: readonly { readonly pattern: RegExp; readonly code: ErrorCode; readonly transient?: boolean }[] =
    [
        // No registry has said anything yet: a firewall on the way says "permission denied" too.
        { pattern: /\bdial (?:tcp|udp)\b/, code: "registry-unreachable", transient: true },
        // Builders that push the same layer at once may find its link half written in a registry on a file system:
        // https://github.com/distribution/distribution/blob/v3.0.0/registry/storage/driver/filesystem/driver.go (PutContent)
        {
            pattern: /provided digest did not match uploaded content|blob unknown to registry/,
            code: "registry-broken",
            transient: true,
        },
        { pattern: /\b429\b|toomanyrequests|too many requests/i, code: "registry-rate-limited", transient: true },
        {
            pattern: /\b50[0234]\b|internal server error|bad gateway|unavailable/i,
            code: "registry-broken",
            transient: true,
        },
        {
            pattern: /\b401\b|unauthorized|authentication required|authorization failed/i,
            code: "registry-unauthorized",
        },
        { pattern: /\b403\b|forbidden|denied|insufficient_scope/i, code: "registry-forbidden" },
        { pattern: /x509:|certificate/i, code: "registry-untrusted" },
        {
            pattern:
                /connection refused|connection reset|no such host|i\/o timeout|\bEOF\b|network is unreachable|no route/i,
            code: "registry-unreachable",
            transient: true,
        },
        {
            pattern: /\b404\b|(?:name|manifest|blob|upload) unknown|not known to|not found|does not exist/i,
            code: "registry-not-found",
        },
    ];

function findRegistryFault(text: string): Classified | undefined {
    const push = /failed to push ([^\s:]+(?::\d+)?[^\s:]*):? ([\s\S]*)$/.exec(text);
    const pull =
        /(?:failed to resolve source metadata for|failed to authorize|failed to fetch|failed to copy:?|pull access denied)\s*(\S*?):? ([\s\S]*)$/.exec(
            text,
        );
    const found = push ?? pull;
    if (!found) {
        return undefined;
    }
    const [all, target = "", detail = ""] = found;
    const reason = withoutNames(push ? detail : all, target);
    const fault = registryFaults.find(({ pattern }) => pattern.test(reason));
    const what = push ? `the push to ${target} failed` : `the builder cannot pull ${target || "an image"}`;
    const code = fault?.code ?? "build-failed";
    return {
        code,
        fields: { what: `${what}: ${firstSentence(detail)}`, transient: fault?.transient, next: nextSteps[code] },
    };
}

/** An image may be called team/unavailable, and its address holds that name too. */
function withoutNames(text: string, image: string): string {
    const rest = text.replace(/https?:\/\/[^\s"]+/g, "");
    return image.includes("/") ? rest.replaceAll(image, "") : rest;
}

// It is the builder that talks to the registry, so these differ from the same faults on this machine.
const nextSteps: Partial<Record<ErrorCode, string>> = {
    "registry-unreachable": "Check the address of the registry, and that the builder can reach it.",
    "registry-untrusted": 'Name the registry\'s CA in buildkitd.toml of the builder: [registry."host"] ca = [...].',
};

function findFullDisk(text: string, lines: readonly string[]): Classified | undefined {
    if (!/no space left on device|disk quota exceeded/i.test(text)) {
        return undefined;
    }
    return {
        code: "builder-unhealthy",
        fields: {
            what: "the disk of the builder is full",
            lines: lines.slice(-3),
            next: "Free space there (buildctl prune), or give it a larger disk or a stricter gc policy.",
        },
    };
}

// What gRPC and buildx say when the other side is gone, or when the session between both broke.
const lostConnection =
    /code = Unavailable|transport is closing|error reading from server|connection reset by peer|connection refused|broken pipe|keepalive|closing transport|use of closed network connection|unexpected EOF|: EOF$|no active session|failed to get session|session .*not found|client connection is closing|i\/o timeout|cannot connect to the docker daemon|container \S+ is not running|no such container|^failed to build: context deadline exceeded/im;
// Two builds of one daemon fetch the same layer: https://github.com/kubernetes-sigs/kueue/issues/14564
const lockedContent = /\blocked for [\s\S]*unavailable/i;

function findLostConnection(text: string, lines: readonly string[]): Classified | undefined {
    if (lockedContent.test(text)) {
        return lost("another build on the builder holds the same layer", lines);
    }
    return lostConnection.test(text) ? lost("the connection to the builder was lost", lines) : undefined;
}

function lost(what: string, lines: readonly string[]): Classified {
    return { code: "build-lost-connection", fields: { what, lines: lines.slice(-3), transient: true } };
}

/** BuildKit says so when it stops, or when it has not heard of the client for too long; the user's wish is known. */
function isCancellation(text: string): boolean {
    return /(?:Canceled|: context canceled)(?:: context canceled)*$/.test(text.trim());
}

/** The error buildx ends with; it may go on over several lines. */
function lastError(lines: readonly string[]): string | undefined {
    const start = lines.findLastIndex((line) => line.startsWith("ERROR: "));
    if (start < 0) {
        return undefined;
    }
    return lines
        .slice(start)
        .join("\n")
        .replace(/^ERROR: /, "");
}

function firstSentence(text: string): string {
    const line =
        text
            .replace(/^(failed to (build|solve): )+/, "")
            .replace(/^errors:\n/, "")
            .split("\n")[0] ?? "";
    return line.length > 500 ? `${line.slice(0, 499)}…` : line || "buildx gave no reason";
}
