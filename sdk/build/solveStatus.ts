/** One line of `--progress rawjson`: what changed since the last one. Only the fields that are read here. */
export interface SolveStatus {
    readonly vertexes: readonly Vertex[];
    readonly statuses: readonly VertexStatus[];
    readonly logs: readonly VertexLog[];
    readonly warnings: readonly VertexWarning[];
}

/** A step, or something else that has a beginning and an end. */
export interface Vertex {
    readonly digest: string;
    readonly name: string;
    readonly started?: string | undefined;
    readonly completed?: string | undefined;
    readonly cached?: boolean | undefined;
    readonly error?: string | undefined;
}

/** How far something inside a step is. */
export interface VertexStatus {
    readonly id: string;
    readonly vertex: string;
    readonly current: number;
    readonly started?: string | undefined;
    readonly completed?: string | undefined;
}

/** Output of a step, in base64. */
export interface VertexLog {
    readonly vertex: string;
    readonly data: string;
}

/** A hint about the Dockerfile, in base64. */
export interface VertexWarning {
    readonly short: string;
}

/**
 * Reads one line. Undefined for anything else: buildx writes its own errors and the lines of the Dockerfile between.
 * https://github.com/moby/buildkit/blob/v0.31.1/client/graph.go
 */
export function parseSolveStatus(line: string): SolveStatus | undefined {
    if (!line.startsWith("{")) {
        return undefined;
    }
    let value: unknown;
    try {
        value = JSON.parse(line);
    } catch {
        return undefined;
    }
    const record = value as Record<string, unknown>;
    const lists = [record.vertexes, record.statuses, record.logs, record.warnings];
    if (!lists.some(Array.isArray)) {
        return undefined;
    }
    return {
        vertexes: items(record.vertexes)
            .filter((item): item is Vertex => hasTexts(item, "digest"))
            .map(withName),
        statuses: items(record.statuses).filter((item): item is VertexStatus => hasTexts(item, "id", "vertex")),
        logs: items(record.logs).filter((item): item is VertexLog => hasTexts(item, "vertex", "data")),
        warnings: items(record.warnings).filter((item): item is VertexWarning => hasTexts(item, "short")),
    };
}

/** A name is left out of the line when it is empty. */
function withName(vertex: Vertex): Vertex {
    return { ...vertex, name: (vertex as Partial<Vertex>).name ?? "" };
}

function items(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : [];
}

function hasTexts(item: unknown, ...names: string[]): boolean {
    return (
        typeof item === "object" &&
        item !== null &&
        names.every((name) => typeof (item as Record<string, unknown>)[name] === "string")
    );
}
