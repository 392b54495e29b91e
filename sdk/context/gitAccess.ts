/** A setting of git: its key and its value. */
type Setting = readonly [key: string, value: string];

/** How git gets at a repository without secrets in its arguments. */
export interface GitAccess {
    /** The repository, safe to print and to put into arguments. */
    readonly remote: string;
    /** What git's environment has in addition. */
    readonly env: Readonly<Record<string, string>>;
    /** What must not be printed. */
    readonly redact: readonly string[];
}

/**
 * Prepares access to a repository with what its address and the secrets of the build hold. The arguments of a program
 * can be read by everyone on the machine; its environment can not.
 */
export function prepareGitAccess(remote: string, secrets: Readonly<Record<string, string>> = {}): GitAccess {
    const hidden = hideCredentials(remote);
    const header = findAuthorization(hidden.remote, secrets);
    const key = `http.${headerScope(hidden.remote)}.extraheader`;
    // The empty value takes away headers from elsewhere, such as those of a checkout in CI: two would be refused.
    const values = header ? ["", `Authorization: ${header.value}`] : [];
    return {
        remote: hidden.remote,
        env: toEnvironment([...hidden.settings, ...values.map((value): Setting => [key, value])]),
        redact: [...hidden.redact, ...(header?.redact ?? [])],
    };
}

/** Those of a build's secrets that BuildKit itself uses to read git repositories. */
export function pickGitSecrets(secrets: Readonly<Record<string, string>> = {}): Record<string, string> {
    return Object.fromEntries(
        Object.entries(secrets)
            .filter(([id]) => /^GIT_AUTH_(?:TOKEN|HEADER)(?:\.|$)/.test(id))
            .sort(([one], [other]) => (one < other ? -1 : 1)),
    );
}

/** Takes user name and password out of a URL. Git gets them back from its environment, as a rewriting rule. */
export function hideCredentials(remote: string): {
    readonly remote: string;
    readonly settings: readonly Setting[];
    readonly redact: readonly string[];
} {
    const match = /^(https?:\/\/)([^/]*)@([^/@]*)/.exec(remote);
    if (!match) {
        return { remote, settings: [], redact: [] };
    }
    const [whole, scheme = "", credentials = "", host = ""] = match;
    const password = credentials.split(":").slice(1).join(":");
    return {
        remote: `${scheme}${host}${remote.slice(whole.length)}`,
        settings: [[`url.${whole}/.insteadOf`, `${scheme}${host}/`]],
        redact: [credentials, password].filter((secret) => secret !== ""),
    };
}

/**
 * The same header from the same secrets in the same order as `getAuthToken` in
 * https://github.com/moby/buildkit/blob/v0.31.1/source/git/source.go
 */
function findAuthorization(
    remote: string,
    secrets: Readonly<Record<string, string>>,
): { readonly value: string; readonly redact: readonly string[] } | undefined {
    const host = /^https?:\/\/([^/]+)/.exec(remote)?.[1];
    if (host === undefined) {
        return undefined;
    }
    for (const suffix of [`.${host}`, ""]) {
        const header = secrets[`GIT_AUTH_HEADER${suffix}`];
        if (header !== undefined) {
            return { value: header, redact: [header, ...header.split(" ").slice(1)] };
        }
        const token = secrets[`GIT_AUTH_TOKEN${suffix}`];
        if (token !== undefined) {
            const encoded = Buffer.from(`x-access-token:${token}`).toString("base64");
            return { value: `basic ${encoded}`, redact: [token, encoded] };
        }
    }
    return undefined;
}

/** As `tokenScope` there: submodules on GitHub get the header, too. */
function headerScope(remote: string): string {
    return /^https:\/\/(?:www\.)?github\.com\//.exec(remote)?.[0] ?? remote;
}

/** See https://git-scm.com/docs/git-config#ENVIRONMENT: what the environment has already stays. */
function toEnvironment(settings: readonly Setting[]): Record<string, string> {
    if (settings.length === 0) {
        return {};
    }
    const first = Number(process.env.GIT_CONFIG_COUNT ?? 0);
    const entries = settings.flatMap(([key, value], index): [string, string][] => [
        [`GIT_CONFIG_KEY_${first + index}`, key],
        [`GIT_CONFIG_VALUE_${first + index}`, value],
    ]);
    return { GIT_CONFIG_COUNT: String(first + settings.length), ...Object.fromEntries(entries) };
}
