import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * One hash over texts and buffers, each with its length so that neighbours cannot run together.
 * @param {(string | Buffer)[]} parts
 */
export function hashOf(parts) {
    const hash = createHash("sha256");
    for (const part of parts) {
        hash.update(`${Buffer.byteLength(part)}:`).update(part);
    }
    return hash.digest("hex");
}

/**
 * Reads a JSON file; nothing when it is missing or broken, because then the step behind it has to run anyway.
 * @param {string} path
 * @returns {any}
 */
export function readJson(path) {
    try {
        return JSON.parse(readFileSync(path, "utf8"));
    } catch {
        return undefined;
    }
}

/**
 * Writes a JSON file in one move, so that no reader sees half of it.
 * @param {string} path
 * @param {unknown} value
 */
export function writeJson(path, value) {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(value, null, 4)}\n`);
    renameSync(temporary, path);
}
