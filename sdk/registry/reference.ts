import { isIPv6 } from "node:net";
import { MultiArchError } from "../errors";

/** A named place in a registry, without a tag or digest. */
export interface Repository {
    /** The host the reference names, with its port where it has one: `docker.io`, `registry.example.com:5000`. */
    readonly registry: string;
    /** The path inside the registry: `library/alpine`, `team/app`. */
    readonly repository: string;
}

/** What a reference points to: a repository, and the tag, the digest or both. */
export interface Reference extends Repository {
    readonly tag?: string;
    /** `sha256:` and 64 hexadecimal digits. */
    readonly digest?: string;
}

// The grammar of https://github.com/distribution/reference/blob/v0.6.0/regexp.go
const hostLabel = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const hostPattern = new RegExp(`^(?:${hostLabel}(?:\\.${hostLabel})*|\\[([a-fA-F0-9:]+)\\])(?::([0-9]+))?$`);
const pathPart = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const longestPath = 255;

/**
 * Reads a reference the way docker does: `alpine` is `docker.io/library/alpine`. A tag is not made up where none is
 * written.
 *
 * Throws a MultiArchError `registry-reference` that says which part is wrong.
 */
export function parseReference(text: string): Reference {
    const fail = (reason: string): never => {
        throw new MultiArchError("registry-reference", { what: `"${text}" is not an image reference: ${reason}` });
    };
    if (text.trim() === "") {
        return fail("it is empty");
    }
    if (/\s/.test(text)) {
        return fail("it contains white space");
    }
    if (text.includes("://")) {
        return fail("it starts with a scheme; a reference starts with the registry's host");
    }
    if (/^[a-f0-9]{64}$/.test(text)) {
        return fail("64 hexadecimal digits alone look like a digest");
    }
    const at = text.indexOf("@");
    const digest = at < 0 ? undefined : text.slice(at + 1);
    const { registry, rest } = splitRegistry(at < 0 ? text : text.slice(0, at));
    const colon = rest.indexOf(":");
    const tag = colon < 0 ? undefined : rest.slice(colon + 1);
    const repository = colon < 0 ? rest : rest.slice(0, colon);

    const problem =
        findRegistryProblem(registry) ??
        findPathProblem(repository) ??
        (tag === undefined ? undefined : findTagProblem(tag)) ??
        (digest === undefined ? undefined : findDigestProblem(digest));
    if (problem !== undefined) {
        return fail(problem);
    }
    return {
        registry,
        repository,
        ...(tag === undefined ? {} : { tag }),
        ...(digest === undefined ? {} : { digest }),
    };
}

/** Reads the name of a repository. Throws like `parseReference`, also when there is a tag or a digest. */
export function parseRepository(text: string): Repository {
    const { registry, repository, tag, digest } = parseReference(text);
    if (digest !== undefined || tag !== undefined) {
        const part = digest === undefined ? `the tag ${tag ?? ""}; move it to tags` : "a digest; take it off";
        throw new MultiArchError("registry-reference", {
            what: `"${text}" is not the name of a repository: it ends with ${part}`,
        });
    }
    return { registry, repository };
}

/** Writes a reference in full, so that reading it gives the same parts back. */
export function formatReference(reference: Reference): string {
    const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
    const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
    return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** True for a text that can be a tag. */
export function isTag(text: string): boolean {
    return tagPattern.test(text);
}

/** True for `sha256:` and 64 hexadecimal digits, the only digests that registries hand out. */
export function isDigest(text: string): boolean {
    return digestPattern.test(text);
}

/** Mirrors https://github.com/distribution/reference/blob/v0.6.0/normalize.go (splitDockerDomain). */
function splitRegistry(name: string): { registry: string; rest: string } {
    const slash = name.indexOf("/");
    if (slash < 0) {
        return { registry: "docker.io", rest: `library/${name}` };
    }
    const first = name.slice(0, slash);
    const others = name.slice(slash + 1);
    const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
    const registry = isHost ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
    const rest = isHost ? others : name;
    return { registry, rest: registry === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest };
}

function findRegistryProblem(registry: string): string | undefined {
    const match = hostPattern.exec(registry);
    if (!match) {
        return `the registry "${registry}" is not a host name or address, with an optional port`;
    }
    if (match[1] !== undefined && !isIPv6(match[1])) {
        return `the registry "${registry}" is not an IPv6 address`;
    }
    if (match[2] !== undefined && (Number(match[2]) < 1 || Number(match[2]) > 65535)) {
        return `the port ${match[2]} does not exist`;
    }
    return undefined;
}

function findPathProblem(path: string): string | undefined {
    if (path === "" || path === "library/") {
        return "the name of the repository is missing";
    }
    if (path.length > longestPath) {
        return `the name of the repository has ${path.length} characters, and ${longestPath} are allowed`;
    }
    if (path.toLowerCase() !== path) {
        return `the name of the repository "${path}" has upper-case letters`;
    }
    if (!pathPattern.test(path)) {
        return (
            `the name of the repository "${path}" may hold lower-case letters and digits, ` +
            "separated by single slashes, dots, one or two underscores, or dashes"
        );
    }
    return undefined;
}

function findTagProblem(tag: string): string | undefined {
    if (isTag(tag)) {
        return undefined;
    }
    if (tag === "") {
        return "the tag after the colon is missing";
    }
    return tag.length > 128
        ? `the tag has ${tag.length} characters, and 128 are allowed`
        : `the tag "${tag}" may hold letters, digits, underscores, dots and dashes, and not start with a dot or dash`;
}

function findDigestProblem(digest: string): string | undefined {
    return isDigest(digest)
        ? undefined
        : `the digest "${digest}" is not sha256: followed by 64 hexadecimal digits in lower case`;
}
