import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const suffix = ".multiarch-part";

// Another machine may write to the same disk, and its processes are not known here.
const leftOverMs = 60 * 60 * 1000;

/**
 * Lends a folder beside what is to be written, on the same disk, so that a file is moved to its place when it is whole,
 * and only then. The folder goes in any case; one that a killed process has left goes with the next export.
 */
export async function withWorkFolder<Result>(
    parent: string,
    name: string,
    run: (folder: string) => Promise<Result>,
): Promise<Result> {
    await mkdir(parent, { recursive: true });
    const prefix = `.${name.slice(0, 80)}.`;
    await removeLeftOvers(parent, prefix);
    const folder = join(parent, `${prefix}${process.pid}-${randomBytes(6).toString("hex")}${suffix}`);
    await mkdir(folder, { mode: 0o700 });
    try {
        return await run(folder);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

async function removeLeftOvers(parent: string, prefix: string): Promise<void> {
    const names = await readdir(parent);
    for (const name of names.filter((each) => each.startsWith(prefix) && each.endsWith(suffix))) {
        const pid = Number(/^(\d+)-[0-9a-f]{12}$/.exec(name.slice(prefix.length, -suffix.length))?.[1]);
        const folder = join(parent, name);
        const { mtimeMs = Infinity } = await stat(folder).catch(() => ({ mtimeMs: undefined }));
        if (pid > 0 && !isRunning(pid) && mtimeMs < Date.now() - leftOverMs) {
            await rm(folder, { recursive: true, force: true });
        }
    }
}

function isRunning(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code !== "ESRCH";
    }
}
