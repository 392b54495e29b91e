import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./console.mjs";
import { cacheDir, ensureDir } from "./paths.mjs";

/**
 * Runs work that only one process may do at a time; others wait. The lock of a process that died is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(name, work) {
    const file = join(ensureDir(cacheDir), `${name}.lock`);
    for (let told = false; !tryLock(file); told = true) {
        if (!told) {
            say(`waiting for process ${readHolder(file)}, which is setting up the same checkout`);
        }
        await delay(250);
    }
    try {
        return await work();
    } finally {
        rmSync(file, { force: true });
    }
}

/** @param {string} file */
function tryLock(file) {
    try {
        writeFileSync(file, String(process.pid), { flag: "wx" });
        return true;
    } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") {
            throw error;
        }
    }
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) {
        rmSync(file, { force: true });
    }
    return false;
}

/** @param {string} file */
function readHolder(file) {
    try {
        return Number.parseInt(readFileSync(file, "utf8"), 10) || undefined;
    } catch {
        return undefined;
    }
}

/** @param {number} pid */
function isAlive(pid) {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
    }
}
