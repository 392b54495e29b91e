import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

// Positions in /proc/PID/stat after the command name, see proc_pid_stat(5).
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;
const TCP_LISTEN = "0A";

/**
 * When a process started, in clock ticks since boot: with the pid it names one process for good, also after the pid
 * was given to another one. Undefined when there is no such process, or only its exit status is left.
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startTimeOf(pid) {
    const stat = readOptional(`/proc/${pid}/stat`);
    // The command name is in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return stat === "" || fields[STATE_FIELD] === "Z" ? undefined : fields[START_TIME_FIELD];
}

/**
 * True when this process itself listens on the TCP port, in whatever network namespace it lives.
 * @param {number} pid
 * @param {number} port
 */
export function listensOn(pid, port) {
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const inodes = ["tcp", "tcp6"]
        .flatMap((table) => readOptional(`/proc/${pid}/net/${table}`).split("\n").slice(1))
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === TCP_LISTEN && local?.endsWith(suffix))
        .map((fields) => `socket:[${fields[9]}]`);
    return inodes.length > 0 && openFilesOf(pid).some((file) => inodes.includes(file));
}

/**
 * The processes that run with these as their last arguments. Those that have ended and are not yet forgotten do not
 * count.
 * @param {string[]} args
 * @returns {number[]}
 */
export function processesWith(args) {
    const ending = args.map((arg) => `\0${arg}`).join("") + "\0";
    return allProcesses().filter((pid) => readOptional(`/proc/${pid}/cmdline`).endsWith(ending));
}

/**
 * The processes that run a program of this name, wherever it is.
 * @param {string} name
 * @returns {number[]}
 */
export function pidsOf(name) {
    return allProcesses().filter((pid) => basename(readOptional(`/proc/${pid}/cmdline`).split("\0")[0] ?? "") === name);
}

/**
 * The processes that a process has started and that still run.
 * @param {number} pid
 * @returns {number[]}
 */
export function childrenOf(pid) {
    return readOptional(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/**
 * The processes whose root folder is an overlay with its upper layer below `dir`: the containers of a builder there.
 * @param {string} dir
 * @returns {number[]}
 */
export function containersBelow(dir) {
    return allProcesses().filter((pid) => {
        const mounts = readOptional(`/proc/${pid}/mountinfo`).split("\n");
        const root = mounts.find((line) => line.split(" ")[4] === "/");
        return root !== undefined && unescapePath(root).includes(`upperdir=${dir}/`);
    });
}

/**
 * The mount points below a folder, innermost first.
 * @param {string} dir
 * @returns {string[]}
 */
export function mountsBelow(dir) {
    return readOptional("/proc/self/mountinfo")
        .split("\n")
        .map((line) => unescapePath(line.split(" ")[4] ?? ""))
        .filter((path) => path.startsWith(`${dir}/`))
        .reverse();
}

function allProcesses() {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
}

/** @param {number} pid */
function openFilesOf(pid) {
    try {
        return readdirSync(`/proc/${pid}/fd`).map((fd) => readOptionalLink(`/proc/${pid}/fd/${fd}`));
    } catch {
        return [];
    }
}

/** @param {string} path */
function readOptionalLink(path) {
    try {
        return readlinkSync(path);
    } catch {
        return "";
    }
}

/**
 * A process can end between two reads: what is gone reads as empty.
 * @param {string} path
 */
function readOptional(path) {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return "";
    }
}

/**
 * The kernel writes space, tab, newline and backslash as octal.
 * @param {string} path
 */
function unescapePath(path) {
    return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
