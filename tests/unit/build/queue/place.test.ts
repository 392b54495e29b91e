import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { leaseNode, type Lease, type LeaseOptions } from "../../../../sdk/build/lease";
import { daemonQueue } from "../../../../sdk/build/queue/daemonQueue";
import { localQueue } from "../../../../sdk/build/queue/localQueue";
import type { BuilderNode } from "../../../../sdk/builders/node";
import { orderNodes } from "../../../../sdk/builders/rendezvous";
import { nodeOn, startBuilder, type TestServer } from "../../builders/testBuilders";

const image = { platform: "linux/amd64", repository: "registry.example.com/app", isPushed: true };

// The daemons are doubles; tests/integration/routing.test.ts has real ones.
describe("a place on a builder", () => {
    let servers: TestServer[];
    let nodes: BuilderNode[];
    let leases: Lease[];

    beforeEach(async () => {
        servers = await Promise.all([startBuilder({}), startBuilder({})]);
        const items = servers.map(({ port }) => ({ node: nodeOn(port, { maxParallelism: 1 }) }));
        nodes = orderNodes(`${image.repository} linux/amd64`, items).map(({ node }) => node);
        leases = [];
    });
    afterEach(async () => {
        await Promise.all(leases.map((lease) => lease.release()));
        await Promise.all(servers.map((server) => server.close()));
    });
    const take = async (options: LeaseOptions & { only?: BuilderNode[] } = {}): Promise<Lease> => {
        const lease = await leaseNode(image, options.only ?? nodes, options);
        leases.push(lease);
        return lease;
    };

    it("is given to one build at a time, in the order they came", async () => {
        const only = nodes.slice(0, 1);
        const first = await take({ only });
        const done: string[] = [];
        const waits: [string, number][] = [];
        const others: Promise<void>[] = [];
        for (const name of ["second", "third"]) {
            const onWaiting = (_node: BuilderNode, ahead: number): number => waits.push([name, ahead]);
            others.push(
                take({ only, onWaiting }).then(async (lease) => {
                    done.push(name);
                    await lease.release();
                }),
            );
            await seen(() => waits.some(([waiting]) => waiting === name));
        }
        await sleep(300);
        assert.deepEqual(done, []);
        await first.release();
        await Promise.all(others);
        assert.deepEqual(done, ["second", "third"]);
        assert.deepEqual(waits.slice(0, 2), [
            ["second", 1],
            ["third", 2],
        ]);
        assert.ok((leases[2]?.waitedSeconds ?? 0) >= 0.3);
    });

    it("is on the preferred builder, and on another one only after a while", async () => {
        const first = await take();
        assert.equal(first.node, nodes[0]);
        const begin = performance.now();
        const second = await take({ spillAfterMs: 400 });
        assert.equal(second.node, nodes[1]);
        assert.ok(performance.now() - begin >= 400);
        await first.release();
        assert.equal((await take({ spillAfterMs: 400 })).node, nodes[0]);
    });

    it("is waited for on the preferred builder where all are full", async () => {
        const [first] = [await take(), await take({ spillAfterMs: 0 })];
        const third = take({ spillAfterMs: 0 });
        await sleep(500);
        await first.release();
        assert.equal((await third).node, nodes[0]);
    });

    it("is given up by a build that is cancelled, within a second", async () => {
        const only = nodes.slice(0, 1);
        await take({ only });
        const stop = new AbortController();
        const waiting = take({ only, signal: stop.signal, onWaiting: () => 0 });
        await sleep(500);
        const begin = performance.now();
        stop.abort();
        await assert.rejects(waiting, { code: "build-cancelled" });
        assert.ok(performance.now() - begin < 1_000);
    });

    it("is given up after the time to wait, with how long the line was", async () => {
        const only = nodes.slice(0, 1);
        await take({ only });
        await assert.rejects(take({ only, waitMs: 700.5 }), {
            code: "builder-full",
            message: /1 build ahead, 1 at once/,
        });
        await assert.rejects(take({ only, waitMs: -1 }), { code: "builder-full" });
    });

    it("is lost with its builder, and not when it is given back", async () => {
        const only = nodes.slice(0, 1);
        const given = await take({ only });
        await given.release();
        const kept = await take({ only });
        await Promise.all(servers.map((server) => server.close()));
        await seen(() => kept.lost.aborted);
        assert.equal((kept.lost.reason as { code: string }).code, "build-lost-connection");
        assert.equal(given.lost.aborted, false);
    });

    it("is lost when the builder says nothing any more, though the connection stays", async () => {
        let answers = true;
        const server = await startBuilder({ answers: () => answers });
        servers.push(server);
        const address = { scheme: "tcp", host: "127.0.0.1", port: server.port } as const;
        const beat = { everyMs: 50, timeoutMs: 100 };
        const entry = await daemonQueue(nodeOn(server.port), address, image, beat).enter(new AbortController().signal);
        try {
            await sleep(400);
            assert.equal(entry.lost.aborted, false);
            answers = false;
            await seen(() => entry.lost.aborted);
        } finally {
            await entry.release();
        }
    });

    it("is found elsewhere when the builder goes while the build waits for it", async () => {
        await take();
        let waits = false;
        const waiting = take({ onWaiting: () => (waits = true), patienceMs: 0 });
        await seen(() => waits);
        await servers.find(({ port }) => nodes[0]?.address.endsWith(`:${port}`))?.close();
        assert.equal((await waiting).node, nodes[1]);
    });

    it("is one of this process alone where only buildx reaches the builder", async () => {
        const queue = localQueue(nodeOn(1, { address: "ssh://build@host", maxParallelism: 1 }));
        const { signal } = new AbortController();
        const [first, second] = [await queue.enter(signal), await queue.enter(signal)];
        assert.equal(await first.takeTurn({ isPatient: true, signal }), true);
        assert.equal(await second.takeTurn({ isPatient: false, signal }), false);
        const turn = second.takeTurn({ isPatient: true, signal });
        await first.release();
        assert.equal(await turn, true);
        assert.equal(await queue.look(signal), 1);
        await second.release();
        assert.equal(await queue.look(signal), 0);
    });
});

async function seen(isSo: () => boolean): Promise<void> {
    for (let waited = 0; waited < 250 && !isSo(); waited++) {
        await sleep(20);
    }
    assert.ok(isSo());
}
