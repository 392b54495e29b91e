import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand } from "../../sdk/build/exec";
import { connectControl } from "../../sdk/builders/control/client";
import { parseAddress, type TcpAddress } from "../../sdk/builders/node";
import { preflight, preflightAll } from "../../sdk/builders/preflight";
import { MultiArchError } from "../../sdk/errors";
import type { Network } from "../support/network";
import { startOnSmallDisk, type SmallDiskBuilder } from "../support/smallDisks";
import { loadTools } from "../support/toolLibrary";
import { runTool } from "../support/tools";
import { getWorld } from "../support/world";

/** Takes up all the space of a file system. Gives the folder that has it. */
async function fillBytes(disk: string): Promise<string> {
    const folder = join(disk, "fill");
    mkdirSync(folder);
    const { bfree, bsize } = statfsSync(disk);
    // Nothing is written by this: the blocks are only taken.
    await runTool("fallocate", ["--length", String(Math.floor(bfree * 0.9) * bsize), join(folder, "taken")]);
    const file = openSync(join(folder, "written"), "w");
    try {
        for (const size of [2 ** 16, 2 ** 12, 1]) {
            assert.throws(
                () => {
                    for (;;) {
                        writeSync(file, Buffer.alloc(size));
                    }
                },
                { code: "ENOSPC" },
            );
        }
    } finally {
        closeSync(file);
    }
    return folder;
}

/** Uses up the inodes of a file system. Gives the folder that has them. */
function fillInodes(disk: string): string {
    const folder = join(disk, "many");
    mkdirSync(folder);
    assert.throws(
        () => {
            for (let number = 0; number < 10_000; number++) {
                writeFileSync(join(folder, String(number)), "");
            }
        },
        { code: "ENOSPC" },
    );
    return folder;
}

/** Real daemons, each on a real file system of its own. ext4 is there by loop devices, XFS is not tried. */
describe("the check of a builder's disk, with real daemons", () => {
    let folder = "";
    let network: Network;
    const builders: Record<string, SmallDiskBuilder> = {};

    const start = async (name: string, ...rest: [kind: Parameters<typeof startOnSmallDisk>[3], more?: string]) => {
        builders[name] = await startOnSmallDisk(network, folder, name, ...rest);
    };
    const builder = (name: string): SmallDiskBuilder => builders[name] ?? assert.fail(`no builder ${name}`);

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "small-disks-"));
        ({ network } = await getWorld());
        await start("good", { tmpfs: "size=3g" });
        await start("bytes", { tmpfs: "size=64m" });
        await start("inodes", { tmpfs: "size=3g,nr_inodes=200" });
        await start("ext4", { ext4: [] });
        await start("ext4i", { ext4: ["-N", "128"] });
        await start("busy", { tmpfs: "size=3g" }, "max-parallelism = 1");
    });

    after(async () => {
        for (const one of Object.values(builders)) {
            await one.stop();
        }
        rmSync(folder, { recursive: true, force: true });
    });

    const judge = async (names: readonly string[]) => {
        const begin = Date.now();
        const results = await preflightAll(names.map((name) => builder(name).node));
        const seconds = (Date.now() - begin) / 1000;
        const seen = results.map((result) => ("error" in result ? result.error.code : result.facts.notes.join()));
        return { seen, seconds, results };
    };

    it("tells no space, no inodes and a good one apart, all at once and within five seconds", async () => {
        const names = ["good", "bytes", "inodes", "ext4", "ext4i"];
        const low = "has less than 1 GiB of free space on its disk";
        assert.deepEqual((await judge(names)).seen, ["", low, "", "", ""]);
        const made = [
            await fillBytes(builder("bytes").disk),
            fillInodes(builder("inodes").disk),
            await fillBytes(builder("ext4").disk),
            fillInodes(builder("ext4i").disk),
        ];
        const { seen, seconds, results } = await judge(names);
        const full = "builder-disk-full";
        const exhausted = "builder-inodes-exhausted";
        assert.deepEqual(seen, ["", full, exhausted, full, exhausted]);
        assert.ok(seconds < 5, `${seconds} s`);
        const [, bytes, inodes] = results.map((result) => ("error" in result ? result.error.message : ""));
        assert.match(bytes ?? "", /builder bytes \(tcp:.*the disk of the builder is full \[builder-disk-full\]/);
        assert.match(inodes ?? "", /but no inodes left \[builder-inodes-exhausted\][^]*\| .*mkdir/);
        made.forEach((path) => {
            rmSync(path, { recursive: true });
        });
        assert.deepEqual((await judge(names)).seen, ["", low, "", "", ""]);
    });

    it("leaves one empty entry in the cache, however often it is done, and nothing in the history of builds", async () => {
        const { node } = builder("good");
        const toolchain = await (await loadTools()).ensureToolchain({ system: false, compile: false });
        const ask = (...args: string[]) => runTool(toolchain.bin("buildctl"), ["--addr", node.address, ...args]);
        const usage = async () => {
            const client = connectControl(node, parseAddress(node.address) as TcpAddress);
            try {
                return (await client.call("DiskUsage", {})).record;
            } finally {
                client.close();
            }
        };
        for (let round = 0; round < 50; round++) {
            await preflight(node);
        }
        await Promise.all(Array.from({ length: 8 }, () => preflight(node)));
        // What several leave that end at the same time goes with the next one, which leaves its own.
        await preflight(node);
        const left = await usage();
        assert.deepEqual(
            left.map(({ RecordType }) => RecordType),
            ["regular"],
        );
        assert.ok((left[0]?.Size ?? 0) <= 4096, `${left[0]?.Size} bytes`);
        const histories = (await ask("debug", "histories")).trim().split("\n");
        assert.equal(histories.length, 1, histories.join("\n"));
    });

    it("tells a disk that hangs, and finds the builder fit when it goes on", async () => {
        const { node, disk } = builder("ext4");
        await runTool("fsfreeze", ["--freeze", disk]);
        try {
            const { seen, seconds } = await judge(["ext4"]);
            assert.deepEqual(seen, ["builder-unhealthy"]);
            assert.ok(seconds < 5.2, `${seconds} s`);
        } finally {
            await runTool("fsfreeze", ["--unfreeze", disk]);
        }
        assert.deepEqual((await preflight(node)).notes, []);
    });

    it("does not refuse a builder whose steps are all taken", async () => {
        const { node } = builder("busy");
        const toolchain = await (await loadTools()).ensureToolchain({ system: false, compile: false });
        // A step that takes its time and needs no image: a download from a server that says nothing.
        const silent = createServer();
        const asked = once(silent, "connection");
        silent.listen(0, network.gateway);
        await once(silent, "listening");
        const { port } = silent.address() as AddressInfo;
        const checksum = `sha256:${"0".repeat(64)}`;
        const context = join(folder, "context");
        mkdirSync(context);
        const lines = ["FROM scratch", `ADD --checksum=${checksum} http://${network.gateway}:${port}/file /`];
        writeFileSync(join(context, "Dockerfile"), lines.join("\n"));
        const stop = new AbortController();
        const locals = ["--local", `context=${context}`, "--local", `dockerfile=${context}`];
        const args = ["--addr", node.address, "build", "--frontend", "dockerfile.v0", ...locals];
        const build = runCommand({ file: toolchain.bin("buildctl"), args, env: {}, signal: stop.signal });
        try {
            const [socket] = (await asked) as [Socket];
            assert.match((await preflight(node)).notes.join(), /its disk was not checked/);
            socket.destroy();
        } finally {
            stop.abort();
            await build;
            silent.close();
        }
        assert.deepEqual((await preflight(node)).notes, []);
    });

    it("tells a file system that has turned read-only", async () => {
        const { node, disk } = builder("ext4i");
        await runTool("mount", ["-o", "remount,abort", disk]);
        await assert.rejects(preflight(node), (error) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-read-only", error.message);
            return true;
        });
    });
});
