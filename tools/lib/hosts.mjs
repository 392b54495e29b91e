import { lookup } from "node:dns/promises";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { cacheDir } from "./paths.mjs";

const HOSTS_FILE = "/etc/hosts";
const TAG = "# added by pulumi-multiarch";

/**
 * Makes a name resolve to an address on this machine, with a line in /etc/hosts where nobody else has done so. Other
 * checkouts have lines of their own, and may be cleaned before this one.
 * @param {string} name
 * @param {string} address
 * @param {{ file?: string, owner?: string, resolve?: (name: string) => Promise<string | undefined> }} [options]
 *     `owner`: whose line it is; this checkout's cache folder when not given
 * @returns {Promise<boolean>} true when a line was added
 */
export async function ensureHostsLine(name, address, options = {}) {
    const { file = HOSTS_FILE, owner = ownFolder(), resolve = resolveName } = options;
    const lines = readLines(file);
    const own = `${address} ${name} ${TAG} for ${owner}`;
    const isShared = lines.some((line) => line.includes(TAG));
    if (lines.includes(own) || (!isShared && (await resolve(name)) === address)) {
        return false;
    }
    // Written in place: inside a container this file is a mount and cannot be replaced by another one.
    writeFileSync(file, [...lines.filter((line) => !isOwn(line, owner)), own, ""].join("\n"));
    return true;
}

/**
 * Takes the lines of this checkout out of /etc/hosts.
 * @param {{ file?: string, owner?: string }} [options]
 * @returns {{ removed: boolean, others: boolean }} `others`: other checkouts have lines there
 */
export function removeHostsLines({ file = HOSTS_FILE, owner = ownFolder() } = {}) {
    const lines = readLines(file);
    const rest = lines.filter((line) => !isOwn(line, owner));
    const removed = rest.length < lines.length;
    if (removed) {
        writeFileSync(file, [...rest, ""].join("\n"));
    }
    return { removed, others: rest.some((line) => line.includes(TAG)) };
}

/** @param {string} file */
function readLines(file) {
    return readFileSync(file, "utf8").trimEnd().split("\n");
}

/** @param {string} line @param {string} owner */
function isOwn(line, owner) {
    return line.endsWith(`${TAG} for ${owner}`);
}

/** The folder that makes this environment another than all others, also where a link leads to it. */
function ownFolder() {
    return existsSync(cacheDir) ? realpathSync(cacheDir) : cacheDir;
}

/** @param {string} name */
async function resolveName(name) {
    try {
        return (await lookup(name)).address;
    } catch {
        return undefined;
    }
}
