import { PassThrough, Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Sends content through a stream of Node.js. What goes wrong on either side is thrown to whoever reads. */
export async function* through(content: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
    const output = new PassThrough();
    const done = pipeline(Readable.from(content, { objectMode: false }), transform, output);
    // Whoever reads the output gets the error there.
    done.catch(() => undefined);
    yield* output as AsyncIterable<Uint8Array>;
    await done;
}
