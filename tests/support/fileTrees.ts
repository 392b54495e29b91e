import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** One entry of a folder, as far as an image says something of it. */
export interface SeenEntry {
    readonly kind: "directory" | "file" | "symlink" | "other";
    /** Permissions in octal. */
    readonly mode?: string;
    /** The digest of a file, the target of a link. */
    readonly content?: string;
    /** Seconds since 1970, for files. */
    readonly mtime?: number;
    /** How many names a file has. */
    readonly names?: number;
}

/** Everything below a folder, by path. */
export function readFileTree(folder: string, prefix = ""): Record<string, SeenEntry> {
    const entries = readdirSync(folder).flatMap((name): [string, SeenEntry][] => {
        const place = join(folder, name);
        const path = `${prefix}${name}`;
        const status = lstatSync(place);
        const mode = (status.mode & 0o7777).toString(8);
        if (status.isDirectory()) {
            return [[path, { kind: "directory", mode }], ...Object.entries(readFileTree(place, `${path}/`))];
        }
        if (status.isSymbolicLink()) {
            return [[path, { kind: "symlink", content: readlinkSync(place) }]];
        }
        if (!status.isFile()) {
            return [[path, { kind: "other" }]];
        }
        const content = createHash("sha256").update(readFileSync(place)).digest("hex");
        const mtime = Math.floor(status.mtimeMs / 1000);
        return [[path, { kind: "file", mode, content, mtime, names: status.nlink }]];
    });
    return Object.fromEntries(entries);
}
