import { MultiArchError } from "../errors";
import { runCommand } from "../build/exec";
import type { GitReference } from "./gitReference";

/** Runs git with these arguments and, beside this process's own, these environment variables. */
export type RunGit = (
    args: readonly string[],
    options: {
        readonly env: Readonly<Record<string, string>>;
        readonly redact: readonly string[];
        readonly signal?: AbortSignal | undefined;
    },
) => Promise<{ readonly stdout: string; readonly stderrTail: string; readonly exitCode: number | undefined }>;

const lookupTimeoutMs = 60_000;

/**
 * The commit that a git context stands for now. Asks the repository, unless the reference already names the commit.
 *
 * Throws a MultiArchError `context-unresolved` when the repository cannot be read, or has no such ref or commit.
 */
export async function resolveCommit(
    reference: GitReference,
    {
        property,
        runGit = runInstalledGit,
        signal,
    }: {
        readonly property: string;
        readonly runGit?: RunGit | undefined;
        readonly signal?: AbortSignal | undefined;
    },
): Promise<string> {
    const known = knownCommit(reference);
    if (known !== undefined) {
        assertCommit(reference, [known], property);
        return known;
    }
    const { remote, env, redact } = hideCredentials(reference.remote);
    const answer = await runGit(lookupArguments(remote, reference.ref), { env, redact, signal });
    signal?.throwIfAborted();
    if (answer.exitCode !== 0) {
        throw new MultiArchError("context-unresolved", {
            what: `git cannot read ${remote}`,
            property,
            lines: answer.stderrTail.split("\n").filter(Boolean).slice(-3),
        });
    }
    const found = selectCommit(answer.stdout, reference.ref);
    if (!found) {
        throw new MultiArchError("context-unresolved", {
            what: reference.ref ? `${remote} has no branch or tag ${reference.ref}` : `${remote} has no default branch`,
            property,
        });
    }
    assertCommit(reference, [found.object, found.commit], property);
    return found.commit;
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
export function selectCommit(output: string, ref: string): { object: string; commit: string } | undefined {
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

/**
 * Takes user name and password out of a URL, because the arguments of a program can be read by everyone on the
 * machine. Git gets them back from its environment, as a rewriting rule.
 */
export function hideCredentials(remote: string): {
    remote: string;
    env: Record<string, string>;
    redact: string[];
} {
    const match = /^(https?:\/\/)([^/]*)@([^/@]*)/.exec(remote);
    if (!match) {
        return { remote, env: {}, redact: [] };
    }
    const [whole, scheme = "", credentials = "", host = ""] = match;
    const next = Number(process.env.GIT_CONFIG_COUNT ?? 0);
    const password = credentials.split(":").slice(1).join(":");
    return {
        remote: `${scheme}${host}${remote.slice(whole.length)}`,
        env: {
            GIT_CONFIG_COUNT: String(next + 1),
            [`GIT_CONFIG_KEY_${next}`]: `url.${whole}/.insteadOf`,
            [`GIT_CONFIG_VALUE_${next}`]: `${scheme}${host}/`,
        },
        redact: [credentials, password].filter((secret) => secret !== ""),
    };
}

function knownCommit(reference: GitReference): string | undefined {
    return isCommit(reference.ref) ? reference.ref : reference.fetchByCommit ? (reference.commit ?? "") : undefined;
}

function assertCommit(reference: GitReference, found: readonly string[], property: string): void {
    const { commit = "", fetchByCommit } = reference;
    const whole = !fetchByCommit || isCommit(reference.ref) || isCommit(commit);
    if (!whole || !/^[a-fA-F0-9]*$/.test(commit) || !found.some((each) => each.startsWith(commit))) {
        throw new MultiArchError("context-unresolved", {
            what: whole
                ? `${hideCredentials(reference.remote).remote} is at ${found.join(" or ")}, not at commit ${commit}`
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
