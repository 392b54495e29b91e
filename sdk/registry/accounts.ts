/** An account the user gave for one registry. */
export interface RegistryCredential {
    /** The registry: a host, with or without a port, scheme or path. All names of Docker Hub mean the same. */
    readonly address: string;
    readonly username?: string | undefined;
    /** The password. Without a user name it is taken for a refresh token. */
    readonly password?: string | undefined;
}

/** The key of Docker Hub in docker's configuration. */
export const dockerHubKey = "https://index.docker.io/v1/";

const dockerHubNames = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/** The host of an address as people and docker write it: no scheme, no path, one name for Docker Hub. */
export function normaliseAddress(address: string): string {
    const host = address
        .trim()
        .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
        .replace(/\/.*$/, "")
        .toLowerCase();
    return dockerHubNames.has(host) ? "docker.io" : host;
}

/** True when an account says more than an address. */
export function hasAccount(registry: RegistryCredential): boolean {
    return registry.username !== undefined || registry.password !== undefined;
}
