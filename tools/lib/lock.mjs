import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./console.mjs";
import { cacheDir, ensureDir } from "./paths.mjs";
import { startTimeOf } from "./processes.mjs";

const POLL_MS = 250;
// A lock without a holder is one that is being written, or one whose writer died or found the disk full.
const WRITING_MS = 5_000;

/**
 * Runs work that only one process may do at a time; others wait. The lock of a process that died is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {{ checkInterrupt?: () => void }} [options] `checkInterrupt`: throws when the user does not want to wait
 * @returns {Promise<T>}
 */
export async function withLock(name, work, { checkInterrupt } = {}) {
    const file = join(ensureDir(cacheDir), `${name}.lock`);
    const own = JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) });
    for (let told = false; !tryLock(file, own); told = true) {
        if (!told) {
            say(`waiting for process ${readHolder(read(file))?.pid ?? "?"}, which is setting up the same checkout`);
        }
        await delay(POLL_MS);
        checkInterrupt?.();
    }
    try {
        return await work();
    } finally {
        if (read(file) === own) {
            rmSync(file, { force: true });
        }
    }
}

/**
 * @param {string} file
 * @param {string} own
 */
function tryLock(file, own) {
    try {
        writeFileSync(file, own, { flag: "wx" });
        return true;
    } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") {
            throw error;
        }
    }
    const found = read(file);
    if (found !== undefined && isStale(file, found)) {
        takeAway(file, found);
    }
    return false;
}

/**
 * @param {string} file
 * @param {string} content
 */
function isStale(file, content) {
    const holder = readHolder(content);
    if (holder !== undefined) {
        // The pid may have been given to another process since.
        return startTimeOf(holder.pid) !== holder.startTime;
    }
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    return Date.now() - written > WRITING_MS;
}

/**
 * Removes a lock that nobody holds. Another process may have done so already, and locked again: that one is put back.
 * @param {string} file
 * @param {string} stale its content
 */
function takeAway(file, stale) {
    const aside = `${file}.${process.pid}`;
    try {
        renameSync(file, aside);
    } catch {
        return;
    }
    if (read(aside) === stale) {
        rmSync(aside, { force: true });
    } else {
        renameSync(aside, file);
    }
}

/**
 * @param {string | undefined} content
 * @returns {{ pid: number, startTime: string } | undefined} nothing when the content does not say
 */
function readHolder(content = "") {
    try {
        const { pid, startTime } = JSON.parse(content);
        return typeof pid === "number" && typeof startTime === "string" ? { pid, startTime } : undefined;
    } catch {
        return undefined;
    }
}

/** @param {string} file */
function read(file) {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
