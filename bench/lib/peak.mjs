import { readFileSync } from "node:fs";

/**
 * The most memory that a process ever had, in bytes.
 * @param {number | "self"} pid
 */
export function readPeak(pid) {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
