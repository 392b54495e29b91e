import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { step } from "./console.mjs";
import { startDaemon } from "./daemon.mjs";
import { run } from "./exec.mjs";
import { buildGoTool, isBuilt } from "./goBuild.mjs";
import { s3Server } from "./goTable.mjs";
import { withLock } from "./lock.mjs";
import { requireNpm } from "./node.mjs";
import { binDir, cacheDir, ensureDir, logDir, repoRoot } from "./paths.mjs";
import { listensOn } from "./processes.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";

const azuritePin = join(repoRoot, "tools", "azurite");
const azuriteDir = join(cacheDir, "azurite");
const azuriteScript = join(azuriteDir, "node_modules", "azurite", "dist", "src", "blob", "main.js");

/**
 * @typedef {object} CacheServers
 * @property {string} s3 the binary of an S3 server
 * @property {string} azurite the script of Azurite, the emulator of Azure Blob Storage
 *
 * @typedef {object} ServerOptions
 * @property {string} dir what the server keeps; created when missing
 * @property {string} host the address it listens on
 * @property {number} port
 * @property {string} account the id of its only account
 * @property {string} key the secret of that account
 * @property {string} [netns] a network namespace to run in
 */

/**
 * Makes the servers available that the tests of the cache run against: built and installed once from the pins.
 * @returns {Promise<CacheServers>}
 */
export async function ensureCacheServers() {
    if (!isBuilt(s3Server)) {
        await withLock("tools", async () => void (isBuilt(s3Server) || (await buildGoTool(s3Server))));
    }
    if (!hasAzurite()) {
        await withLock("azurite", async () => void (hasAzurite() || (await installAzurite())));
    }
    return { s3: join(binDir, s3Server.name), azurite: azuriteScript };
}

/**
 * Starts an S3 server with one bucket. It refuses what is not signed with the account's key.
 * @param {ServerOptions & { binary: string, bucket: string, region: string }} options
 */
export async function startS3Server({ binary, dir, host, port, account, key, bucket, region, netns }) {
    const root = ensureDir(join(dir, "buckets"));
    ensureDir(join(root, bucket));
    const daemon = await startDaemon({
        name: "s3",
        dir: ensureDir(dir),
        // Not every file system has the extended attributes it would keep its metadata in.
        argv: [
            ...[binary, "--port", `${host}:${port}`, "--region", region, "--quiet"],
            ...["posix", "--sidecar", ensureDir(join(dir, "metadata")), root],
        ],
        env: { ...process.env, ROOT_ACCESS_KEY: account, ROOT_SECRET_KEY: key },
        configuration: hashOf([account, key]),
        netns,
        isReady: (pid) => listensOn(pid, port),
    });
    return { ...daemon, url: `http://${host}:${port}` };
}

/**
 * Starts Azurite for blobs. It refuses what is not signed with the account's key.
 * @param {ServerOptions & { node: string, script: string }} options
 */
export async function startAzurite({ node, script, dir, host, port, account, key, netns }) {
    const daemon = await startDaemon({
        name: "azurite",
        dir: ensureDir(dir),
        argv: [
            ...[node, script, "--blobHost", host, "--blobPort", String(port), "--location", dir],
            // BuildKit is ahead of the versions it knows.
            ...["--silent", "--skipApiVersionCheck", "--disableTelemetry"],
        ],
        env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` },
        configuration: hashOf([account, key]),
        netns,
        isReady: (pid) => listensOn(pid, port),
    });
    return { ...daemon, url: `http://${host}:${port}/${account}` };
}

function hasAzurite() {
    return readJson(join(azuriteDir, "stamp.json"))?.pin === azuriteHash() && existsSync(azuriteScript);
}

function azuriteHash() {
    return hashOf([readFileSync(join(azuritePin, "package-lock.json"))]);
}

async function installAzurite() {
    const { version } = readJson(join(azuritePin, "package-lock.json")).packages["node_modules/azurite"];
    const temporary = `${azuriteDir}.${process.pid}`;
    rmSync(temporary, { recursive: true, force: true });
    ensureDir(temporary);
    try {
        for (const file of ["package.json", "package-lock.json"]) {
            cpSync(join(azuritePin, file), join(temporary, file));
        }
        await step(
            `installing Azurite ${version}`,
            () =>
                run([requireNpm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
                    cwd: temporary,
                    logFile: join(logDir, "azurite.log"),
                }),
            { expect: "about 1 min" },
        );
        writeJson(join(temporary, "stamp.json"), { pin: azuriteHash() });
        rmSync(azuriteDir, { recursive: true, force: true });
        renameSync(temporary, azuriteDir);
    } finally {
        rmSync(temporary, { recursive: true, force: true });
    }
}
