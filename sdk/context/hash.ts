import { readFile, realpath } from "node:fs/promises";
import { relative } from "node:path";
import { MultiArchError } from "../errors";
import type { Dockerfile } from "./dockerfile";
import { digestOf } from "./encode";
import type { FileList } from "./fileList";
import { longestList, summarizeEntry } from "./fileList";
import { hashFolder } from "./folderHash";
import { hideCredentials, pickGitSecrets } from "./gitAccess";
import { resolveCommit } from "./gitCommit";
import { systemCode } from "./insideRoot";
import type { PlannedSource } from "./plan";
import { requirePlan } from "./plan";
import { hashRemoteFile } from "./remoteFile";
import type { ContextHash, HashRequest } from "./request";
import { shareInFlight } from "./share";

// Part of every hash: a change of what is hashed, or how, must change it.
const format = "multiarch context 1";

const shared = shareInFlight<ContextHash>();

/**
 * Hashes what a build would read from its contexts: equal content gives an equal hash on every machine, any change that
 * a build can see gives another. All that is not ignored counts, also where BuildKit would ask for a part of it only
 * because no `COPY` needs the rest. Calls for the same request that overlap share one reading.
 *
 * Throws a MultiArchError `context-missing`, `context-unreadable`, `context-unresolved` or `context-ignore-invalid` with
 * the property to change, and the signal's reason when aborted.
 */
export async function hashContext(request: HashRequest): Promise<ContextHash> {
    const { signal, runGit, ...rest } = request;
    signal?.throwIfAborted();
    if (runGit) {
        return computeHash(request);
    }
    const gitSecrets = pickGitSecrets(rest.secrets);
    const key = JSON.stringify([rest.baseDirectory ?? process.cwd(), rest.context, rest.dockerfile, gitSecrets]);
    return shared(key, signal, (signal) => computeHash({ ...rest, signal }));
}

async function computeHash(request: HashRequest): Promise<ContextHash> {
    const { main, dockerfile, named } = await requirePlan(request);
    const hash = await hashSource(main, request);
    const hashes = [hash];
    const dockerfileFields = await describeDockerfile(dockerfile, request);
    const fields: (string | Uint8Array)[] = [format, ...dockerfileFields, ...hash.fields];
    const entries = hash.list && new Map(hash.list);
    if (entries !== undefined && !(await isSent(dockerfile, main, entries))) {
        entries.set("(Dockerfile)", summarizeEntry("f", digestOf(dockerfileFields)));
    }
    for (const [name, source] of named) {
        const hash = await hashSource(source, request);
        hashes.push(hash);
        fields.push(name, ...hash.fields);
        for (const [path, summary] of hash.list ?? []) {
            entries?.set(`${name}:${path}`, summary);
        }
    }
    const isWhole = entries !== undefined && hashes.every(({ list }) => list !== undefined);
    return {
        digest: `sha256:${digestOf(fields).toString("hex")}`,
        files: hashes.reduce((sum, hash) => sum + hash.files, 0),
        bytes: hashes.reduce((sum, hash) => sum + hash.bytes, 0),
        entries: isWhole && entries.size <= longestList ? entries : undefined,
    };
}

/** Whether the context sends the Dockerfile anyway, so that a change of it is told once. */
async function isSent(dockerfile: Dockerfile, main: PlannedSource, list: FileList): Promise<boolean> {
    if (dockerfile.kind !== "file" || main.kind !== "folder") {
        return false;
    }
    const path = await realpath(dockerfile.path).catch(() => "");
    return list.has(relative(main.root, path));
}

interface SourceHash {
    /** The kind and one digest or text: always two, so that a list of them can be read in one way only. */
    readonly fields: readonly [kind: string, value: string | Uint8Array];
    readonly files: number;
    readonly bytes: number;
    /** Undefined when there is too much to list. */
    readonly list: FileList | undefined;
}

async function hashSource(source: PlannedSource, { signal, runGit, secrets }: HashRequest): Promise<SourceHash> {
    switch (source.kind) {
        case "folder": {
            const { digest, ...rest } = await hashFolder(source, signal);
            return { fields: ["folder", digest], ...rest };
        }
        case "git": {
            const { property, reference } = source;
            const commit = await resolveCommit(reference, { property, secrets, runGit, signal });
            const options = Object.entries(reference.options).sort().flat();
            // Only with its git folder does a context also hold what it was cloned from.
            const cloned = reference.options["keep-git-dir"] === "true";
            const origin = cloned ? `${hideCredentials(reference.remote).remote}#${reference.ref}` : "";
            return withoutFiles("git", digestOf([commit, reference.folder, origin, ...options]));
        }
        case "url":
            return withoutFiles("url", await hashRemoteFile(source.url, { property: source.property, signal }));
        case "layout":
            return withoutFiles("layout", digestOf([await readWhole(source.index, source.property)]));
        case "text":
            return withoutFiles("text", source.text);
    }
}

function withoutFiles(kind: string, value: string | Uint8Array): SourceHash {
    const list = new Map([["(context)", summarizeEntry("r", digestOf([kind, value]))]]);
    return { fields: [kind, value], files: 0, bytes: 0, list };
}

/** Its bytes count wherever they come from, also when the context ignores the file or does not hold it. */
async function describeDockerfile(
    dockerfile: Dockerfile,
    { signal }: HashRequest,
): Promise<[kind: string, value: string | Uint8Array]> {
    const property = "dockerfile.location";
    switch (dockerfile.kind) {
        case "text":
            return ["dockerfile", Buffer.from(dockerfile.text)];
        case "file":
            return ["dockerfile", await readWhole(dockerfile.path, property)];
        case "url":
            return ["dockerfile url", await hashRemoteFile(dockerfile.url, { property, signal })];
        case "inContext":
            return ["dockerfile in context", dockerfile.path];
    }
}

async function readWhole(path: string, property: string): Promise<Buffer> {
    try {
        return await readFile(path);
    } catch (error) {
        throw new MultiArchError("context-unreadable", {
            what: `a file of the context cannot be read (${systemCode(error)})`,
            property,
            cause: error,
        });
    }
}
