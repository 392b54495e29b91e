import type { CommandOptions, CommandResult } from "../build/exec";
import { MultiArchError } from "../errors";
import { dockerHubKey, hasAccount, normaliseAddress, type RegistryCredential } from "./accounts";
import { type DockerAuth, type DockerConfig, findDockerConfigDir, readDockerConfig } from "./dockerConfig";

/** An account that was found, and what it consists of. */
export interface FoundCredential {
    /** The registry, normalised. */
    readonly address: string;
    readonly username?: string;
    readonly password?: string;
    /** A refresh token, to be exchanged for access tokens. */
    readonly identityToken?: string;
    /** An access token, to be sent as it is. */
    readonly registryToken?: string;
    /** Where it came from, for people. */
    readonly source: string;
}

/** Runs a program; `runCommand` of `sdk/build/exec.ts`. */
export type RunCommand = (
    options: CommandOptions,
) => Promise<Pick<CommandResult, "stdout" | "stderrTail" | "exitCode">>;

/** Where to look for accounts. */
export interface CredentialSources {
    /** Accounts the user gave. They win over the docker configuration. */
    readonly registries?: readonly RegistryCredential[] | undefined;
    /** The folder of the docker configuration. By default DOCKER_CONFIG, or `.docker` in the home folder. */
    readonly dockerConfigDir?: string | undefined;
    /** The environment of this process, handed on to credential helpers. */
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly runCommand: RunCommand;
    readonly signal?: AbortSignal | undefined;
}

const helperTimeoutMs = 30_000;
const refreshTokenUser = "<token>";

/**
 * Finds the account for a registry: in `registries`, else where docker would look. Nothing is remembered, because
 * tokens of helpers expire during long builds. Undefined when there is none.
 *
 * Throws a MultiArchError `registry-credentials` when the docker configuration or a helper is broken.
 */
export async function findCredential(
    registryHost: string,
    sources: CredentialSources,
): Promise<FoundCredential | undefined> {
    const address = normaliseAddress(registryHost);
    const given = sources.registries?.find(
        (registry) => hasAccount(registry) && normaliseAddress(registry.address) === address,
    );
    if (given) {
        return makeCredential(address, given.username ?? "", given.password ?? "", "registries");
    }
    const config = await readDockerConfig(sources.dockerConfigDir ?? findDockerConfigDir(sources.env), sources.env);
    const key = address === "docker.io" ? dockerHubKey : address;
    // The same order as docker's: the answer of a helper is final, so that this check and the build never disagree.
    // https://github.com/docker/cli/blob/v28.0.0/cli/config/configfile/file.go (GetCredentialsStore)
    const helper = lookUp(config.credHelpers, key) ?? config.credsStore ?? "";
    return helper === "" ? readAuth(address, key, config) : askHelper(helper, address, key, sources);
}

function readAuth(address: string, key: string, config: DockerConfig): FoundCredential | undefined {
    const auth: DockerAuth | undefined = lookUp(config.auths, key);
    const source = "the docker configuration";
    if (auth === undefined) {
        return undefined;
    }
    if (auth.registrytoken) {
        return { address, registryToken: auth.registrytoken, source };
    }
    if (auth.identitytoken) {
        return { address, identityToken: auth.identitytoken, source };
    }
    const pair = auth.auth
        ? Buffer.from(auth.auth, "base64").toString("utf8")
        : `${auth.username ?? ""}:${auth.password ?? ""}`;
    const colon = pair.indexOf(":");
    // Docker pads some passwords with zero bytes.
    const password = pair.slice(colon + 1).replace(/^\0+|\0+$/g, "");
    return colon < 1 ? undefined : { address, username: pair.slice(0, colon), password, source };
}

/** The protocol of https://github.com/docker/docker-credential-helpers: the server on stdin, JSON on stdout. */
async function askHelper(
    helper: string,
    address: string,
    key: string,
    sources: CredentialSources,
): Promise<FoundCredential | undefined> {
    const program = `docker-credential-${helper}`;
    const fail = (reason: string, lines: string[] = []): never => {
        throw new MultiArchError("registry-credentials", {
            what: `${address}: the credential helper ${program} ${reason}`,
            lines,
        });
    };
    if (!/^[A-Za-z0-9_.-]+$/.test(helper)) {
        return fail("has a name with characters that no program of that kind has");
    }
    const env = Object.entries(sources.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const result = await sources
        .runCommand({
            file: program,
            args: ["get"],
            env: Object.fromEntries(env),
            input: key,
            timeoutMs: helperTimeoutMs,
            signal: sources.signal,
        })
        .catch((error: unknown) => {
            if (error instanceof MultiArchError && error.code === "tool-missing") {
                return fail("is not on PATH");
            }
            throw error;
        });
    if (sources.signal?.aborted) {
        throw new MultiArchError("build-cancelled", { what: `${address}: asking ${program} was cancelled` });
    }
    if (result.exitCode !== 0) {
        // Helpers report on stdout.
        const report = (result.stdout.trim() || result.stderrTail.trim()).slice(0, 300);
        if (report.includes("credentials not found in native keychain")) {
            return undefined;
        }
        return fail(
            `failed (exit code ${result.exitCode ?? "none"})`,
            report.startsWith("{") ? [] : report.split("\n"),
        );
    }
    const answer = parseHelperAnswer(result.stdout);
    if (!answer) {
        return fail("did not answer with a user name and a secret");
    }
    const username = answer.username === refreshTokenUser ? "" : answer.username;
    return makeCredential(address, username, answer.secret, `the credential helper ${program}`);
}

function parseHelperAnswer(text: string): { username: string; secret: string } | undefined {
    try {
        const answer = JSON.parse(text) as { Username?: unknown; Secret?: unknown } | null;
        return typeof answer?.Username === "string" && typeof answer.Secret === "string"
            ? { username: answer.Username, secret: answer.Secret }
            : undefined;
    } catch {
        return undefined;
    }
}

function makeCredential(address: string, username: string, password: string, source: string): FoundCredential {
    return username === "" ? { address, identityToken: password, source } : { address, username, password, source };
}

/** The value for a host: under docker's own key, or under any other way to write the host. */
function lookUp<T>(values: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
    const exact = values?.[key];
    if (exact !== undefined) {
        return exact;
    }
    const host = normaliseAddress(key);
    return Object.entries(values ?? {}).find(([other]) => normaliseAddress(other) === host)?.[1];
}
