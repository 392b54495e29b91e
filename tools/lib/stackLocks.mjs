import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { readJson } from "./stamp.mjs";

/**
 * Takes away the locks of updates that were killed. Pulumi's file backend has a file for each, with the process that
 * holds it, and never looks whether that one still runs. Locks of other machines stay.
 * @param {string} stateDir the folder of the backend
 * @returns {{ dropped: number, holders: number[] }} the processes that hold the others
 */
export function dropStaleLocks(stateDir) {
    const folder = join(stateDir, ".pulumi", "locks");
    const files = existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
    let dropped = 0;
    const holders = [];
    for (const file of files.filter((name) => name.endsWith(".json"))) {
        const { pid, hostname: host } = readJson(join(folder, file)) ?? {};
        if (typeof pid !== "number") {
            continue;
        }
        if (host === hostname() && !isPulumi(pid)) {
            rmSync(join(folder, file), { force: true });
            dropped++;
        } else {
            holders.push(pid);
        }
    }
    return { dropped, holders };
}

/**
 * Whether a process is a Pulumi: its id may be that of another program by now.
 * @param {number} pid
 */
function isPulumi(pid) {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]?.endsWith("pulumi") ?? false;
    } catch {
        return false;
    }
}
