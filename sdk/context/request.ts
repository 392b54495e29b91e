import type { ErrorCode } from "../errors";
import type { FileList } from "./fileList";
import type { RunGit } from "./gitCommit";

/** Where the files of a build come from, in the user's terms. */
export interface ContextSource {
    /**
     * The main context: a folder, a git repository (`https://host/repo.git#ref:folder`, `git@host:repo`), or the URL
     * of a tarball. A relative folder starts at `baseDirectory`.
     */
    readonly location: string;
    /** More contexts by name. Besides the above: `docker-image://`, `oci-layout://` and `target:`. */
    readonly named?: Readonly<Record<string, { readonly location: string }>> | undefined;
}

/** Where the Dockerfile is: a file or a text, not both. Defaults to the file `Dockerfile` in the context. */
export interface DockerfileSource {
    /** Its path, relative to `baseDirectory`; with a remote context, a relative path is one inside that context. */
    readonly location?: string | undefined;
    /** Its text. */
    readonly inline?: string | undefined;
}

/** What is to be hashed, listed or checked. */
export interface HashRequest {
    readonly context: ContextSource;
    readonly dockerfile?: DockerfileSource | undefined;
    /**
     * The secrets of the build. Git repositories are read with GIT_AUTH_TOKEN and GIT_AUTH_HEADER among them, alone or
     * with `.host` after it, as BuildKit does. Defaults to none.
     */
    readonly secrets?: Readonly<Record<string, string>> | undefined;
    /** The folder that relative locations start at. Defaults to the working folder of this process. */
    readonly baseDirectory?: string | undefined;
    /** Stops the work when aborted; the call then throws the signal's reason. */
    readonly signal?: AbortSignal | undefined;
    /** Runs git. Defaults to the git on PATH. */
    readonly runGit?: RunGit | undefined;
}

/** The hash of everything a build reads from its contexts. */
export interface ContextHash {
    /** `sha256:` and 64 hexadecimal digits. */
    readonly digest: string;
    /** How many regular files the local contexts hold. */
    readonly files: number;
    /** How many bytes these files hold. */
    readonly bytes: number;
    /**
     * What was hashed: each path with what it is and the start of its digest, which tells two versions apart. Folders
     * are in it only when nothing else is in them, as `path/`. Paths in a named context begin with `name:`. What is not
     * a folder has one entry: `(context)`, `name:(context)`, and `(Dockerfile)` for one that the context does not send.
     * Undefined for more than 16,384 of them, which no state keeps.
     */
    readonly entries: FileList | undefined;
}

/** What an entry of a context is to BuildKit. */
export type EntryKind = "file" | "directory" | "symlink" | "fifo" | "device";

/** One entry of a local context. */
export interface ContextEntry {
    /** Its path below the root of the context, with forward slashes. */
    readonly path: string;
    readonly kind: EntryKind;
}

/** Something that would stop the build, found before it starts. */
export interface ContextProblem {
    /** The property to change, for example `context.named.app.location`. */
    readonly property: string;
    /** One sentence without a full stop. */
    readonly reason: string;
    readonly code: ErrorCode;
    /** The next step, where that of the code does not fit. */
    readonly next: string | undefined;
}
