import type { Instruction } from "./instructions";
import { type CommandSource, readSources, readTriggers, type Stage } from "./stages";
import { expand, type Expanded, type Variables } from "./variables";

/** A stage, or an image that a command copies or mounts from. */
export interface GraphNode {
    /** What it is made from: the name of a stage, or a reference. */
    readonly base: Expanded;
    /** The platform as it is written. Empty where none is. */
    readonly platform: string;
    /** Where it is written. */
    readonly text: string;
    /** The location of the named context that takes its place. */
    readonly context?: string | undefined;
    /** The stage it starts from. */
    readonly start?: GraphNode | undefined;
    /** What its commands copy and mount from. */
    readonly sources: GraphNode[];
    readonly commands: readonly Instruction[];
}

/** What is known beside the stages. */
export interface GraphSettings {
    readonly escape: string;
    readonly variables: Variables;
    /** Locations of named contexts, by name. */
    readonly contexts: ReadonlyMap<string, string>;
}

/**
 * Finds everything that a build of a stage needs, in the order BuildKit numbers it: stages as they are written, then
 * images as they are come across. Undefined when there is no such stage; without a name, the last one is built. See
 * https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/dockerfile2llb/convert.go
 */
export function findNeeded(
    stages: readonly Stage[],
    target: string,
    settings: GraphSettings,
): readonly GraphNode[] | undefined {
    const { escape } = settings;
    const byName = new Map<string, GraphNode>();
    const nodes = stages.map((stage) => {
        const node = toNode(stage, byName, settings);
        if (stage.name !== "") {
            byName.set(stage.name, node);
        }
        return node;
    });
    const wanted = target === "" ? nodes.at(-1) : byName.get(target.toLowerCase());
    if (!wanted) {
        return undefined;
    }

    const findSource = (source: CommandSource): GraphNode => {
        const { from, text, problem, mayBeNumber } = source;
        const isNumber = mayBeNumber && /^[+-]?[0-9]+$/.test(from);
        const known = isNumber ? nodes[Number(from)] : byName.get(from.toLowerCase());
        if (known && problem === undefined) {
            return known;
        }
        const reason = problem ?? (isNumber ? `there is no stage ${from}` : undefined);
        const base = reason === undefined ? { value: from, unset: [] } : { problem: reason };
        const image = { base, platform: "", text, sources: [], commands: [] };
        nodes.push(image);
        return image;
    };
    const connect = (node: GraphNode, commands: readonly Instruction[]): void => {
        for (const command of commands) {
            node.sources.push(...readSources(command, escape).map(findSource));
        }
    };
    for (const node of [...nodes]) {
        connect(node, node.commands);
    }
    // A trigger may need a stage whose own start has triggers.
    const triggered = new Set<GraphNode>();
    let reached = reach(wanted);
    for (let before = 0; before < reached.size; reached = reach(wanted)) {
        before = reached.size;
        for (const node of reached) {
            if (node.start && !triggered.has(node)) {
                triggered.add(node);
                connect(node, readTriggers(node.start.commands));
            }
        }
    }
    return nodes.filter((node) => reached.has(node));
}

function toNode(stage: Stage, byName: ReadonlyMap<string, GraphNode>, settings: GraphSettings): GraphNode {
    const { line, commands, name, platform, problem } = stage;
    const base = problem === undefined ? expand(stage.base, settings.variables, settings.escape) : { problem };
    // These two names mean something else to BuildKit.
    const context = name === "scratch" || name === "context" ? undefined : settings.contexts.get(name);
    const start = context === undefined && "value" in base ? byName.get(base.value) : undefined;
    return { base, platform, text: line, context, start, sources: [], commands };
}

/** A node whose place a named context takes is built from nothing else. */
function reach(from: GraphNode): ReadonlySet<GraphNode> {
    const reached = new Set([from]);
    for (const node of reached) {
        const needs = node.context === undefined ? [node.start, ...node.sources] : [];
        for (const needed of needs) {
            if (needed) {
                reached.add(needed);
            }
        }
    }
    return reached;
}
