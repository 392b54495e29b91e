import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { MultiArchError } from "../errors";
import { dockerHubKey, hasAccount, normaliseAddress, type RegistryCredential } from "./accounts";

/** One entry of `auths` in docker's configuration. */
export interface DockerAuth {
    /** `user:password` in base64. */
    readonly auth?: string;
    readonly username?: string;
    readonly password?: string;
    /** A refresh token, to be exchanged for access tokens. */
    readonly identitytoken?: string;
    /** An access token, to be sent as it is. */
    readonly registrytoken?: string;
}

/** The part of docker's configuration that concerns registries. */
export interface DockerConfig {
    readonly auths?: Readonly<Record<string, DockerAuth>>;
    /** Which credential helper serves which registry. */
    readonly credHelpers?: Readonly<Record<string, string>>;
    /** The credential helper for all other registries. */
    readonly credsStore?: string;
    /** Further folders with plugins of the docker CLI. */
    readonly cliPluginsExtraDirs?: readonly string[];
}

/** The folder of the user's docker configuration: DOCKER_CONFIG, or `.docker` in the home folder. */
export function findDockerConfigDir(env: Readonly<Record<string, string | undefined>>): string {
    return env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), ".docker");
}

/**
 * Reads the user's docker configuration: the file, and over it the accounts in DOCKER_AUTH_CONFIG, as docker 28.3 does.
 * A missing file is an empty one.
 *
 * Throws a MultiArchError `registry-credentials` when the file cannot be read or is not JSON.
 */
export async function readDockerConfig(
    folder: string,
    env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DockerConfig> {
    const config = await readConfigFile(folder);
    const added = readAuthVariable(env.DOCKER_AUTH_CONFIG ?? "");
    const isAdded = ([key]: [string, unknown]): boolean =>
        Object.keys(added).some((other) => normaliseAddress(other) === normaliseAddress(key));
    const auths = Object.entries(config.auths ?? {}).filter((entry) => !isAdded(entry));
    const credHelpers = Object.entries(config.credHelpers ?? {}).filter((entry) => !isAdded(entry));
    if (Object.keys(added).length === 0) {
        return config;
    }
    return {
        ...config,
        auths: { ...Object.fromEntries(auths), ...added },
        credHelpers: { ...Object.fromEntries(credHelpers), ...withoutHelper(Object.keys(added)) },
    };
}

/**
 * An empty helper makes docker read `auths`, which it does not do for a registry that credsStore serves:
 * https://github.com/docker/cli/blob/v28.0.0/cli/config/configfile/file.go (getConfiguredCredentialStore)
 */
function withoutHelper(keys: readonly string[]): Record<string, string> {
    return Object.fromEntries(keys.map((key) => [key, ""]));
}

/** What docker cannot read in this variable, it ignores. */
function readAuthVariable(text: string): Readonly<Record<string, DockerAuth>> {
    try {
        return parseDockerConfig(text).auths ?? {};
    } catch {
        return {};
    }
}

async function readConfigFile(folder: string): Promise<DockerConfig> {
    const file = join(folder, "config.json");
    let text: string;
    try {
        text = await readFile(file, "utf8");
    } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
        if (code === "ENOENT" || code === "ENOTDIR") {
            return {};
        }
        throw new MultiArchError("registry-credentials", {
            what: `${file} cannot be read (${code})`,
            next: "Check the permissions of the file, or give the account in registries.",
        });
    }
    try {
        return parseDockerConfig(text);
    } catch {
        // The error of the parser quotes the text, and the text holds passwords.
        throw new MultiArchError("registry-credentials", {
            what: `${file} is not a docker configuration`,
            next: "Fix the file, or give the account in registries.",
        });
    }
}

/** Reads the text of a docker configuration. Fails when it is not a JSON object; an empty text is an empty object. */
export function parseDockerConfig(text: string): DockerConfig {
    const document: unknown = text.trim() === "" ? {} : JSON.parse(text);
    if (!isRecord(document)) {
        throw new TypeError("not an object");
    }
    const { auths, credHelpers, credsStore, cliPluginsExtraDirs } = document;
    return {
        ...(isRecord(auths) ? { auths: onlyValues(auths, isRecord) } : {}),
        ...(isRecord(credHelpers) ? { credHelpers: onlyValues(credHelpers, isText) } : {}),
        ...(isText(credsStore) && credsStore !== "" ? { credsStore } : {}),
        ...(Array.isArray(cliPluginsExtraDirs) ? { cliPluginsExtraDirs: cliPluginsExtraDirs.filter(isText) } : {}),
    };
}

/**
 * The content of a config.json for a build: the user's accounts and helpers, with `registries` in their place where
 * both know a registry.
 *
 * Nothing else is taken over. Above all not `proxies`: they become build arguments, so that an image would depend on
 * the machine, and the builder has a network of its own. `cliPluginsExtraDirs` stays, because docker looks for buildx
 * there; folders that are given in addition come first.
 */
export function privateDockerConfig(
    registries: readonly RegistryCredential[],
    userConfig: DockerConfig,
    extraPluginDirs: readonly string[] = [],
): string {
    const accounts = new Map<string, DockerAuth>();
    for (const registry of registries.filter(hasAccount)) {
        const host = normaliseAddress(registry.address);
        if (!accounts.has(host)) {
            accounts.set(host, toDockerAuth(registry));
        }
    }
    const isOurs = ([key]: [string, unknown]): boolean => accounts.has(normaliseAddress(key));
    const keys = [...accounts.keys()].map((host) => (host === "docker.io" ? dockerHubKey : host));
    const auths = {
        ...Object.fromEntries(Object.entries(userConfig.auths ?? {}).filter((entry) => !isOurs(entry))),
        ...Object.fromEntries([...accounts.values()].map((auth, position) => [keys[position] ?? "", auth])),
    };
    const credHelpers = {
        ...Object.fromEntries(Object.entries(userConfig.credHelpers ?? {}).filter((entry) => !isOurs(entry))),
        ...(userConfig.credsStore === undefined ? {} : withoutHelper(keys)),
    };
    const pluginDirs = [...extraPluginDirs, ...(userConfig.cliPluginsExtraDirs ?? [])];
    const config = {
        auths,
        ...(Object.keys(credHelpers).length > 0 ? { credHelpers } : {}),
        ...(userConfig.credsStore === undefined ? {} : { credsStore: userConfig.credsStore }),
        ...(pluginDirs.length > 0 ? { cliPluginsExtraDirs: pluginDirs } : {}),
    };
    return `${JSON.stringify(config, undefined, 2)}\n`;
}

function toDockerAuth({ username, password }: RegistryCredential): DockerAuth {
    // A password without a name is a refresh token, as for containerd:
    // https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/resolver.go (ResolverOptions)
    if (username === undefined || username === "") {
        return { identitytoken: password ?? "" };
    }
    return { auth: Buffer.from(`${username}:${password ?? ""}`, "utf8").toString("base64") };
}

function onlyValues<T>(record: Record<string, unknown>, accepts: (value: unknown) => value is T): Record<string, T> {
    const entries = Object.entries(record).filter((entry): entry is [string, T] => accepts(entry[1]));
    return Object.fromEntries(entries);
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
    return typeof value === "string";
}
