import * as path from "node:path";

// The key of a storage account reaches BuildKit only as an option of the cache, and everyone on the machine can read the
// arguments of a program. buildx takes the same options from a file, too: `buildx bake`.
// https://docs.docker.com/build/bake/reference/

/** The one target of the file. */
export const bakeTarget = "image";

/** A build for `buildx bake`. */
export interface BakeBuild {
    /** The arguments, without anything that may be a secret. */
    readonly args: string[];
    /** What is written to the file. */
    readonly definition: string;
}

const keptFlags = ["--builder", "--progress", "--metadata-file", "--provenance", "--sbom"];
const lists: Readonly<Record<string, string>> = {
    "--platform": "platforms",
    "--output": "output",
    "--secret": "secret",
    "--ssh": "ssh",
    "--ulimit": "ulimits",
    "--annotation": "annotations",
    "--allow": "entitlements",
    "--no-cache-filter": "no-cache-filter",
    "--cache-from": "cache-from",
    "--cache-to": "cache-to",
};
const texts: Readonly<Record<string, string>> = {
    "--file": "dockerfile",
    "--target": "target",
    "--network": "network",
    "--shm-size": "shm-size",
};
const switches: Readonly<Record<string, string>> = { "--pull": "pull", "--no-cache": "no-cache" };
const maps: Readonly<Record<string, string>> = {
    "--build-arg": "args",
    "--label": "labels",
    "--build-context": "contexts",
    "--add-host": "extra-hosts",
    "--resource": "resources",
};

/**
 * The same build as `buildx build` with these arguments and environment does, with all that describes it in a file.
 * Throws when an argument has no place there; of those that inputs lead to, only `cgroupParent` has none.
 */
export function toBake(
    { args, env }: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
    { file, baseDirectory }: { readonly file: string; readonly baseDirectory: string },
): BakeBuild {
    const end = args.indexOf("--");
    const context = args[end + 1] ?? ".";
    const isRemote = remoteAddress.test(context);
    const location = isRemote ? context : path.resolve(baseDirectory, context);
    const target: Record<string, unknown> = { context: template(location) };
    const kept: string[] = [];
    for (const [flag, value] of readFlags(args.slice(1, end))) {
        const text = value ?? "";
        const list = lists[flag];
        const map = maps[flag];
        if (flag === "--allow") {
            kept.push(`${flag}=${text}`);
        }
        if (keptFlags.includes(flag)) {
            kept.push(`${flag}=${text}`);
        } else if (list !== undefined) {
            target[list] = [...((target[list] as string[] | undefined) ?? []), template(text)];
        } else if (map !== undefined) {
            const [name, item] = splitPair(flag, text, env);
            target[map] = { ...(target[map] as object | undefined), [template(name)]: template(item) };
        } else if (switches[flag] !== undefined) {
            target[switches[flag]] = true;
        } else if (texts[flag] !== undefined) {
            // A file beside a folder starts at the folder here, and where the program runs there.
            const isPath = flag === "--file" && !isRemote;
            target[texts[flag]] = template(isPath ? path.resolve(baseDirectory, text) : text);
        } else {
            throw new Error(`buildx bake has no place for ${flag}`);
        }
    }
    // What a definition may read and use has to be allowed: this one asks for nothing but what the user gave.
    const allowed = ["--allow=fs=*", ...(target["ssh"] === undefined ? [] : ["--allow=ssh"])];
    return {
        args: ["bake", ...kept, ...allowed, "--file", file, bakeTarget],
        definition: JSON.stringify({ target: { [bakeTarget]: target } }),
    };
}

// https://github.com/docker/buildx/blob/v0.35.0/util/urlutil/urlutil.go
const remoteAddress = /^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\//i;

function readFlags(args: readonly string[]): [flag: string, value: string | undefined][] {
    const found: [string, string | undefined][] = [];
    for (let position = 0; position < args.length; position += 1) {
        const [, flag = "", value] = /^(--[^=]+)(?:=([\s\S]*))?$/.exec(args[position] ?? "") ?? [];
        const isWhole = value !== undefined || switches[flag] !== undefined;
        position += isWhole ? 0 : 1;
        found.push([flag, isWhole ? value : args[position]]);
    }
    return found;
}

function splitPair(flag: string, text: string, env: Readonly<Record<string, string>>): [string, string] {
    const split = flag === "--add-host" ? /^([^:=]+)[:=]([\s\S]*)$/ : /^([^=]+)=([\s\S]*)$/;
    const [, name = text, value = env[text] ?? ""] = split.exec(text) ?? [];
    return [name, value];
}

/** Every text of a definition is a template: `${` begins an expression there, and escaping it has an escape of its own. */
function template(text: string): string {
    return /[$%]\{/.test(text) ? text.replace(/[$%]/g, (sign) => `\${"${sign}"}`) : text;
}
