import { posix } from "node:path";

/** A git repository as a build context. */
export interface GitReference {
    /** What git connects to, without ref and folder. It may hold a password. */
    readonly remote: string;
    /** A branch, a tag, a full ref or a commit. Empty for the repository's default branch. */
    readonly ref: string;
    /** The folder in the repository. Empty for its root. */
    readonly folder: string;
    /** The commit that the ref has to point at, or the start of it. */
    readonly commit?: string | undefined;
    /** True when the commit is fetched whatever the ref points at. */
    readonly fetchByCommit: boolean;
    /** What else changes the files: BuildKit's options in the query, by their names there. */
    readonly options: Readonly<Record<string, string>>;
}

const transports = ["http", "https", "ssh", "git"];
const scpAddress = /^([a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:.*?)(?:\?(.*?))?(?:#(.*))?$/;
const urlAddress = /^([a-zA-Z0-9]+):\/\/([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/**
 * Reads a location as BuildKit does when it decides whether a context is a git repository. Undefined when it is not.
 *
 * Throws a SyntaxError when it is one, but with options that BuildKit would refuse. See
 * https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/dfgitutil/git_ref.go
 */
export function parseGitReference(location: string): GitReference | undefined {
    if (location.startsWith("./") || location.startsWith("../")) {
        return undefined;
    }
    const url = urlAddress.exec(location.startsWith("github.com/") ? `https://${location}` : location);
    if (url) {
        const [, scheme = "", path = "", query = "", fragment = ""] = url;
        const transport = scheme.toLowerCase();
        const plainHttp = transport.startsWith("http") && !location.startsWith("github.com/");
        if (!transports.includes(transport) || (plainHttp && !/\/.*\.git$/.test(path))) {
            return undefined;
        }
        return readReference(`${transport}://${path}`, query, decode(fragment));
    }
    const scp = scpAddress.exec(location);
    return scp ? readReference(scp[1] ?? "", scp[2] ?? "", scp[3] ?? "") : undefined;
}

function readReference(remote: string, query: string, fragment: string): GitReference {
    const colon = fragment.indexOf(":");
    const parts = new Map<string, string>([
        ["ref", colon < 0 ? fragment : fragment.slice(0, colon)],
        ["folder", colon < 0 ? "" : cleanFolder(fragment.slice(colon + 1))],
    ]);
    const set = (part: "ref" | "folder", value: string): void => {
        const known = parts.get(part);
        if (known && known !== value) {
            throw new SyntaxError(`it names two values for ${part}: ${known} and ${value}`);
        }
        parts.set(part, value);
    };
    const options: Record<string, string> = {};
    let commit: string | undefined;
    const parameters = new URLSearchParams(query);
    for (const name of parameters.keys()) {
        const values = parameters.getAll(name);
        const value = values[0] ?? "";
        if (values.length > 1) {
            throw new SyntaxError(`its option ${name} has several values`);
        }
        if (value === "" && !flags.includes(name)) {
            throw new SyntaxError(`its option ${name} has no value`);
        }
        if (name === "ref") {
            set("ref", value);
        } else if (name === "subdir") {
            set("folder", cleanFolder(value));
        } else if (name === "checksum" || name === "commit") {
            commit = value;
        } else if (flags.includes(name)) {
            options[name] = readFlag(name, value);
        } else if (name === "mtime" && ["checkout", "commit"].includes(value)) {
            options[name] = value;
        } else if (name !== "tag" && name !== "branch") {
            throw new SyntaxError(`BuildKit does not know its option ${name}=${value}`);
        }
    }
    for (const [name, prefix] of [
        ["tag", "refs/tags/"],
        ["branch", "refs/heads/"],
    ] as const) {
        const value = parameters.get(name);
        if (value !== null) {
            set("ref", value.startsWith(prefix) ? value : `${prefix}${value}`);
        }
    }
    const { "fetch-by-commit": fetchByCommit, ...others } = options;
    return {
        remote,
        ref: parts.get("ref") ?? "",
        folder: parts.get("folder") ?? "",
        commit,
        fetchByCommit: fetchByCommit === "true",
        options: others,
    };
}

const flags = ["keep-git-dir", "submodules", "fetch-by-commit"];

/** As Go's strconv.ParseBool; an option without a value is on. */
function readFlag(name: string, value: string): string {
    if (["", "1", "t", "T", "true", "TRUE", "True"].includes(value)) {
        return "true";
    }
    if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) {
        return "false";
    }
    throw new SyntaxError(`its option ${name} is neither true nor false`);
}

function cleanFolder(folder: string): string {
    return posix.join("/", folder).slice(1).replace(/\/$/, "");
}

function decode(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}
