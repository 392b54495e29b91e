import { rmSync, writeFileSync } from "node:fs";

/**
 * Writes a file that only its owner can read, also where it was readable by others before.
 * @param {string} path
 * @param {string} text
 */
export function writePrivate(path, text) {
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode: 0o600 });
}
