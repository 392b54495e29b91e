import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { startDaemon } from "./daemon.mjs";
import { ensureDir } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";
import { listensOn } from "./processes.mjs";
import { hashOf } from "./stamp.mjs";

// The registry hashes the password of every single request. The passwords here are long and random, which no number of
// rounds improves, so it is the smallest that bcrypt knows.
const BCRYPT_ROUNDS = 4;

/**
 * @typedef {object} RegistryOptions
 * @property {string} binary the registry's own binary, distribution 3.1 or newer
 * @property {string} [name] names the process, its log and its pid file; `registry` when not given
 * @property {string} dir what the registry keeps; created when missing
 * @property {string} [storageDir] the images; `storage` below `dir` when not given
 * @property {string} host the name clients use, which the certificate has to carry
 * @property {number} port
 * @property {string} [bindAddress] where it listens; 127.0.0.1 when not given
 * @property {{ certFile: string, keyFile: string }} tls
 * @property {Record<string, string>} [users] passwords by name; without users everybody may do everything
 * @property {boolean} [readOnly] refuses every push and delete
 * @property {string} [netns] a network namespace to run in
 */

/**
 * A registry that runs.
 * @typedef {import("./daemon.mjs").Daemon & { address: string, reused: boolean }} Registry
 */

/**
 * Starts a TLS registry that allows deletes.
 * @param {RegistryOptions} options
 * @returns {Promise<Registry>}
 */
export async function startRegistry(options) {
    const {
        binary,
        name = "registry",
        dir,
        host,
        port,
        bindAddress = "127.0.0.1",
        tls,
        users,
        readOnly,
        netns,
    } = options;
    ensureDir(dir);
    const files = { config: join(dir, `${name}.json`), htpasswd: join(dir, `${name}.htpasswd`) };
    if (users !== undefined) {
        ensureHtpasswd(files.htpasswd, users);
    }
    const config = describeRegistry({
        address: `${bindAddress}:${port}`,
        storageDir: ensureDir(options.storageDir ?? join(dir, "storage")),
        tls,
        htpasswdFile: users === undefined ? undefined : files.htpasswd,
        readOnly: readOnly ?? false,
    });
    const daemon = await startDaemon({
        name,
        dir,
        argv: [binary, "serve", files.config],
        // Without this it tries to send traces to a collector on this machine.
        env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
        netns,
        configuration: hashOf([JSON.stringify(config), readFileSync(tls.certFile)]),
        beforeStart: () => {
            const secret = randomBytes(24).toString("base64url");
            writePrivate(files.config, JSON.stringify({ ...config, http: { ...config.http, secret } }, null, 4));
        },
        isReady: (pid) => listensOn(pid, port),
    });
    return { ...daemon, address: `${host}:${port}` };
}

/**
 * The configuration of a registry. It is YAML, of which JSON is a part.
 * See https://distribution.github.io/distribution/about/configuration/
 * @param {{
 *     address: string, storageDir: string, tls: { certFile: string, keyFile: string },
 *     htpasswdFile: string | undefined, readOnly: boolean,
 * }} options
 */
function describeRegistry({ address, storageDir, tls, htpasswdFile, readOnly }) {
    return {
        version: "0.1",
        log: { level: "warn", accesslog: { disabled: true } },
        storage: {
            filesystem: { rootdirectory: storageDir },
            delete: { enabled: true },
            maintenance: { readonly: { enabled: readOnly }, uploadpurging: { enabled: false } },
        },
        http: { addr: address, tls: { certificate: tls.certFile, key: tls.keyFile } },
        ...(htpasswdFile === undefined ? {} : { auth: { htpasswd: { realm: "registry", path: htpasswdFile } } }),
    };
}

/**
 * Writes the password file, unless the one that is there lets exactly these users in.
 * @param {string} path
 * @param {Record<string, string>} users
 */
function ensureHtpasswd(path, users) {
    const present = Object.fromEntries(readLines(path).map((line) => line.split(":")));
    const isSame =
        Object.keys(present).length === Object.keys(users).length &&
        Object.entries(users).every(
            ([name, password]) => name in present && bcrypt.compareSync(password, present[name]),
        );
    if (!isSame) {
        const lines = Object.entries(users).map(
            ([name, password]) => `${name}:${bcrypt.hashSync(password, BCRYPT_ROUNDS)}`,
        );
        writePrivate(path, `${lines.join("\n")}\n`);
    }
}

/** @param {string} path */
function readLines(path) {
    try {
        return readFileSync(path, "utf8").split("\n").filter(Boolean);
    } catch {
        return [];
    }
}
