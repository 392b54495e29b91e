import { once } from "node:events";
import { parallelismOf } from "../../builders/rendezvous";
import type { BuilderNode } from "../../builders/node";
import type { BuildQueue, QueueEntry } from "./queue";

/** The builds of this process, by builder, in the order they came. */
const lines = new Map<string, Line>();

interface Line {
    readonly entries: object[];
    readonly changed: EventTarget;
}

/**
 * The line before a builder that only buildx can reach. It knows of the builds of this process alone: other runners that
 * use the same builder have a line of their own.
 */
export function localQueue(node: BuilderNode): BuildQueue {
    return {
        look: () => Promise.resolve(lines.get(node.address)?.entries.length ?? 0),
        enter: () => Promise.resolve(enterLine(node)),
    };
}

function enterLine(node: BuilderNode): QueueEntry {
    const line = lines.get(node.address) ?? { entries: [], changed: new EventTarget() };
    lines.set(node.address, line);
    const entry = {};
    line.entries.push(entry);
    return {
        async takeTurn({ isPatient, signal, onAhead }) {
            for (;;) {
                signal.throwIfAborted();
                const ahead = line.entries.indexOf(entry);
                if (ahead < parallelismOf(node)) {
                    return true;
                }
                if (!isPatient) {
                    return false;
                }
                onAhead?.(ahead);
                await once(line.changed, "change", { signal });
            }
        },
        lost: new AbortController().signal,
        release: () => {
            const position = line.entries.indexOf(entry);
            if (position >= 0) {
                line.entries.splice(position, 1);
                line.changed.dispatchEvent(new Event("change"));
            }
            if (line.entries.length === 0) {
                lines.delete(node.address);
            }
            return Promise.resolve();
        },
    };
}
