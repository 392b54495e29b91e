import assert from "node:assert/strict";
import { shareInFlight } from "../../../sdk/context/share";

describe("work shared between calls that overlap", () => {
    /** Work that ends when it is told to, and says how often it ran and whether it was stopped. */
    function controlled() {
        const state = { runs: 0, stopped: false, end: (_value: string): void => undefined };
        const work = (signal: AbortSignal): Promise<string> => {
            state.runs++;
            return new Promise((resolve, reject) => {
                state.end = resolve;
                signal.addEventListener("abort", () => {
                    state.stopped = true;
                    reject(new Error("stopped"));
                });
            });
        };
        return { state, work };
    }

    it("runs once for an equal key", async () => {
        const { state, work } = controlled();
        const share = shareInFlight<string>();
        const calls = [share("a", undefined, work), share("a", undefined, work)];
        state.end("done");
        assert.deepEqual(await Promise.all(calls), ["done", "done"]);
        assert.equal(state.runs, 1);
    });

    it("runs again for another key and after it has ended", async () => {
        const { state, work } = controlled();
        const share = shareInFlight<string>();
        for (const key of ["a", "b", "a"]) {
            const call = share(key, undefined, work);
            state.end(key);
            assert.equal(await call, key);
        }
        assert.equal(state.runs, 3);
    });

    it("goes on for the others when one leaves", async () => {
        const { state, work } = controlled();
        const share = shareInFlight<string>();
        const leaving = new AbortController();
        const left = share("a", leaving.signal, work);
        const stays = share("a", undefined, work);
        leaving.abort(new Error("left"));
        await assert.rejects(left, /left/);
        assert.equal(state.stopped, false);
        state.end("done");
        assert.equal(await stays, "done");
    });

    it("is stopped when the last one leaves, and not joined any more", async () => {
        const { state, work } = controlled();
        const share = shareInFlight<string>();
        const leaving = new AbortController();
        const left = share("a", leaving.signal, work);
        leaving.abort(new Error("left"));
        await assert.rejects(left, /left/);
        assert.equal(state.stopped, true);
        const next = share("a", undefined, work);
        state.end("next");
        assert.equal(await next, "next");
    });

    it("fails for all of them", async () => {
        const share = shareInFlight<string>();
        const work = (): Promise<string> => Promise.reject(new Error("broken"));
        const calls = await Promise.allSettled([share("a", undefined, work), share("a", undefined, work)]);
        assert.deepEqual(
            calls.map(({ status }) => status),
            ["rejected", "rejected"],
        );
    });
});
