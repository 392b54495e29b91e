import { createZstdDecompress } from "node:zlib";

import { through } from "./through";

type Content = AsyncIterable<Uint8Array>;

/**
 * Decompresses zstd. The decompressor of Node.js stops without a word behind the first frame, and layers may have many
 * (zstd:chunked, pzstd): here each one gets its own. https://datatracker.ietf.org/doc/html/rfc8878#section-3.1
 */
export async function* decompressZstd(content: Content): AsyncGenerator<Uint8Array> {
    const source = createSource(content);
    while (!(await source.isAtEnd())) {
        const magic = (await source.take(4)).readUInt32LE();
        if (magic >>> 4 === 0x184d2a5) {
            // A frame without content, where tools keep notes of their own.
            await source.skip((await source.take(4)).readUInt32LE());
        } else if (magic === 0xfd2fb528) {
            yield* through(readFrame(source), createZstdDecompress());
        } else {
            throw new TypeError("it is no zstd data, or damaged");
        }
    }
}

/** The bytes of one frame, whose magic number was read already. */
async function* readFrame(source: Source): AsyncGenerator<Uint8Array> {
    yield Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
    const descriptor = await source.take(1);
    const flags = descriptor[0] ?? 0;
    const isSingle = (flags & 0x20) !== 0;
    const sizeLength = [isSingle ? 1 : 0, 2, 4, 8][flags >>> 6] ?? 0;
    const dictionaryLength = [0, 1, 2, 4][flags & 3] ?? 0;
    yield descriptor;
    yield await source.take((isSingle ? 0 : 1) + dictionaryLength + sizeLength);
    for (let isLast = false; !isLast;) {
        const header = await source.take(3);
        const value = header.readUIntLE(0, 3);
        isLast = (value & 1) === 1;
        // A block of type 1 is one byte, repeated.
        const isRepeated = ((value >>> 1) & 3) === 1;
        yield header;
        yield* source.pass(isRepeated ? 1 : value >>> 3);
    }
    if ((flags & 4) !== 0) {
        yield await source.take(4);
    }
}

interface Source {
    isAtEnd(): Promise<boolean>;
    /** Exactly so many bytes. */
    take(length: number): Promise<Buffer>;
    /** The same, dropped. */
    skip(length: number): Promise<void>;
    /** The same, in parts. */
    pass(length: number): AsyncGenerator<Uint8Array>;
}

function createSource(content: Content): Source {
    const parts = content[Symbol.asyncIterator]();
    let held: Buffer = Buffer.alloc(0);
    const fill = async (): Promise<boolean> => {
        while (held.length === 0) {
            const next = await parts.next();
            if (next.done === true) {
                return false;
            }
            held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
        }
        return true;
    };
    async function* pass(length: number): AsyncGenerator<Uint8Array> {
        for (let left = length; left > 0;) {
            if (!(await fill())) {
                throw new TypeError("the zstd data ends too early");
            }
            const part = held.subarray(0, left);
            held = held.subarray(part.length);
            left -= part.length;
            yield part;
        }
    }
    return {
        isAtEnd: async () => !(await fill()),
        pass,
        async take(length) {
            const taken: Uint8Array[] = [];
            for await (const part of pass(length)) {
                taken.push(part);
            }
            return Buffer.concat(taken);
        },
        async skip(length) {
            const parts = pass(length);
            while ((await parts.next()).done !== true) {
                // Nothing of it is wanted.
            }
        },
    };
}
