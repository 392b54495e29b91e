import { readFileSync } from "node:fs";
import * as path from "node:path";

import { UsageError } from "../command";

/** The text of a PEM file. What was given in place of its path may be a key, and is not repeated. */
export function readPem(place: string, file: string, folder: string): string {
    if (file.includes("-----BEGIN")) {
        throw new UsageError(`${place} takes the path of a file, and not what is in it`);
    }
    try {
        return readFileSync(path.resolve(folder, file), "utf8");
    } catch (error) {
        throw new UsageError(
            `${place}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
        );
    }
}
