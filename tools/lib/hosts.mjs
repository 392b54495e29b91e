import { lookup } from "node:dns/promises";
import { readFileSync, writeFileSync } from "node:fs";

const HOSTS_FILE = "/etc/hosts";
const TAG = "# added by pulumi-multiarch";

/**
 * Makes a name resolve to an address on this machine, with a tagged line in /etc/hosts where it does not already.
 * @param {string} name
 * @param {string} address
 * @returns {Promise<boolean>} true when a line was added
 */
export async function ensureHostsLine(name, address) {
    if ((await resolveName(name)) === address) {
        return false;
    }
    // Written in place: inside a container this file is a mount and cannot be replaced by another one.
    writeFileSync(HOSTS_FILE, [...linesOfOthers(), `${address} ${name} ${TAG}`, ""].join("\n"));
    return true;
}

/**
 * Takes our lines out of /etc/hosts.
 * @returns {boolean} true when there were any
 */
export function removeHostsLines() {
    if (!readFileSync(HOSTS_FILE, "utf8").includes(TAG)) {
        return false;
    }
    writeFileSync(HOSTS_FILE, [...linesOfOthers(), ""].join("\n"));
    return true;
}

function linesOfOthers() {
    const lines = readFileSync(HOSTS_FILE, "utf8").trimEnd().split("\n");
    return lines.filter((line) => !line.endsWith(TAG));
}

/** @param {string} name */
async function resolveName(name) {
    try {
        return (await lookup(name)).address;
    } catch {
        return undefined;
    }
}
