import { readFileSync } from "node:fs";
import { join } from "node:path";
import { embeddedDir, envFile, stateDir } from "./embeddedState.mjs";
import { binDir, ensureDir, nodeDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";

/**
 * The variables with which pulumi, buildx and our own registry client work in the embedded environment.
 * @param {import("./embedded.mjs").Embedded} embedded
 * @returns {Record<string, string | undefined>} undefined where a variable must not be set
 */
export function describeEnv({ registry, certificates, passphraseFile }) {
    return {
        PULUMI_BACKEND_URL: `file://${ensureDir(stateDir)}`,
        // It would win over the file, and is about the user's own stacks.
        PULUMI_CONFIG_PASSPHRASE: undefined,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
        PULUMI_HOME: process.env.PULUMI_HOME || ensureDir(join(embeddedDir, "pulumi")),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        SSL_CERT_FILE: certificates.bundleFile,
        DOCKER_CONFIG: writeDockerConfig(registry),
    };
}

/**
 * What the programs in examples/ are configured with.
 * @param {import("./embedded.mjs").Embedded} embedded
 */
export function describeConfig({ registry, builders, certificates }) {
    const [amd64, arm64] = ["linux/amd64", "linux/arm64"].map((platform) =>
        builders.find((builder) => builder.platform === platform),
    );
    return {
        plain: {
            registry: registry.address,
            username: registry.username,
            amd64Builder: amd64?.address ?? "",
            arm64Builder: arm64?.address ?? "",
            builderCa: readFileSync(certificates.caFile, "utf8"),
            builderCert: readFileSync(certificates.client.certFile, "utf8"),
            emulation: builders.some(({ emulated }) => emulated) ? "allow" : "never",
        },
        secret: {
            password: registry.password,
            builderKey: readFileSync(certificates.client.keyFile, "utf8"),
        },
    };
}

/**
 * Writes `.cache/env`, for `source .cache/env` in a shell.
 * @param {Record<string, string | undefined>} variables
 */
export function writeEnvFile(variables) {
    const path = [binDir, join(nodeDir, "bin")].map(quote).join(":");
    const lines = Object.entries(variables).map(([name, value]) =>
        value === undefined ? `unset ${name}` : `export ${name}=${quote(value)}`,
    );
    writePrivate(envFile, [`export PATH=${path}:"$PATH"`, ...lines, ""].join("\n"));
}

/**
 * A folder of its own for docker's configuration: the user's knows nothing of this registry, and stays that way.
 * @param {{ address: string, username: string, password: string }} registry
 */
function writeDockerConfig({ address, username, password }) {
    const dir = ensureDir(join(embeddedDir, "docker"));
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    writePrivate(join(dir, "config.json"), JSON.stringify({ auths: { [address]: { auth } } }));
    return dir;
}

/** @param {string} text */
function quote(text) {
    return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
