import { accessSync, constants, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";
import { MultiArchError } from "../errors";
import { warden } from "./exec";

// Files with keys and passwords have to exist while buildx runs. They live in a folder of their own that only this
// user can enter, that goes when the work is done, that the warden takes away when this process was killed, and that
// the next process sweeps when both were.

const folderMode = 0o700;
const fileMode = 0o600;
const foreignFolderAgeMs = 7 * 24 * 3_600_000;

/** Where the private folders of this user are, one folder for each operation that runs. */
export interface FolderPlace {
    /** The folder that holds them. By default in `XDG_RUNTIME_DIR`, or in the folder for temporary files. */
    readonly base?: string | undefined;
    /**
     * True leaves the folder to the next start when this process is killed, which then undoes what it tells of. By default
     * it is gone a moment after the kill.
     */
    readonly swept?: boolean | undefined;
}

/** A folder that only this user can enter, and that is gone afterwards. */
export interface PrivateFolder {
    readonly path: string;
    /** Writes a file only this user can read, and folders on the way to it. Gives its absolute path. */
    write(name: string, content: string | Uint8Array): Promise<string>;
    /** Makes a folder inside. Gives its absolute path. */
    folder(name: string): Promise<string>;
}

/**
 * Runs a function with a private folder, and removes the folder when it is done, whatever happened.
 * Throws a MultiArchError `private-folder-unsafe` when somebody else could reach into the place.
 */
export async function withPrivateFolder<T>(
    work: (folder: PrivateFolder) => Promise<T>,
    place?: FolderPlace,
): Promise<T> {
    const base = await ensureBase(place);
    const root = await mkdtemp(path.join(base, `${process.pid}-${startTimeOf(process.pid) ?? "0"}-${processSpace()}-`));
    const release = place?.swept === true ? undefined : warden.guardFolder(root);
    await chmod(root, folderMode);
    try {
        return await work(openFolder(root));
    } finally {
        await rm(root, { recursive: true, force: true, maxRetries: 3 });
        release?.();
    }
}

/**
 * Removes the private folders of processes that are gone, and gives how many there were. Call it once at the start.
 * `undo` takes away what else such a process has left, as far as its folder tells.
 */
export async function sweepPrivateFolders(
    place?: FolderPlace,
    undo?: (folder: string) => Promise<void>,
): Promise<number> {
    const base = await ensureBase(place);
    let swept = 0;
    for (const entry of await readdir(base)) {
        const folder = path.join(base, entry);
        if (await isLeftOver(folder)) {
            await undo?.(folder);
            await rm(folder, { recursive: true, force: true, maxRetries: 3 });
            swept += 1;
        }
    }
    return swept;
}

/** The folder that holds the private folders of this user. */
export function defaultFolderBase(env: NodeJS.ProcessEnv = process.env): string {
    const runtime = env.XDG_RUNTIME_DIR;
    const parent = runtime !== undefined && isWritable(runtime) ? runtime : tmpdir();
    return path.join(parent, `pulumi-multiarch-${userInfo().uid}`);
}

function isWritable(folder: string): boolean {
    try {
        accessSync(folder, constants.W_OK);
        return true;
    } catch {
        return false;
    }
}

function openFolder(root: string): PrivateFolder {
    const inside = (name: string): string => {
        const full = path.resolve(root, name);
        if (!full.startsWith(root + path.sep)) {
            throw new Error(`${name} is not inside the private folder`);
        }
        return full;
    };
    return {
        path: root,
        write: async (name, content) => {
            const full = inside(name);
            await mkdir(path.dirname(full), { recursive: true, mode: folderMode });
            await writeFile(full, content, { mode: fileMode, flag: "wx" });
            return full;
        },
        folder: async (name) => {
            const full = inside(name);
            await mkdir(full, { recursive: true, mode: folderMode });
            return full;
        },
    };
}

async function ensureBase(place?: FolderPlace): Promise<string> {
    const base = place?.base ?? defaultFolderBase();
    await mkdir(base, { recursive: true, mode: folderMode });
    // The place for temporary files belongs to everybody: the name may have been taken by someone else.
    const found = lstatSync(base);
    if (!found.isDirectory()) {
        throw unsafe(base, "is not a folder");
    }
    if (process.platform !== "win32" && found.uid !== userInfo().uid) {
        throw unsafe(base, "belongs to another user");
    }
    if (process.platform !== "win32" && (found.mode & 0o077) !== 0) {
        await chmod(base, folderMode);
    }
    return base;
}

function unsafe(base: string, reason: string): MultiArchError {
    return new MultiArchError("private-folder-unsafe", {
        what: `${base}, the place for files with keys and passwords, ${reason}`,
    });
}

/** True for a folder whose process is gone. */
async function isLeftOver(folder: string): Promise<boolean> {
    const owner = /^(\d+)-(\d+)-(\d+)-/.exec(path.basename(folder));
    if (!owner) {
        return false;
    }
    if (owner[3] === processSpace()) {
        return isGone(Number(owner[1]), owner[2] ?? "");
    }
    // Made in another container that shares this folder: its processes cannot be seen from here.
    const found = await stat(folder).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs > foreignFolderAgeMs;
}

/** True when the process that made a folder does not run any more. Its number may have been given away since. */
function isGone(pid: number, startTime: string): boolean {
    const now = startTimeOf(pid);
    if (now !== undefined) {
        return startTime !== "0" && now !== startTime;
    }
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
}

/** When a process started, in ticks since the boot. Undefined where the system does not say. */
function startTimeOf(pid: number): string | undefined {
    try {
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8");
        // The name of the program is in brackets and may hold spaces; field 22 is the 20th after it.
        return fields.slice(fields.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
        return undefined;
    }
}

/** Stands for the set of processes this one can see: containers have one each. "0" where the system does not say. */
function processSpace(): string {
    try {
        return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
    } catch {
        return "0";
    }
}
