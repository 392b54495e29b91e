import { createHash } from "node:crypto";

/**
 * The SHA-256 of a list of fields. Each is preceded by its length, so that no two lists give the same bytes.
 */
export function digestOf(fields: Iterable<string | Uint8Array>): Buffer {
    const hash = createHash("sha256");
    for (const field of fields) {
        const bytes = typeof field === "string" ? Buffer.from(field) : field;
        hash.update(`${bytes.length}:`);
        hash.update(bytes);
    }
    return hash.digest();
}
