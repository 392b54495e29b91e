import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";

import { MultiArchError } from "../errors";
import type { RegistryClient } from "../registry/client";
import type { Descriptor } from "../registry/manifests";
import type { Repository } from "../registry/reference";
import { defaultRetryPolicy } from "../registry/retry";
import { decompress } from "./decompress";

/** Where contents come from, and who hears of it. */
export interface BlobSource {
    readonly client: Pick<RegistryClient, "openBlob">;
    readonly repository: Repository;
    readonly signal?: AbortSignal | undefined;
    /** Told how many more bytes have arrived. What is fetched again is taken back first, as a negative number. */
    readonly onBytes?: ((bytes: number) => void) | undefined;
    /** Waits between two tries. By default as the registry client does. */
    readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Reads content through `consume`, which starts anew when the connection is lost on the way. Its bytes fit the digest,
 * or the last part never arrives.
 */
export async function readBlob(
    source: BlobSource,
    blob: Descriptor,
    consume: (content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
    const { client, repository, signal, onBytes, sleep = defaultRetryPolicy.sleep } = source;
    for (let round = 1; ; round += 1) {
        const ended = new AbortController();
        const both = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
        let arrived = 0;
        const count = (bytes: number): void => {
            arrived += bytes;
            onBytes?.(bytes);
        };
        try {
            await consume(countBytes(await client.openBlob(repository, blob, both), count));
            return;
        } catch (error) {
            count(-arrived);
            const isTransient = error instanceof MultiArchError && error.transient;
            if (!isTransient || round >= defaultRetryPolicy.tries || signal?.aborted === true) {
                throw error;
            }
            await sleep(defaultRetryPolicy.firstPauseMs * 2 ** (round - 1), signal);
        } finally {
            ended.abort();
        }
    }
}

/** Writes content into a file from a position on. */
export async function downloadInto(
    source: BlobSource,
    blob: Descriptor,
    file: FileHandle,
    position: number,
): Promise<void> {
    await readBlob(source, blob, async (content) => {
        await writeStream(file, content, position);
    });
}

/**
 * Writes a layer without its compression into a new file, and proves that it is the one that the configuration of the
 * image means. The file is handed on open.
 */
export async function unpackLayer(
    source: BlobSource,
    layer: Descriptor,
    diffId: string | undefined,
    path: string,
): Promise<FileHandle> {
    const file = await open(path, "wx+", 0o600);
    try {
        let digest = "";
        await readBlob(source, layer, async (content) => {
            await file.truncate(0);
            const hash = createHash("sha256");
            await writeStream(file, tap(decompress(content), hash), 0);
            digest = `sha256:${hash.digest("hex")}`;
        });
        if (diffId !== digest) {
            throw new TypeError(
                `its content is ${digest}, and the configuration of the image says ${diffId ?? "nothing"}`,
            );
        }
        return file;
    } catch (error) {
        await file.close();
        throw error;
    }
}

/** Writes a stream into a file from a position on. */
export async function writeStream(
    file: FileHandle,
    content: AsyncIterable<Uint8Array>,
    position: number,
): Promise<number> {
    let next = position;
    for await (const part of content) {
        next = await writeAll(file, part, next);
    }
    return next;
}

/** Writes all of a part, also where the system takes it in pieces. Gives the position behind it. */
export async function writeAll(file: FileHandle, part: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < part.length) {
        done += (await file.write(part, done, part.length - done, position + done)).bytesWritten;
    }
    return position + done;
}

async function* tap(
    content: AsyncIterable<Uint8Array>,
    hash: { update(part: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
    for await (const part of content) {
        hash.update(part);
        yield part;
    }
}

async function* countBytes(
    content: AsyncIterable<Uint8Array>,
    count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
    for await (const part of content) {
        count(part.length);
        yield part;
    }
}
