import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { registerEmulation } from "./binfmt.mjs";
import { isEmulated, startBuildkitd } from "./buildkitd.mjs";
import { say } from "./console.mjs";
import { findDaemon } from "./daemon.mjs";
import { ensureEmbeddedCertificates } from "./embeddedCertificates.mjs";
import { bootId, daemons, embeddedDir, readEmulation, readState, updateState } from "./embeddedState.mjs";
import { ensureHostsLine } from "./hosts.mjs";
import { findFreePort } from "./ports.mjs";
import { writePrivate } from "./privateFile.mjs";
import { startRegistry } from "./registry.mjs";
import { ensureStandIns, standIns } from "./standins.mjs";

/**
 * @typedef {import("./system.mjs").Arch} Arch
 * @typedef {import("./embeddedCertificates.mjs").EmbeddedCertificates} EmbeddedCertificates
 */

/** The name of the registry. The domain .test belongs to nobody: https://www.rfc-editor.org/rfc/rfc6761#section-6.2 */
export const registryHost = "registry.multiarch.test";

const LOOPBACK = "127.0.0.1";
const WANTED_PORTS = { registry: 5443, mirror: 5444, amd64: 8372, arm64: 8373 };
const ARCHES = /** @type {const} */ (["amd64", "arm64"]);

/**
 * A registry and two builders that run on this machine and listen on loopback only.
 * @typedef {object} Embedded
 * @property {{ address: string, username: string, password: string }} registry
 * @property {import("./buildkitd.mjs").Buildkitd[]} builders
 * @property {EmbeddedCertificates} certificates
 * @property {string} passphraseFile what encrypts the secrets of the stacks
 */

/**
 * Brings the embedded environment up. What runs already stays as it is; what has died is started again.
 * @param {import("./toolchain.mjs").Toolchain} toolchain
 * @returns {Promise<Embedded>}
 */
export async function startEmbedded(toolchain) {
    mkdirSync(embeddedDir, { recursive: true, mode: 0o700 });
    const mirrorStorage = await prepareStandIns(toolchain);
    const certificates = await ensureEmbeddedCertificates(join(embeddedDir, "tls"), {
        dnsNames: [registryHost],
        ipAddresses: [LOOPBACK],
    });
    if (await ensureHostsLine(registryHost, LOOPBACK)) {
        say(`added to /etc/hosts: ${LOOPBACK} ${registryHost}`);
    }
    await registerForeignPlatforms();
    const ports = await choosePorts();

    const username = "developer";
    const password = ensureSecret("password");
    const common = { binary: toolchain.bin("registry"), host: registryHost, tls: certificates.server };
    const registry = await startRegistry({
        ...common,
        ...daemons.registry,
        port: ports.registry,
        users: { [username]: password },
    });
    announce("registry", registry);
    const mirror =
        mirrorStorage === undefined
            ? undefined
            : await startRegistry({
                  ...common,
                  ...daemons.mirror,
                  storageDir: mirrorStorage,
                  port: ports.mirror,
                  readOnly: true,
              });
    if (mirror !== undefined) {
        announce("mirror with the stand-ins", mirror);
    }

    const { caFile } = certificates;
    const registries = [registry, mirror].flatMap((one) => (one === undefined ? [] : [[one.address, { caFile }]]));
    const builders = [];
    for (const arch of ARCHES) {
        const builder = await startBuildkitd({
            binary: toolchain.bin("buildkitd"),
            ...daemons[arch],
            platform: `linux/${arch}`,
            address: `tcp://${LOOPBACK}:${ports[arch]}`,
            tls: { caFile, ...certificates.server },
            registries: Object.fromEntries(registries),
            ...(mirror === undefined ? {} : { mirror: mirror.address }),
        });
        announce(`builder for linux/${arch}${builder.emulated ? ", emulated by QEMU" : ""}`, builder);
        builders.push(builder);
    }
    ensureSecret("passphrase");
    return {
        registry: { address: registry.address, username, password },
        builders,
        certificates,
        passphraseFile: secretFile("passphrase"),
    };
}

/**
 * @param {import("./toolchain.mjs").Toolchain} toolchain
 * @returns {Promise<string | undefined>} the storage of the stand-ins, or nothing where Docker Hub has the real images
 */
async function prepareStandIns(toolchain) {
    const prepared = await ensureStandIns(toolchain);
    if (!prepared.needed) {
        return undefined;
    }
    say(`Docker Hub does not answer: a local mirror has stand-ins for ${Object.values(standIns).join(", ")}`);
    return prepared.storageDir;
}

async function registerForeignPlatforms() {
    for (const arch of ARCHES.filter((one) => isEmulated(`linux/${one}`))) {
        const { registered, mounted } = await registerEmulation(arch);
        if (registered) {
            say(`registered QEMU with the kernel (binfmt_misc): this machine now runs linux/${arch} programs, slowly`);
        }
        // A later run finds what an earlier one did: it stays ours to undo.
        const before = readEmulation()[arch];
        const ours = { registered: registered || before?.registered, mounted: mounted || before?.mounted };
        updateState({ boot: bootId(), emulation: { ...readEmulation(), [arch]: ours } });
    }
}

/**
 * The ports of an earlier run, or the wanted ones; the next free one where another program has taken one.
 * @returns {Promise<Record<keyof typeof daemons, number>>}
 */
async function choosePorts() {
    const ports = { ...WANTED_PORTS, ...readState().ports };
    for (const key of /** @type {(keyof typeof ports)[]} */ (Object.keys(ports))) {
        const taken = new Set(Object.entries(ports).flatMap(([other, port]) => (other === key ? [] : [port])));
        // A daemon of ours that runs holds its port itself.
        if (findDaemon(daemons[key]) === undefined) {
            ports[key] = await findFreePort(ports[key], { host: LOOPBACK, taken });
        }
    }
    updateState({ ports });
    return ports;
}

/**
 * @param {string} what
 * @param {{ address: string, pid: number, reused: boolean }} daemon
 */
function announce(what, { address, pid, reused }) {
    say(`${what}: ${address} (process ${pid}${reused ? ", was running" : ""})`);
}

/**
 * @param {string} name
 * @returns {string} what was made up for this machine once
 */
function ensureSecret(name) {
    const path = secretFile(name);
    if (!existsSync(path)) {
        writePrivate(path, randomBytes(24).toString("base64url"));
    }
    return readFileSync(path, "utf8");
}

/** @param {string} name */
function secretFile(name) {
    return join(embeddedDir, name);
}
