import { isReservedName } from "./environment";
import { secretsOf, type BuildRequest, type SecretSources } from "./request";

/** How build arguments reach buildx. The values of most never show in its argv. */
export interface BuildArgRoutes {
    /** What follows each `--build-arg`. */
    readonly flags: readonly string[];
    /** Values that travel in the environment of buildx. */
    readonly env: Readonly<Record<string, string>>;
    /** Proxies that travel in config.json, by their names there. */
    readonly proxies: Readonly<Record<string, string>>;
}

/** Something wrong with a build argument or a secret. */
export interface ArgProblem {
    /** The place, for example `buildArgs.PATH`. */
    readonly property: string;
    /** What is wrong, in one sentence without a full stop. */
    readonly reason: string;
}

// https://github.com/docker/cli/blob/v29.5.3/cli/config/configfile/file.go (ParseProxyConfig)
const proxyKeys: Readonly<Record<string, string>> = {
    HTTP_PROXY: "httpProxy",
    HTTPS_PROXY: "httpsProxy",
    FTP_PROXY: "ftpProxy",
    NO_PROXY: "noProxy",
    ALL_PROXY: "allProxy",
};
// One text in the environment of a program: https://man7.org/linux/man-pages/man2/execve.2.html
const longestText = 128 * 1024 - 1;
// https://github.com/moby/buildkit/blob/v0.31.1/session/secrets/secretsprovider/store.go
const largestSecret = 500 * 1024;

/**
 * Decides how each build argument reaches buildx. By name alone, with the value in the environment, wherever the name
 * means nothing to buildx itself. Otherwise in argv, unless the value is secret: proxies may hold a password, and for
 * them docker's configuration has a place.
 */
export function routeBuildArgs(request: Pick<BuildRequest, "buildArgs"> & SecretSources): BuildArgRoutes {
    const flags: string[] = [];
    const env: Record<string, string> = {};
    const proxies: Record<string, string> = {};
    const isSecret = secretTest(request);
    for (const [name, value] of Object.entries(request.buildArgs)) {
        const proxyKey = proxyKeys[name.toUpperCase()];
        if (!isReservedName(name)) {
            flags.push(name);
            env[name] = value;
        } else if (proxyKey !== undefined && isSecret(value)) {
            proxies[proxyKey] = value;
        } else {
            flags.push(`${name}=${value}`);
        }
    }
    return { flags, env, proxies };
}

/** Finds build arguments and secrets that cannot reach a build, or not without being seen. */
export function findBuildArgProblems(
    request: Pick<BuildRequest, "buildArgs" | "attestations" | "dockerfile"> & SecretSources,
): ArgProblem[] {
    const isSecret = secretTest(request);
    return [
        ...findPublishedSecrets(request, isSecret),
        ...Object.entries(request.buildArgs).flatMap(([name, value]) => {
            const reason = checkBuildArg(name, value, isSecret(value));
            return reason === undefined ? [] : [{ property: `buildArgs.${name}`, reason }];
        }),
        ...Object.entries(request.secrets).flatMap(([id, value]) => {
            const reason = checkSecret(id, value);
            return reason === undefined ? [] : [{ property: `secrets.${id}`, reason }];
        }),
    ];
}

/**
 * The fuller provenance holds the values of build arguments and the Dockerfile, for everyone who can pull the image.
 * https://github.com/moby/buildkit/blob/v0.31.1/docs/attestations/slsa-provenance.md#mode
 */
function findPublishedSecrets(
    { buildArgs, attestations, dockerfile }: Pick<BuildRequest, "buildArgs" | "attestations" | "dockerfile">,
    isSecret: (value: string) => boolean,
): ArgProblem[] {
    if (attestations?.provenance !== "max") {
        return [];
    }
    const names = Object.entries(buildArgs).filter(([, value]) => isSecret(value));
    const published = [
        ...names.map(([name]) => `the secret build argument ${name}`),
        ...(isSecret(dockerfile?.inline ?? "") ? ["the secret in dockerfile.inline"] : []),
    ];
    return published.map((what) => ({
        property: "attestations.provenance",
        reason: `max would publish ${what}. Use min, or give the value in secrets`,
    }));
}

function checkBuildArg(name: string, value: string, secret: boolean): string | undefined {
    // BuildKit takes these for its own options, whatever else it is told:
    // https://github.com/moby/buildkit/blob/v0.31.1/frontend/attestations/parse.go
    if (/^BUILDKIT_ATTEST_/i.test(name)) {
        return "a build argument of this name makes attestations of its own; use attestations";
    }
    if (!/^[^\s=\0]+$/.test(name)) {
        return "a build argument has a name without spaces and equals signs";
    }
    if (value.includes("\0")) {
        return "a build argument cannot hold a NUL character";
    }
    if (Buffer.byteLength(`${name}=${value}`) > longestText) {
        return "a build argument is at most 128 KiB long";
    }
    if (secret && isReservedName(name) && proxyKeys[name.toUpperCase()] === undefined) {
        return `${name} is a secret, and a build argument of this name would show in the list of processes; use secrets`;
    }
    return undefined;
}

function checkSecret(id: string, value: string): string | undefined {
    if (id === "" || id.includes("\0")) {
        return "a secret has an id";
    }
    return Buffer.byteLength(value) > largestSecret ? "a secret is at most 500 KiB long" : undefined;
}

/** The names of the build arguments whose values are secrets. */
export function listSecretArgs(request: Pick<BuildRequest, "buildArgs"> & SecretSources): string[] {
    const isSecret = secretTest(request);
    return Object.entries(request.buildArgs).flatMap(([name, value]) => (isSecret(value) ? [name] : []));
}

function secretTest(request: SecretSources): (value: string) => boolean {
    // As in what is printed, a line break at the end makes no difference.
    const secrets = secretsOf(request)
        .map((secret) => secret.trim())
        .filter((secret) => secret !== "");
    // A short secret is part of many harmless values.
    return (value) =>
        secrets.some((secret) => value.trim() === secret || (secret.length >= 8 && value.includes(secret)));
}

/** The content of config.json with proxies for the steps of a build. */
export function addProxies(config: string, proxies: Readonly<Record<string, string>>): string {
    if (Object.keys(proxies).length === 0) {
        return config;
    }
    const document = JSON.parse(config.trim() === "" ? "{}" : config) as Record<string, unknown>;
    return JSON.stringify({ ...document, proxies: { default: proxies } });
}
