import { MultiArchError } from "../errors";
import { formatReference, parseReference, type Reference } from "../registry/reference";
import { findNeeded, type GraphNode } from "./graph";
import { parseInstructions } from "./instructions";
import { readStages } from "./stages";
import { expand, type Expanded, readPlatform, readVariables } from "./variables";

/** What decides which images a build starts from, beside the text of its Dockerfile. */
export interface BaseImageOptions {
    /** The platform that is built. */
    readonly platform: string;
    /** The platform of the builder, for `BUILDPLATFORM` and its like. Defaults to the platform that is built. */
    readonly buildPlatform?: string | undefined;
    /** The stage that is built. Defaults to the last one. */
    readonly target?: string | undefined;
    /** Build arguments. One that is undefined is given, but its value is not known yet. */
    readonly buildArgs?: Readonly<Record<string, string | undefined>> | undefined;
    /** Named contexts: they take the place of stages and images of their name. */
    readonly namedContexts?: Readonly<Record<string, { readonly location: string }>> | undefined;
}

/** An image that a build pulls. */
export interface BaseImage {
    /** The reference in full, with a tag or a digest: `docker.io/library/alpine:latest`. */
    readonly ref: string;
    /** The platform it is pulled for, in its normal form. */
    readonly platform: string;
}

/** A part of a Dockerfile whose image cannot be told. */
export interface UnresolvedBase {
    /** The line, or the part of it. */
    readonly text: string;
    /** One sentence without a full stop. */
    readonly reason: string;
}

/** The images a build pulls, each once, in the order they are needed in. */
export interface BaseImages {
    readonly images: readonly BaseImage[];
    /** Where the text does not tell the image. A build would fail there too, unless a value is not known yet. */
    readonly unresolved: readonly UnresolvedBase[];
}

/**
 * Finds the images that a build pulls: those of the stages it needs, and those its commands copy and mount from.
 *
 * The frontend that `# syntax=` names does not count: it is no part of the image, and a tag such as
 * `docker/dockerfile:1` moves with every release of BuildKit. What `ONBUILD` in the configuration of a base image
 * pulls is not known here either.
 *
 * Throws a MultiArchError `platform-unknown` for a platform in the options that is none.
 */
export function findBaseImages(dockerfile: string, options: BaseImageOptions): BaseImages {
    const { platform, target = "", buildArgs = {} } = options;
    const buildPlatform = options.buildPlatform ?? platform;
    const { escape, instructions, problem } = parseInstructions(dockerfile);
    if (problem) {
        return { images: [], unresolved: [problem] };
    }
    const { args, stages } = readStages(instructions);
    const stage = target === "" ? (stages.at(-1)?.name ?? "") : target;
    const variables = readVariables(args, escape, { buildArgs, platform, buildPlatform, stage });
    const contexts = new Map(
        Object.entries(options.namedContexts ?? {}).map(([name, { location }]) => {
            return [contextName(name), location];
        }),
    );
    const images = new Map<string, BaseImage>();
    const unresolved = new Map<string, UnresolvedBase>();
    const report = (text: string, reason: string): void => void unresolved.set(`${text}\n${reason}`, { text, reason });

    const needed = findNeeded(stages, target, { escape, variables, contexts });
    if (!needed) {
        report(target || "FROM", target ? "there is no stage of this name" : "there is no FROM line");
    }
    for (const node of needed ?? []) {
        try {
            const reference = readBase(node, contexts);
            if (reference) {
                const image = { ref: formatReference(reference), platform: platformOf(node) };
                images.set(`${image.ref} ${image.platform}`, image);
            }
        } catch (error) {
            if (!(error instanceof MultiArchError || error instanceof SyntaxError)) {
                throw error;
            }
            report(node.text, error instanceof MultiArchError ? error.fields.what : error.message);
        }
    }
    return { images: [...images.values()], unresolved: [...unresolved.values()] };

    function platformOf(node: GraphNode): string {
        const expanded = expand(node.platform || platform, variables, escape);
        return readPlatform(valueOf(expanded), buildPlatform);
    }
}

/** The image behind a node, if it is one. */
function readBase(node: GraphNode, contexts: ReadonlyMap<string, string>): Reference | undefined {
    if (node.context !== undefined) {
        return readContext(node.context);
    }
    if (node.start) {
        return undefined;
    }
    const name = valueOf(node.base);
    if (name === "scratch") {
        return undefined;
    }
    const reference = readReference(name, "unset" in node.base ? node.base.unset : []);
    const context = contexts.get(familiarName(reference));
    return context === undefined ? reference : readContext(context);
}

/** Other contexts are files: the context's own hash covers them. */
function readContext(location: string): Reference | undefined {
    const name = /^docker-image:(?:\/\/)?([^]*)$/.exec(location)?.[1];
    return name === undefined || name === "scratch" ? undefined : readReference(name, []);
}

function readReference(name: string, unset: readonly string[]): Reference {
    try {
        const reference = parseReference(name);
        const isComplete = reference.tag !== undefined || reference.digest !== undefined;
        return isComplete ? reference : { ...reference, tag: "latest" };
    } catch (error) {
        if (error instanceof MultiArchError && unset.length > 0) {
            const what = `${error.fields.what}; ${unset.join(" and ")} ${unset.length > 1 ? "have" : "has"} no value`;
            throw error.with({ what });
        }
        throw error;
    }
}

/**
 * The name under which BuildKit and buildx know a context: as short as docker shows it, and without `:latest`. See
 * `NamedContext` in https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerui/config.go
 */
function familiarName(reference: Reference): string {
    return formatReference(reference)
        .replace(/^docker\.io\/(?:library\/(?=[^/]*$))?/, "")
        .replace(/:latest$/, "");
}

function contextName(name: string): string {
    try {
        return familiarName(parseReference(name));
    } catch {
        return name;
    }
}

function valueOf(expanded: Expanded): string {
    if ("problem" in expanded) {
        throw new SyntaxError(expanded.problem);
    }
    return expanded.value;
}
