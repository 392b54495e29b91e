import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const library = resolve(__dirname, "../../../tools/lib");

interface Daemons {
    findDaemon(where: { name: string; dir: string }): { pid: number; stop: () => Promise<void> } | undefined;
}

interface Processes {
    startTimeOf(pid: number): string | undefined;
}

// A script in tools is an ES module: only import() reaches it from here.
const load = (name: string): Promise<unknown> => import(pathToFileURL(join(library, name)).href);

describe("what npm start shares with another npm start", () => {
    let folder: string;
    let daemons: Daemons;
    let processes: Processes;
    const children: ChildProcess[] = [];

    before(async () => {
        daemons = (await load("daemon.mjs")) as Daemons;
        processes = (await load("processes.mjs")) as Processes;
    });
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "daemons-"));
    });
    afterEach(() => {
        children.splice(0).forEach((child) => child.kill("SIGKILL"));
        rmSync(folder, { recursive: true, force: true });
    });

    /** Runs a script that waits, with these as its last arguments. */
    async function run(...args: string[]): Promise<ChildProcess & { pid: number }> {
        const script = 'process.stdout.write("up"); setInterval(() => undefined, 1000)';
        const child = spawn(process.execPath, ["-e", script, "--", ...args], { detached: true });
        children.push(child);
        await once(child.stdout, "data");
        return child as typeof child & { pid: number };
    }

    /** Takes a lock in a process of its own, and gives what it printed. */
    async function lock(): Promise<string> {
        const address = JSON.stringify(pathToFileURL(join(library, "lock.mjs")).href);
        const script = `import { withLock } from ${address}; await withLock("x", async () => console.log("locked"));`;
        const env = { ...process.env, MULTIARCH_CACHE: folder };
        const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env });
        children.push(child);
        let output = "";
        child.stdout.on("data", (data: Buffer) => (output += data.toString()));
        child.stderr.on("data", (data: Buffer) => (output += data.toString()));
        await once(child, "close");
        return output;
    }

    const lockFile = (): string => join(folder, "x.lock");
    const where = (): { name: string; dir: string } => ({ name: "registry", dir: folder });

    it("is locked by one, and free afterwards", async () => {
        assert.match(await lock(), /locked/);
        assert.equal(existsSync(lockFile()), false);
    });

    it("is not locked for ever by a file that is empty, or whose process id is that of another process now", async () => {
        writeFileSync(lockFile(), "");
        utimesSync(lockFile(), 0, 0);
        assert.match(await lock(), /locked/);
        writeFileSync(lockFile(), JSON.stringify({ pid: process.pid, startTime: "1" }));
        assert.match(await lock(), /locked/);
    });

    it("stays locked while its process lives, or while the lock may be about to be written", async () => {
        for (const [pid, content] of [
            [process.pid, JSON.stringify({ pid: process.pid, startTime: processes.startTimeOf(process.pid) })],
            ["?", ""],
        ] as const) {
            writeFileSync(lockFile(), content);
            const output = lock();
            await new Promise((done) => setTimeout(done, 1_000));
            assert.equal(readFileSync(lockFile(), "utf8"), content);
            rmSync(lockFile());
            assert.match(await output, new RegExp(`waiting for process ${pid === "?" ? "\\?" : pid}`));
        }
    });

    it("finds and stops daemons by their configuration file when the pid file is gone", async () => {
        const [one, two] = [
            await run("serve", join(folder, "registry.json")),
            await run("serve", join(folder, "registry.json")),
        ];
        const editor = await run(join(folder, "registry.json"));
        const found = daemons.findDaemon(where());
        assert.ok(found && [one.pid, two.pid].includes(found.pid));
        await found.stop();
        assert.equal(daemons.findDaemon(where()), undefined);
        assert.ok(processes.startTimeOf(editor.pid));
    });

    it("leaves the pid file of another process alone", async () => {
        const stray = await run("serve", join(folder, "registry.json"));
        const found = daemons.findDaemon(where());
        assert.ok(found);
        assert.equal(found.pid, stray.pid);
        const other = JSON.stringify({ pid: 1, startTime: "other" });
        writeFileSync(join(folder, "registry.pid"), other);
        await found.stop();
        assert.equal(readFileSync(join(folder, "registry.pid"), "utf8"), other);
    });
});
