import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

import { isObject, type Properties } from "../../resources/values";
import { UsageError, type CommandContext } from "../command";
import { readPem } from "./pem";

const kinds = ["endpoints", "docker", "named"];
const known = ["builders", "platforms", "emulation"];

/**
 * Reads a file of builders: what a program gives as `builders`, alone or under that key, beside `platforms` and
 * `emulation`. Throws a UsageError, which repeats nothing of the file: there may be keys in it.
 */
export async function readBuildersFile(file: string, context: CommandContext): Promise<Properties> {
    const text = file === "-" ? await context.readInput() : readFile(file, context.folder);
    const document = parseDocument(text, file);
    const inputs = Object.keys(document).some((name) => kinds.includes(name)) ? { builders: document } : document;
    const foreign = Object.keys(inputs).find((name) => !known.includes(name));
    if (foreign !== undefined || !isObject(inputs["builders"])) {
        throw new UsageError(`${nameOf(file)} holds no builders. See --help for what it has to look like`);
    }
    const folder = file === "-" ? context.folder : path.dirname(path.resolve(context.folder, file));
    const { endpoints } = inputs["builders"];
    if (!Array.isArray(endpoints)) {
        return inputs;
    }
    const read = endpoints.map((endpoint: unknown, index) =>
        readMaterial(endpoint, `builders.endpoints[${index}]`, folder),
    );
    return { ...inputs, builders: { ...inputs["builders"], endpoints: read } };
}

/** An endpoint with the texts of its PEM files in place of their paths. */
function readMaterial(endpoint: unknown, place: string, folder: string): unknown {
    if (!isObject(endpoint) || !isObject(endpoint["tls"])) {
        return endpoint;
    }
    const tls = Object.entries(endpoint["tls"]).map(([name, value]) => {
        const isPath = typeof value === "string" && !value.includes("-----BEGIN");
        return [name, isPath ? readPem(`${place}.tls.${name}`, value, folder) : value];
    });
    return { ...endpoint, tls: Object.fromEntries(tls) as Properties };
}

function parseDocument(text: string, file: string): Properties {
    let document: unknown;
    try {
        document = parse(text, { logLevel: "error", prettyErrors: false });
    } catch (error) {
        const { code = "unknown", linePos } = error as { code?: string; linePos?: readonly { line: number }[] };
        const place = linePos?.[0] ? `, line ${linePos[0].line}` : "";
        throw new UsageError(`${nameOf(file)} is neither YAML nor JSON (${code}${place})`);
    }
    if (!isObject(document)) {
        throw new UsageError(`${nameOf(file)} holds no builders. See --help for what it has to look like`);
    }
    return document;
}

function readFile(file: string, folder: string): string {
    try {
        return readFileSync(path.resolve(folder, file), "utf8");
    } catch (error) {
        throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
    }
}

function nameOf(file: string): string {
    return file === "-" ? "the standard input" : file;
}
