import { createHash } from "node:crypto";

/** Makes one SHA-256 of many fields. */
export interface FieldDigest {
    add(...fields: (string | Uint8Array)[]): void;
    end(): Buffer;
}

const chunkBytes = 64 * 1024;

/** The SHA-256 of a list of fields. Each is preceded by its length, so that no two lists give the same bytes. */
export function digestOf(fields: Iterable<string | Uint8Array>): Buffer {
    const digest = createFieldDigest();
    for (const field of fields) {
        digest.add(field);
    }
    return digest.end();
}

/** The same for fields that come one after the other. */
export function createFieldDigest(): FieldDigest {
    const hash = createHash("sha256");
    // Most fields are a few bytes: handing over each of them alone would take most of the time.
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let used = 0;
    const write = (bytes: string | Uint8Array, length: number): void => {
        if (used + length > chunk.length) {
            hash.update(chunk.subarray(0, used));
            used = 0;
        }
        if (length > chunk.length) {
            hash.update(bytes);
        } else if (typeof bytes === "string") {
            used += chunk.write(bytes, used);
        } else {
            chunk.set(bytes, used);
            used += length;
        }
    };
    return {
        add(...fields) {
            for (const field of fields) {
                const length = Buffer.byteLength(field);
                const prefix = `${length}:`;
                write(prefix, prefix.length);
                write(field, length);
            }
        },
        end: () => hash.update(chunk.subarray(0, used)).digest(),
    };
}
