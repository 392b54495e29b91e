import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { MultiArchError } from "../errors";
import { nameWithPath, resolveInside, systemCode } from "./insideRoot";
import type { HashRequest } from "./request";

/** Where the Dockerfile of a build is. */
export type Dockerfile =
    | { readonly kind: "text"; readonly text: string }
    /** A local file. BuildKit is given its folder and reads its name there. */
    | { readonly kind: "file"; readonly folder: string; readonly name: string; readonly path: string }
    | { readonly kind: "url"; readonly url: string }
    /** A file in a remote context. */
    | { readonly kind: "inContext"; readonly path: string };

const property = "dockerfile.location";

/**
 * Finds the Dockerfile where buildx does: a text given inline, a path from the base directory, or by default the file
 * `Dockerfile` in the context. See `loadInputs` in https://github.com/docker/buildx/blob/v0.35.0/build/opt.go
 *
 * Throws a MultiArchError `context-missing` when there is none, `context-unreadable` when it may not be read.
 */
export async function locateDockerfile(request: HashRequest, contextIsLocal: boolean): Promise<Dockerfile> {
    const { location, inline } = request.dockerfile ?? {};
    if (location && inline) {
        throw new MultiArchError("context-missing", {
            what: "the Dockerfile is given twice, as location and as inline text",
            property: "dockerfile",
            next: "Give one of them.",
        });
    }
    if (inline) {
        return { kind: "text", text: inline };
    }
    if (location && /^https?:\/\//.test(location)) {
        return { kind: "url", url: location };
    }
    if (!contextIsLocal && !(location && isAbsolute(location))) {
        return { kind: "inContext", path: location ?? "Dockerfile" };
    }
    const shown = location ?? join(request.context.location, "Dockerfile");
    const wanted = resolve(request.baseDirectory ?? process.cwd(), shown);
    const folder = dirname(wanted);
    const name = await withItsCase(folder, basename(wanted));
    const path = await resolveInside(folder, name).catch((error: unknown) => {
        throw unreadableDockerfile(shown, error);
    });
    const status = path === undefined ? undefined : await stat(path);
    if (path === undefined || !status?.isFile()) {
        throw new MultiArchError("context-missing", {
            what: status
                ? `${nameWithPath(shown, wanted)} is not a file`
                : `there is no Dockerfile at ${nameWithPath(shown, wanted)}`,
            property,
            next: location
                ? undefined
                : "Create it, or name another in dockerfile.location, which starts at the folder of the program.",
        });
    }
    try {
        await (await open(path)).close();
    } catch (error) {
        throw unreadableDockerfile(shown, error);
    }
    return { kind: "file", folder, name, path };
}

/** A Dockerfile may also be called `dockerfile`: https://github.com/moby/moby/pull/10858 */
async function withItsCase(folder: string, name: string): Promise<string> {
    if (name !== "Dockerfile") {
        return name;
    }
    const names = (await readdir(folder).catch(() => undefined)) ?? [];
    return !names.includes(name) && names.includes("dockerfile") ? "dockerfile" : name;
}

function unreadableDockerfile(shown: string, error: unknown): MultiArchError {
    return new MultiArchError("context-unreadable", {
        what: `${shown} cannot be read (${systemCode(error)})`,
        property,
        cause: error,
    });
}
