import assert from "node:assert/strict";

import type { BuilderNode } from "../../../sdk/builders/node";
import type { BuilderFacts } from "../../../sdk/builders/preflightFacts";
import { shareCheck } from "../../../sdk/builders/preflightShared";

const node = (address: string): BuilderNode => ({
    name: address,
    platform: "linux/amd64",
    address,
    emulation: "never",
    property: "builders.endpoints[0]",
});
const facts: BuilderFacts = { version: "v1", workerId: "one", labels: {}, platforms: [], native: true, notes: [] };

/** A check that ends when the test says so. */
class Check {
    public begun = 0;
    public readonly stopped: AbortSignal[] = [];
    private readonly ends: { resolve: (facts: BuilderFacts) => void; reject: (error: Error) => void }[] = [];

    public readonly run = (signal: AbortSignal): Promise<BuilderFacts> => {
        this.begun += 1;
        this.stopped.push(signal);
        return new Promise((resolve, reject) => this.ends.push({ resolve, reject }));
    };

    public end(error?: Error): void {
        this.ends.splice(0).forEach(({ resolve, reject }) => {
            if (error) {
                reject(error);
            } else {
                resolve(facts);
            }
        });
    }
}

describe("checks of one builder by several images", () => {
    it("are one check while it is under way, and a new one afterwards", async () => {
        const check = new Check();
        const both = [1, 2].map(() => shareCheck(node("tcp://one:1"), {}, check.run));
        assert.equal(check.begun, 1);
        check.end();
        assert.deepEqual(await Promise.all(both), [facts, facts]);
        const later = shareCheck(node("tcp://one:1"), {}, check.run);
        assert.equal(check.begun, 2);
        check.end();
        await later;
    });

    it("fail together, and the next one is asked anew", async () => {
        const check = new Check();
        const both = [1, 2].map(() => shareCheck(node("tcp://two:1"), {}, check.run));
        check.end(new Error("gone"));
        for (const one of both) {
            await assert.rejects(one, /gone/);
        }
        const later = shareCheck(node("tcp://two:1"), {}, check.run);
        check.end();
        assert.deepEqual(await later, facts);
    });

    it("are apart where the builder, its keys or the accounts differ", async () => {
        const check = new Check();
        const tls = { ca: "a", cert: "b", key: "c" };
        const all = [
            shareCheck(node("tcp://three:1"), {}, check.run),
            shareCheck(node("tcp://three:2"), {}, check.run),
            shareCheck({ ...node("tcp://three:1"), tls }, {}, check.run),
            shareCheck(node("tcp://three:1"), { registriesConfig: "{}" }, check.run),
        ];
        assert.equal(check.begun, 4);
        check.end();
        await Promise.all(all);
    });

    it("go on for the others when one is cancelled, and stop when all are", async () => {
        const check = new Check();
        const wishes = [new AbortController(), new AbortController()];
        const [one, other] = wishes.map(({ signal }) => shareCheck(node("tcp://four:1"), { signal }, check.run));
        assert.ok(one && other);
        wishes[0]?.abort();
        await assert.rejects(one, /cancelled/);
        assert.equal(check.stopped[0]?.aborted, false);
        wishes[1]?.abort();
        await assert.rejects(other, /cancelled/);
        assert.equal(check.stopped[0].aborted, true);
        const later = shareCheck(node("tcp://four:1"), {}, check.run);
        assert.equal(check.begun, 2, "nobody joins one that was stopped");
        check.end();
        await later;
    });

    it("do not begin to wait for one that was cancelled before", async () => {
        const check = new Check();
        await assert.rejects(shareCheck(node("tcp://five:1"), { signal: AbortSignal.abort() }, check.run), /cancelled/);
        check.end();
    });
});
