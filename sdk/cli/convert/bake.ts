import { csvRecord } from "../../build/csv";
import type { Build } from "./build";
import { buildFlags } from "./flags";

/** What `buildx bake --print` prints. */
export interface BakeDocument {
    readonly target?: Readonly<Record<string, BakeTarget>>;
}

type BakeTarget = Readonly<Record<string, unknown>>;

// Attributes with a place of their own, and one that only describes.
const handled = new Set(["context", "dockerfile-inline", "description"]);

/** The builds of a bake file, once buildx has worked out its variables, functions and inheritance. */
export function readBake(document: BakeDocument): Build[] {
    const targets = Object.entries(document.target ?? {});
    return targets.map(([name, target]) => {
        const context = target["context"];
        const inline = target["dockerfile-inline"];
        return {
            place: targets.length === 1 ? "" : `target "${name}"`,
            target: name,
            options: readOptions(target),
            context: typeof context === "string" ? context : ".",
            ...(typeof inline === "string" ? { inline } : {}),
            env: {},
        };
    });
}

/** The attributes of a target as the options they stand for. Each is written as it would be in a command. */
function readOptions(target: BakeTarget): Map<string, string[]> {
    const options = new Map<string, string[]>();
    for (const [attribute, value] of Object.entries(target)) {
        const flag = buildFlags.find(({ bake }) => bake === attribute);
        if (flag !== undefined) {
            options.set(flag.name, writeValues(attribute, value));
        } else if (!handled.has(attribute)) {
            options.set(attribute, []);
        }
    }
    return options;
}

function writeValues(attribute: string, value: unknown): string[] {
    if (Array.isArray(value)) {
        return value.map((item: unknown) => (isRecord(item) ? writeRecord(attribute, item) : String(item)));
    }
    if (isRecord(value)) {
        return Object.entries(value).map(([name, text]) => (text === null ? name : `${name}=${text as string}`));
    }
    return [String(value)];
}

function writeRecord(attribute: string, record: Readonly<Record<string, unknown>>): string {
    if (attribute === "ssh") {
        const paths = record["paths"] as readonly string[] | undefined;
        return paths === undefined ? String(record["id"]) : `${String(record["id"])}=${paths.join(",")}`;
    }
    return csvRecord(Object.entries(record).map(([name, value]) => `${name}=${String(value)}`));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
