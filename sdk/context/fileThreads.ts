import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FileContent, FileTable, ReaderAnswer } from "./fileReader";
import { readRecord, recordBytes } from "./fileReader";
import type { EntryPath } from "./folder";

/** What was read, by the place of a path in its list; undefined for a file that is no longer there. */
export type FileContents = (place: number) => FileContent | undefined;

/** Threads that read files, one for each processor. */
export interface FileThreads {
    /** Has files read, after those that they were given before. All threads work on the same list. */
    read(paths: readonly EntryPath[]): Promise<FileContents>;
    /** Ends them, whatever they do, and waits for that: nothing is open afterwards. */
    close(): Promise<void>;
}

// Each takes twenty megabytes, and hardly any disk keeps more of them busy.
const maximumThreads = 3;

interface Job {
    readonly paths: readonly EntryPath[];
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
    /** How many threads still work on it. */
    left: number;
}

/**
 * Starts threads for the files below a folder. `read` throws what `explain` makes of a file that cannot be read, and
 * the signal's reason when aborted.
 */
export function startFileThreads(
    root: string,
    {
        explain,
        signal,
    }: {
        readonly explain: (path: EntryPath, cause: NodeJS.ErrnoException) => Error;
        readonly signal?: AbortSignal | undefined;
    },
): FileThreads {
    const jobs: Job[] = [];
    const threads = Math.min(availableParallelism(), maximumThreads);
    let failed: { readonly reason: unknown } | undefined;
    const fail = (reason: unknown): void => {
        failed ??= { reason };
        for (const job of jobs) {
            job.reject(reason);
        }
    };
    const abort = (): void => {
        fail(signal?.reason);
    };
    const workers = Array.from({ length: threads }, () => {
        const worker = new Worker(require.resolve("./fileReader"), {
            workerData: Buffer.from(`${root}/`),
            execArgv: [],
            // Node has an opinion about the kind of this file when it is not compiled.
            stderr: true,
        });
        let answers = 0;
        worker.on("message", ({ failure }: ReaderAnswer) => {
            const job = jobs[answers++];
            if (job && failure) {
                const cause = Object.assign(new Error(failure.message), { code: failure.code });
                job.reject(explain(job.paths[failure.index] ?? "", cause));
            } else if (job && --job.left === 0) {
                job.resolve();
            }
        });
        return worker.on("error", fail);
    });
    signal?.addEventListener("abort", abort, { once: true });
    return {
        read(paths) {
            const table = createTable(paths);
            const done = new Promise<FileContents>((resolve, reject) => {
                jobs.push({
                    paths,
                    resolve: () => resolve((place) => readRecord(table.records, place)),
                    reject,
                    left: threads,
                });
            });
            // Whoever asked may be busy with an earlier list when this one fails.
            done.catch(() => undefined);
            if (failed) {
                fail(failed.reason);
            }
            for (const worker of workers) {
                worker.postMessage(table);
            }
            return done;
        },
        async close() {
            signal?.removeEventListener("abort", abort);
            await Promise.all(workers.map((worker) => worker.terminate()));
        },
    };
}

function createTable(paths: readonly EntryPath[]): FileTable & { readonly records: Buffer } {
    const total = paths.reduce((sum, path) => sum + Buffer.byteLength(path), 0);
    const bytes = Buffer.from(new SharedArrayBuffer(total));
    const ends = new Uint32Array(new SharedArrayBuffer(paths.length * Uint32Array.BYTES_PER_ELEMENT));
    let end = 0;
    for (const [place, path] of paths.entries()) {
        end += typeof path === "string" ? bytes.write(path, end) : path.copy(bytes, end);
        ends[place] = end;
    }
    return {
        paths: bytes,
        ends,
        records: Buffer.from(new SharedArrayBuffer(paths.length * recordBytes)),
        next: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    };
}
