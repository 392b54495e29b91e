import { MultiArchError } from "../errors";
import { runCommand } from "../build/exec";
import { digestOf } from "./encode";
import { pickGitSecrets, prepareGitAccess, type GitAccess } from "./gitAccess";
import type { GitReference } from "./gitReference";
import { shareInFlight } from "./share";

/** Runs git with these arguments and, beside this process's own, these environment variables. */
export type RunGit = (
    args: readonly string[],
    options: {
        readonly env: Readonly<Record<string, string>>;
        readonly redact: readonly string[];
        readonly signal?: AbortSignal | undefined;
    },
) => Promise<{ readonly stdout: string; readonly stderrTail: string; readonly exitCode: number | undefined }>;

/** How a repository is asked for a commit. */
export interface CommitOptions {
    /** The property that names the repository, for errors. */
    readonly property: string;
    /** The secrets of the build. Those that BuildKit uses for git are used here in the same way. Defaults to none. */
    readonly secrets?: Readonly<Record<string, string>> | undefined;
    /** Runs git. Defaults to the git on PATH. With another one nothing is shared or remembered. */
    readonly runGit?: RunGit | undefined;
    readonly signal?: AbortSignal | undefined;
}

interface Found {
    readonly object: string;
    readonly commit: string;
}

const lookupTimeoutMs = 60_000;
const rememberedMs = 60_000;

const shared = shareInFlight<Found>();
const recent = new Map<string, { readonly found: Found; readonly until: number }>();

/**
 * The commit that a git context stands for now. Asks the repository, unless the reference already names the commit. An
 * answer counts for a minute: all platforms of an image are to be built from one commit, though each asks on its own.
 *
 * Throws a MultiArchError `context-unresolved` when the repository cannot be read, or has no such ref or commit.
 */
export async function resolveCommit(reference: GitReference, options: CommitOptions): Promise<string> {
    const { property } = options;
    const known = knownCommit(reference);
    if (known !== undefined) {
        assertCommit(reference, [known], property);
        return known;
    }
    const found = await rememberLookup(reference, options).catch((error: unknown) => {
        // Whoever shares the answer may have written the address elsewhere.
        throw error instanceof MultiArchError ? error.with({ property }) : error;
    });
    assertCommit(reference, [found.object, found.commit], property);
    return found.commit;
}

async function rememberLookup(reference: GitReference, options: CommitOptions): Promise<Found> {
    const { signal, runGit } = options;
    const secrets = pickGitSecrets(options.secrets);
    const access = prepareGitAccess(reference.remote, secrets);
    if (runGit) {
        return lookUp(reference.ref, access, runGit, signal);
    }
    // Only who gives the same secrets may get the same answer. The key outlives the lookup, so it does not hold them.
    const parts = [reference.remote, reference.ref, ...Object.entries(secrets).flat()];
    const key = digestOf(parts).toString("hex");
    const now = performance.now();
    for (const [each, { until }] of recent) {
        if (until < now) {
            recent.delete(each);
        }
    }
    const known = recent.get(key);
    return (
        known?.found ??
        shared(key, signal, async (signal) => {
            const found = await lookUp(reference.ref, access, runInstalledGit, signal);
            recent.set(key, { found, until: performance.now() + rememberedMs });
            return found;
        })
    );
}

async function lookUp(
    ref: string,
    { remote, env, redact }: GitAccess,
    runGit: RunGit,
    signal: AbortSignal | undefined,
): Promise<Found> {
    const answer = await runGit(lookupArguments(remote, ref), { env, redact, signal });
    signal?.throwIfAborted();
    if (answer.exitCode !== 0) {
        const refused = /could not read Username|Authentication failed/.test(answer.stderrTail);
        throw new MultiArchError("context-unresolved", {
            what: `git cannot read ${remote}`,
            lines: answer.stderrTail.split("\n").filter(Boolean).slice(-3),
            next: refused ? "Give a token that may read it as GIT_AUTH_TOKEN in secrets." : undefined,
        });
    }
    const found = selectCommit(answer.stdout, ref);
    if (!found) {
        throw new MultiArchError("context-unresolved", {
            what: ref ? `${remote} has no branch or tag ${ref}` : `${remote} has no default branch`,
        });
    }
    return found;
}

/** Whether a text is a whole commit hash, as BuildKit decides it. */
export function isCommit(text: string): boolean {
    return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The arguments of git that list what a ref can mean. An empty ref asks for the default branch. */
export function lookupArguments(remote: string, ref: string): string[] {
    return ref === "" ? ["ls-remote", "--symref", "--", remote, "HEAD"] : ["ls-remote", "--", remote, ref, `${ref}^{}`];
}

/**
 * Picks what BuildKit would check out from the output of `git ls-remote`: the full ref, then the branch, then the tag.
 * See `resolveMetadataFromURL` in https://github.com/moby/buildkit/blob/v0.31.1/source/git/source.go
 */
export function selectCommit(output: string, ref: string): Found | undefined {
    const objects = new Map(
        output.split("\n").map((line) => {
            const [object = "", name = ""] = line.split("\t");
            return [name, object] as const;
        }),
    );
    if (ref === "") {
        const head = objects.get("HEAD");
        return head !== undefined && isCommit(head) && /^ref: refs\/heads\//m.test(output)
            ? { object: head, commit: head }
            : undefined;
    }
    const tag = `refs/tags/${ref.replace(/^refs\/tags\//, "")}`;
    const branch = `refs/heads/${ref.replace(/^refs\/heads\//, "")}`;
    const named = `refs/${ref.replace(/^refs\//, "")}`;
    const name = [named, branch, tag].find((each) => objects.has(each)) ?? "";
    const object = objects.get(name) ?? "";
    // An annotated tag is an object of its own; the commit is what counts.
    const commit = (name === tag ? objects.get(`${tag}^{}`) : undefined) ?? object;
    return isCommit(commit) ? { object, commit } : undefined;
}

/** The commit a reference names itself; undefined when the repository has to be asked. */
export function knownCommit(reference: GitReference): string | undefined {
    return isCommit(reference.ref) ? reference.ref : reference.fetchByCommit ? (reference.commit ?? "") : undefined;
}

function assertCommit(reference: GitReference, found: readonly string[], property: string): void {
    const { commit = "", fetchByCommit } = reference;
    const whole = !fetchByCommit || isCommit(reference.ref) || isCommit(commit);
    if (!whole || !/^[a-fA-F0-9]*$/.test(commit) || !found.some((each) => each.startsWith(commit))) {
        throw new MultiArchError("context-unresolved", {
            what: whole
                ? `${prepareGitAccess(reference.remote).remote} is at ${found.join(" or ")}, not at commit ${commit}`
                : `fetch-by-commit needs the whole commit hash, not ${commit || "none"}`,
            property,
        });
    }
}

const runInstalledGit: RunGit = async (args, { env, redact, signal }) => {
    const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return runCommand({
        file: "git",
        args,
        env: {
            GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
            ...Object.fromEntries(inherited),
            // Nobody is there to type a password, and messages are shown as they are.
            GIT_TERMINAL_PROMPT: "0",
            GCM_INTERACTIVE: "never",
            LC_ALL: "C",
            ...env,
        },
        signal,
        timeoutMs: lookupTimeoutMs,
        redact,
    });
};
