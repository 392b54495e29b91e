import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FileContent, FileTable, ReaderAnswer } from "./fileReader";
import { readRecord, recordBytes } from "./fileReader";
import type { EntryPath } from "./folder";

// Enough for any disk; each costs about ten megabytes.
const maximumThreads = 6;
const filesPerThread = 100;

/**
 * Reads files in threads of their own, one for each processor, and gives the content of each by its place in `paths`:
 * undefined for what is no longer there.
 *
 * Throws what `explain` makes of the first failure, and the signal's reason when aborted.
 */
export async function readInThreads(
    root: string,
    paths: readonly EntryPath[],
    {
        explain,
        signal,
    }: {
        /** Makes the error for a file that cannot be read. */
        readonly explain: (path: EntryPath, cause: NodeJS.ErrnoException) => Error;
        readonly signal?: AbortSignal | undefined;
    },
): Promise<(index: number) => FileContent | undefined> {
    const table = createTable(root, paths);
    const workers: Worker[] = [];
    const work = async (): Promise<void> => {
        const worker = new Worker(require.resolve("./fileReader"), {
            workerData: table,
            execArgv: [],
            // Node has an opinion about the kind of this file when it is not compiled.
            stderr: true,
        });
        workers.push(worker);
        const [{ failure }] = (await once(worker, "message", signal && { signal })) as [ReaderAnswer];
        if (failure) {
            const { index, code, message } = failure;
            throw explain(paths[index] ?? "", Object.assign(new Error(message), { code }));
        }
    };
    const threads = Math.min(availableParallelism(), maximumThreads, Math.ceil(paths.length / filesPerThread));
    try {
        await Promise.all(Array.from({ length: threads }, work));
    } catch (error) {
        signal?.throwIfAborted();
        throw error;
    } finally {
        // All of them have ended before this does, so that nothing is open afterwards.
        await Promise.all(workers.map((worker) => worker.terminate()));
    }
    return (index) => readRecord(table, index);
}

function createTable(root: string, paths: readonly EntryPath[]): FileTable {
    const total = paths.reduce((sum, path) => sum + Buffer.byteLength(path), 0);
    const bytes = Buffer.from(new SharedArrayBuffer(total));
    const ends = new Uint32Array(new SharedArrayBuffer(paths.length * Uint32Array.BYTES_PER_ELEMENT));
    let end = 0;
    for (const [index, path] of paths.entries()) {
        end += typeof path === "string" ? bytes.write(path, end) : path.copy(bytes, end);
        ends[index] = end;
    }
    return {
        root: Buffer.from(`${root}/`),
        paths: bytes,
        ends,
        records: new Uint8Array(new SharedArrayBuffer(paths.length * recordBytes)),
        next: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    };
}
