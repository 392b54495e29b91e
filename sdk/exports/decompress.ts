import { createGunzip } from "node:zlib";

import { through } from "./through";
import { decompressZstd } from "./zstdFrames";

/**
 * Gives the bytes of a layer without its compression. What it is compressed with is seen from its first bytes, as
 * containerd does: media types of layers are not always right.
 */
export async function* decompress(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const parts = content[Symbol.asyncIterator]();
    const first: Uint8Array[] = [];
    let length = 0;
    while (length < 4) {
        const next = await parts.next();
        if (next.done === true) {
            break;
        }
        first.push(next.value);
        length += next.value.length;
    }
    const head = Buffer.concat(first);
    const whole = chain(head, parts);
    if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) {
        yield* through(whole, createGunzip());
    } else if (isZstd(head)) {
        yield* decompressZstd(whole);
    } else {
        yield* whole;
    }
}

function isZstd(head: Buffer): boolean {
    const magic = head.length >= 4 ? head.readUInt32LE() : 0;
    return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (head.length > 0) {
        yield head;
    }
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        yield next.value;
    }
}
