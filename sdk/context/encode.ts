import { createHash } from "node:crypto";

const chunkBytes = 64 * 1024;

/**
 * The SHA-256 of a list of fields. Each is preceded by its length, so that no two lists give the same bytes.
 */
export function digestOf(fields: Iterable<string | Uint8Array>): Buffer {
    const hash = createHash("sha256");
    // Most fields are a few bytes: handing over each of them alone would take most of the time.
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let used = 0;
    const add = (field: string | Uint8Array, length: number): void => {
        if (used + length > chunk.length) {
            hash.update(chunk.subarray(0, used));
            used = 0;
        }
        if (length > chunk.length) {
            hash.update(field);
        } else if (typeof field === "string") {
            used += chunk.write(field, used);
        } else {
            chunk.set(field, used);
            used += length;
        }
    };
    for (const field of fields) {
        const length = Buffer.byteLength(field);
        const prefix = `${length}:`;
        add(prefix, prefix.length);
        add(field, length);
    }
    return hash.update(chunk.subarray(0, used)).digest();
}
