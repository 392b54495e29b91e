import { readFile, stat } from "node:fs/promises";
import { MultiArchError } from "../errors";
import type { Dockerfile } from "./dockerfile";
import { locateDockerfile } from "./dockerfile";
import type { ContextFolder } from "./folder";
import type { IgnoreRules } from "./ignoreRules";
import { parseIgnoreFile } from "./ignoreRules";
import { resolveInside, systemCode } from "./insideRoot";
import type { HashRequest } from "./request";
import type { Source } from "./source";
import { locateMain, locateNamed } from "./source";

/** A context whose content is known to be there. */
export type PlannedSource = (Exclude<Source, { kind: "folder" }> | ({ kind: "folder" } & ContextFolder)) & {
    /** The property that names it. */
    readonly property: string;
};

/** All that a build reads, each part found and checked, nothing of it hashed. */
export interface ContextPlan {
    readonly main: PlannedSource;
    readonly dockerfile: Dockerfile;
    /** By name, sorted. */
    readonly named: readonly (readonly [name: string, source: PlannedSource])[];
}

/**
 * Finds every part of a request and reads the ignore files. All problems come together, each a MultiArchError with its
 * property; the plan is undefined when there are any.
 */
export async function planContext(
    request: HashRequest,
): Promise<{ plan: ContextPlan | undefined; problems: MultiArchError[] }> {
    const base = request.baseDirectory ?? process.cwd();
    const problems: MultiArchError[] = [];
    const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
        try {
            return await work();
        } catch (error) {
            if (!(error instanceof MultiArchError)) {
                throw error;
            }
            problems.push(error);
            return undefined;
        }
    };

    const property = "context.location";
    const source = await attempt(() => locateMain(request.context.location || ".", { property, base }));
    const dockerfile = source && (await attempt(() => locateDockerfile(request, source.kind === "folder")));
    const main = source && (await attempt(() => withRules(source, property, dockerfile)));
    const named: [string, PlannedSource][] = [];
    for (const [name, { location }] of Object.entries(request.context.named ?? {}).sort(byName)) {
        const property = `context.named.${name}.location`;
        const planned = await attempt(async () =>
            withRules(await locateNamed(location, { property, base }), property, undefined),
        );
        if (planned) {
            named.push([name, planned]);
        }
    }
    return { plan: main && dockerfile && problems.length === 0 ? { main, dockerfile, named } : undefined, problems };
}

/** The same, for who cannot go on without a plan: throws the first problem. */
export async function requirePlan(request: HashRequest): Promise<ContextPlan> {
    const { plan, problems } = await planContext(request);
    if (!plan) {
        throw problems[0] ?? new MultiArchError("context-missing", { what: "the context cannot be found" });
    }
    return plan;
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/**
 * The ignore file of the main context is the one beside the Dockerfile, or else the one in its root; a named context
 * has only that in its own root. One that holds no pattern counts too: then nothing is ignored. See `MainContext` and `NamedContext.load` in
 * https://github.com/moby/buildkit/tree/v0.31.1/frontend/dockerui
 */
async function withRules(source: Source, property: string, dockerfile: Dockerfile | undefined): Promise<PlannedSource> {
    if (source.kind !== "folder") {
        return { ...source, property };
    }
    const beside =
        dockerfile?.kind === "file"
            ? await readRules(dockerfile.folder, `${dockerfile.name}.dockerignore`, "dockerfile.location")
            : undefined;
    const { rules } = beside ?? (await readRules(source.root, ".dockerignore", property)) ?? {};
    return { ...source, property, rules };
}

async function readRules(
    root: string,
    name: string,
    property: string,
): Promise<{ rules: IgnoreRules | undefined } | undefined> {
    try {
        const path = await resolveInside(root, name);
        if (path === undefined || !(await stat(path)).isFile()) {
            return undefined;
        }
        return { rules: parseIgnoreFile(await readFile(path, "utf8"), name, property) };
    } catch (error) {
        if (error instanceof MultiArchError) {
            throw error;
        }
        throw new MultiArchError("context-unreadable", {
            what: `${name} cannot be read (${systemCode(error)})`,
            property,
            cause: error,
        });
    }
}
