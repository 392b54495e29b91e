import { lstat, readlink } from "node:fs/promises";
import { join, posix, sep } from "node:path";

const maximumLinks = 255;

/**
 * Follows the symbolic links of `path` as BuildKit does: with `root` as the root of everything, so that a link never
 * leads out of it. Undefined when nothing is there. See
 * https://github.com/tonistiigi/fsutil/blob/6d9dc2ebad62/followlinks.go
 */
export async function resolveInside(root: string, path: string): Promise<string | undefined> {
    const pending = path.split("/");
    let current = "/";
    for (let links = 0; pending.length > 0;) {
        const next = posix.join(current, pending.shift() ?? "");
        const status = await lstat(join(root, next)).catch((error: unknown) => {
            if (!isMissing(error)) {
                throw error;
            }
        });
        if (!status) {
            return undefined;
        }
        if (!status.isSymbolicLink()) {
            current = next;
            continue;
        }
        links++;
        if (links > maximumLinks) {
            return undefined;
        }
        const target = (await readlink(join(root, next))).split(sep).join("/");
        pending.unshift(...target.split("/"));
        current = target.startsWith("/") ? "/" : current;
    }
    return join(root, current);
}

/** Whether a call to the file system failed because the path does not exist. */
export function isMissing(error: unknown): boolean {
    return ["ENOENT", "ENOTDIR"].includes(systemCode(error));
}

/** The system's name of an error, such as `EACCES`; empty for anything else that was thrown. */
export function systemCode(error: unknown): string {
    return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** A location as errors name it: with the path that was looked for, where that says more. */
export function nameWithPath(location: string, path: string): string {
    return location === path || location.includes("://") ? location : `${location} (${path})`;
}
