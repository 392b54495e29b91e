import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that these scripts belong to. */
export const repoRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Everything that is built, installed or kept between runs; git ignores it. `MULTIARCH_CACHE` moves it. */
export const cacheDir = resolve(repoRoot, process.env.MULTIARCH_CACHE || ".cache");

/** Tools that were built here, or links to the user's own where those have another name. */
export const binDir = join(cacheDir, "bin");

/** The Node.js that runs the SDK: `bin/node` is installed here or links to the user's. */
export const nodeDir = join(cacheDir, "node");

/** Output of long steps, one file each, overwritten by the next run. */
export const logDir = join(cacheDir, "logs");

/** What each tool was made from, so that a changed pin is noticed. */
export const stampDir = join(cacheDir, "stamps");

/**
 * Creates a folder and its parents.
 * @param {string} path
 * @returns {string} the same path
 */
export function ensureDir(path) {
    mkdirSync(path, { recursive: true });
    return path;
}
