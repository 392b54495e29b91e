import type { Stats } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { MultiArchError } from "../errors";
import type { GitReference } from "./gitReference";
import { parseGitReference } from "./gitReference";
import { isMissing, nameWithPath, systemCode } from "./insideRoot";

/** What a location of a context turned out to be. */
export type Source =
    | { readonly kind: "folder"; readonly root: string }
    | { readonly kind: "git"; readonly reference: GitReference }
    | { readonly kind: "url"; readonly url: string }
    /** An OCI layout without a digest: its index says what it holds. */
    | { readonly kind: "layout"; readonly index: string }
    /** Something that its text alone describes: an image, a bake target, an OCI layout by digest. */
    | { readonly kind: "text"; readonly text: string };

interface LocateOptions {
    /** The property that holds the location, for errors. */
    readonly property: string;
    /** The folder that a relative location starts at. */
    readonly base: string;
}

/**
 * Decides what the main context is. As in buildx, a folder that exists wins over everything it could also mean:
 * https://github.com/docker/buildx/blob/v0.35.0/build/opt.go
 */
export async function locateMain(location: string, { property, base }: LocateOptions): Promise<Source> {
    const path = resolve(base, location);
    const status = await statIfThere(path, location, property);
    if (status?.isDirectory()) {
        return locateFolder(path, location, property);
    }
    const remote = locateRemote(location, property);
    if (remote) {
        return remote;
    }
    throw new MultiArchError("context-missing", {
        what: status
            ? `${nameWithPath(location, path)} is a file, not a folder`
            : `there is no folder ${nameWithPath(location, path)}`,
        property,
    });
}

/** Decides what a named context is. Here a URL wins over a folder of the same name. */
export async function locateNamed(location: string, { property, base }: LocateOptions): Promise<Source> {
    const remote = locateRemote(location, property);
    if (remote) {
        return remote;
    }
    if (location.startsWith("docker-image://") || location.startsWith("target:")) {
        return { kind: "text", text: location };
    }
    const layout = /^oci-layout:\/\/(.*?)(?::[\w.-]+)?(?:@(\w+:[0-9a-f]{32,}))?$/.exec(location);
    if (layout) {
        const [, path = "", digest] = layout;
        if (digest !== undefined) {
            return { kind: "text", text: `oci-layout@${digest}` };
        }
        const index = resolve(base, path, "index.json");
        const status = await statIfThere(index, location, property);
        if (!status) {
            throw new MultiArchError("context-missing", {
                what: `there is no OCI layout at ${nameWithPath(path, index)}`,
                property,
            });
        }
        return { kind: "layout", index };
    }
    const path = resolve(base, location);
    const status = await statIfThere(path, location, property);
    if (!status?.isDirectory()) {
        throw new MultiArchError("context-missing", {
            what: status
                ? `${nameWithPath(location, path)} is a file, not a folder`
                : `there is no folder ${nameWithPath(location, path)}`,
            property,
        });
    }
    return locateFolder(path, location, property);
}

async function locateFolder(path: string, location: string, property: string): Promise<Source> {
    try {
        // Opened and not asked for: what `access` answers is for another user when the process has two.
        await (await opendir(path)).close();
    } catch (error) {
        throw unreadableLocation(error, location, property);
    }
    return { kind: "folder", root: await realpath(path) };
}

function locateRemote(location: string, property: string): Source | undefined {
    try {
        const reference = parseGitReference(location);
        if (reference) {
            return { kind: "git", reference };
        }
    } catch (error) {
        throw new MultiArchError("context-unresolved", {
            what: `the git address cannot be used${error instanceof SyntaxError ? `: ${error.message}` : ""}`,
            property,
            cause: error,
        });
    }
    if (!/^https?:\/\//.test(location)) {
        return undefined;
    }
    if (!URL.canParse(location)) {
        throw new MultiArchError("context-unresolved", { what: "the address is not a URL", property });
    }
    return { kind: "url", url: location };
}

async function statIfThere(path: string, location: string, property: string): Promise<Stats | undefined> {
    try {
        return await stat(path);
    } catch (error) {
        if (isMissing(error)) {
            return undefined;
        }
        throw unreadableLocation(error, location, property);
    }
}

function unreadableLocation(error: unknown, location: string, property: string): MultiArchError {
    return new MultiArchError("context-unreadable", {
        what: `${location} cannot be read (${systemCode(error)})`,
        property,
        cause: error,
    });
}
