import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const filesPerFolder = 100;

/**
 * Makes a context like that of a large program: folders of a hundred files, most of them small, some large, one in ten
 * executable. The same numbers give the same tree.
 * @param {string} root an empty folder
 * @param {{ files: number, bytes: number }} size
 */
export function makeTree(root, { files, bytes }) {
    const random = createRandom(1);
    const block = Buffer.alloc(1 << 20);
    for (let at = 0; at < block.length; at += 4) {
        block.writeUInt32LE(random(), at);
    }
    writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /\n");
    writeFileSync(join(root, ".dockerignore"), ".git\n**/*.log\nbuild/\n!build/keep\n*.tmp\n");

    const weights = Array.from({ length: files }, () => 2 ** ((random() / 2 ** 32) * 10));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let left = bytes;
    for (const [index, weight] of weights.entries()) {
        const size = index === files - 1 ? left : Math.floor((weight / total) * bytes);
        left -= size;
        const number = Math.floor(index / filesPerFolder);
        const folder = join(root, `package${Math.floor(number / 10)}`, `module${number % 10}`);
        if (index % filesPerFolder === 0) {
            mkdirSync(folder, { recursive: true });
        }
        writeFile(join(folder, `file${index}.txt`), { block, size, start: random(), mode: index % 10 ? 0o644 : 0o755 });
    }
}

/**
 * @param {string} path
 * @param {{ block: Buffer, size: number, start: number, mode: number }} content a slice of the block, repeated
 */
function writeFile(path, { block, size, start, mode }) {
    const from = start % (block.length / 2);
    const parts = [];
    for (let left = size; left > 0;) {
        const part = block.subarray(from, from + Math.min(left, block.length / 2));
        parts.push(part);
        left -= part.length;
    }
    writeFileSync(path, parts.length === 1 ? parts[0] : Buffer.concat(parts), { mode });
}

/**
 * Marsaglia's xorshift: numbers below 2 to the 32nd.
 * @param {number} seed
 */
function createRandom(seed) {
    let state = seed;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state >>> 0;
    };
}
