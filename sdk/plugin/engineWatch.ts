import * as grpc from "@grpc/grpc-js";

/** How the engine is watched. */
export interface EngineWatchOptions {
    /** Its address, as `host:port`. */
    readonly address: string;
    /** The process that started this one, where that is the engine or ends with it. */
    readonly parent?: number | undefined;
    /** Milliseconds between two looks. By default 1000. */
    readonly intervalMs?: number | undefined;
}

const defaultIntervalMs = 1_000;
/** A connection can break on a machine that sleeps; that it cannot be made again twice in a row is no such moment. */
const missesAllowed = 2;

/**
 * Says once when the engine is gone: its process ended and nobody told this one, as after a kill. A parent that changes is
 * the first sign. Where a language host stands between both, it lives on for minutes, but the engine's port is closed.
 * Gives what ends the watch.
 */
export function watchEngine(options: EngineWatchOptions, onGone: () => void): () => void {
    const { address, parent, intervalMs = defaultIntervalMs } = options;
    const channel = new grpc.Channel(address, grpc.credentials.createInsecure(), {
        "grpc.enable_http_proxy": 0,
        "grpc.use_local_subchannel_pool": 1,
        "grpc.max_reconnect_backoff_ms": intervalMs,
        "grpc.initial_reconnect_backoff_ms": intervalMs,
        "grpc.min_reconnect_backoff_ms": intervalMs,
    });
    let wasThere = false;
    let misses = 0;
    const stop = (): void => {
        clearInterval(timer);
        channel.close();
    };
    const timer = setInterval(() => {
        const state = channel.getConnectivityState(true);
        if (state === grpc.connectivityState.READY) {
            wasThere = true;
            misses = 0;
        } else if (state === grpc.connectivityState.TRANSIENT_FAILURE) {
            misses += 1;
        }
        const isOrphan = parent !== undefined && process.ppid !== parent;
        // An address that never answered says nothing: there may be no engine behind it at all.
        if (isOrphan || (wasThere && misses >= missesAllowed)) {
            stop();
            onGone();
        }
    }, intervalMs);
    timer.unref();
    return stop;
}
