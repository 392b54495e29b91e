import { posix } from "node:path";

/** What an export writes. */
export type ExportKind = "oci" | "docker" | "tar" | "local";

/** All kinds, in the order of the documentation. */
export const exportKinds: readonly ExportKind[] = ["oci", "docker", "tar", "local"];

/** One file or folder of an export. */
export interface ExportTarget {
    /** Relative to the folder of the program, or absolute, as the program gives it. */
    readonly path: string;
    /** The platform whose image it holds; undefined where it holds all of them. */
    readonly platform: string | undefined;
}

/** Names the files and folders of an export. No two platforms ever share one. */
export function listTargets(kind: ExportKind, dest: string, platforms: readonly string[]): ExportTarget[] {
    const clean = cleanDest(dest);
    return kind === "oci"
        ? [{ path: clean, platform: undefined }]
        : platforms.map((platform) => ({ path: nameTarget(kind, clean, platform), platform }));
}

/** The one spelling of a path. */
export function cleanDest(dest: string): string {
    const clean = posix.normalize(dest.replaceAll("\\", "/"));
    return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}

/**
 * The parts of a platform's name. They become parts of paths, and an index may come from anywhere: fails for what is no
 * plain word.
 */
function splitPlatform(platform: string): string[] {
    const parts = platform.split("/");
    if (parts.length < 2 || !parts.every((part) => /^[a-z0-9][a-z0-9._]*$/i.test(part))) {
        throw new TypeError(`${JSON.stringify(platform)} is no platform that a path can be named after`);
    }
    return parts;
}

function nameTarget(kind: ExportKind, dest: string, platform: string): string {
    const parts = splitPlatform(platform);
    if (kind === "local") {
        // As buildx names them: https://docs.docker.com/build/exporters/local-tar/
        return posix.join(dest, parts.join("_"));
    }
    const { dir, base } = posix.parse(dest);
    const extension = /(?:\.tar(?:\.\w+)?|\.[a-z]\w*)$/i.exec(base.slice(1))?.[0] ?? "";
    return posix.join(dir, `${base.slice(0, base.length - extension.length)}-${parts.join("-")}${extension}`);
}

/**
 * Says how two paths are in each other's way: they are the same, or one is inside the other. Paths that differ only in
 * the case of their letters are the same file on macOS and Windows, so they count as the same.
 */
export function compareDests(one: string, other: string): "same" | "inside" | "around" | undefined {
    const [a, b] = [cleanDest(one).toLowerCase(), cleanDest(other).toLowerCase()];
    if (a === b) {
        return "same";
    }
    if (isInside(a, b)) {
        return "inside";
    }
    return isInside(b, a) ? "around" : undefined;
}

function isInside(path: string, folder: string): boolean {
    if (folder === ".") {
        return !posix.isAbsolute(path) && !path.startsWith("../") && path !== "..";
    }
    return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
