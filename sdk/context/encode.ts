import { createHash } from "node:crypto";

const chunkBytes = 64 * 1024;

/**
 * The SHA-256 of a list of fields. Each is preceded by its length, so that no two lists give the same bytes.
 */
export function digestOf(fields: Iterable<string | Uint8Array>): Buffer {
    const hash = createHash("sha256");
    // Most fields are a few bytes, and handing over each of them alone would take most of the time.
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let used = 0;
    const add = (bytes: Uint8Array): void => {
        if (used + bytes.length > chunk.length) {
            hash.update(chunk.subarray(0, used));
            used = 0;
        }
        if (bytes.length > chunk.length) {
            hash.update(bytes);
        } else {
            chunk.set(bytes, used);
            used += bytes.length;
        }
    };
    for (const field of fields) {
        const bytes = typeof field === "string" ? Buffer.from(field) : field;
        add(Buffer.from(`${bytes.length}:`));
        add(bytes);
    }
    return hash.update(chunk.subarray(0, used)).digest();
}
