import type { RegistryPlace } from "./world";

/** The content of a docker config.json with the account of a registry. */
export function createRegistryConfig({ registry, username, password }: RegistryPlace): string {
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    return JSON.stringify({ auths: { [registry]: { auth } } });
}
