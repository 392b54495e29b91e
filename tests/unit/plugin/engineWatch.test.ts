import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import * as grpc from "@grpc/grpc-js";
import { watchEngine } from "../../../sdk/plugin/engineWatch";

const intervalMs = 30;
/** So long that several looks fit in it. */
const aWhile = 1_000;

/** Anything that speaks gRPC stands for the engine: only its port is looked at. */
async function startEngine(port = 0): Promise<{ address: string; kill: () => void }> {
    const server = new grpc.Server();
    const bound = await new Promise<number>((resolve, reject) => {
        server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, chosen) => {
            if (error === null) {
                resolve(chosen);
            } else {
                reject(error);
            }
        });
    });
    return { address: `127.0.0.1:${bound}`, kill: () => server.forceShutdown() };
}

describe("the watch of the engine", () => {
    let gone = 0;
    let stop: () => void = () => undefined;
    const watch = (address: string, parent?: number): void => {
        gone = 0;
        stop = watchEngine({ address, parent, intervalMs }, () => (gone += 1));
    };
    afterEach(() => stop());

    it("says once that the engine is gone", async () => {
        const engine = await startEngine();
        watch(engine.address, process.ppid);
        await sleep(aWhile);
        assert.equal(gone, 0);
        engine.kill();
        await sleep(aWhile);
        assert.equal(gone, 1);
    });

    it("says so too when only the parent has changed", async () => {
        const engine = await startEngine();
        watch(engine.address, process.ppid + 1);
        await sleep(aWhile);
        engine.kill();
        assert.equal(gone, 1);
    });

    it("says nothing of an engine that never was there, nor after its end", async () => {
        const engine = await startEngine();
        engine.kill();
        watch(engine.address, process.ppid);
        await sleep(aWhile);
        assert.equal(gone, 0);

        const other = await startEngine();
        watch(other.address, process.ppid);
        await sleep(aWhile);
        stop();
        other.kill();
        await sleep(aWhile);
        assert.equal(gone, 0);
    });
});
