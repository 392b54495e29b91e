import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const library = resolve(__dirname, "../../../tools/lib");
// A script in tools is an ES module: only import() reaches it from here.
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(join(library, name)).href)) as T;

interface HostsOptions {
    file: string;
    owner: string;
    resolve?: (name: string) => Promise<string | undefined>;
}

interface Hosts {
    ensureHostsLine: (name: string, address: string, options: HostsOptions) => Promise<boolean>;
    removeHostsLines: (options: HostsOptions) => { removed: boolean; others: boolean };
}

interface Locks {
    dropStaleLocks: (stateDir: string) => { dropped: number; holders: number[] };
}

interface Mocha {
    runMocha: (
        args: string[],
        options: { name: string; env: NodeJS.ProcessEnv; timeout: number; quiet: boolean },
    ) => Promise<{ exitCode: number; failed: number; output: string }>;
}

describe("what npm start changes on a machine", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "machine-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it("is a line in the hosts file for each checkout, and --clean of one leaves that of another", async () => {
        const { ensureHostsLine, removeHostsLines } = await load<Hosts>("hosts.mjs");
        const file = join(folder, "hosts");
        writeFileSync(file, "127.0.0.1 localhost\n");
        const resolve = (name: string) =>
            Promise.resolve(readFileSync(file, "utf8").includes(` ${name} `) ? "127.0.0.1" : undefined);
        const [one, two] = ["/a/.cache", "/b/.cache"].map((owner) => ({ file, owner, resolve }));
        assert.ok(one && two);
        assert.equal(await ensureHostsLine("r.test", "127.0.0.1", one), true);
        assert.equal(await ensureHostsLine("r.test", "127.0.0.1", one), false);
        assert.equal(await ensureHostsLine("r.test", "127.0.0.1", two), true);
        assert.deepEqual(removeHostsLines(one), { removed: true, others: true });
        assert.equal(await resolve("r.test"), "127.0.0.1");
        assert.deepEqual(removeHostsLines(two), { removed: true, others: false });
        assert.equal(readFileSync(file, "utf8"), "127.0.0.1 localhost\n");
        assert.deepEqual(removeHostsLines(two), { removed: false, others: false });
    });

    it("is no line where the user has one", async () => {
        const { ensureHostsLine } = await load<Hosts>("hosts.mjs");
        const file = join(folder, "hosts");
        writeFileSync(file, "127.0.0.1 r.test\n");
        const options = { file, owner: "/a/.cache", resolve: () => Promise.resolve("127.0.0.1") };
        assert.equal(await ensureHostsLine("r.test", "127.0.0.1", options), false);
        assert.equal(readFileSync(file, "utf8"), "127.0.0.1 r.test\n");
    });

    it("is no stack that stays locked by an update that was killed", async () => {
        const { dropStaleLocks } = await load<Locks>("stackLocks.mjs");
        assert.deepEqual(dropStaleLocks(folder), { dropped: 0, holders: [] });
        const locks = join(folder, ".pulumi/locks/organization/project/dev");
        mkdirSync(locks, { recursive: true });
        // A program of this name that waits.
        const pulumi = join(folder, "pulumi");
        symlinkSync(process.execPath, pulumi);
        chmodSync(folder, 0o755);
        const child = spawn(pulumi, ["-e", "process.stdout.write('up'); setInterval(() => undefined, 1000)"]);
        await once(child.stdout, "data");
        try {
            const write = (name: string, pid: number | undefined, host: string): void =>
                writeFileSync(join(locks, `${name}.json`), JSON.stringify({ pid, username: "u", hostname: host }));
            write("killed", 2 ** 22 + 1, hostname());
            write("reused", process.pid, hostname());
            write("runs", child.pid, hostname());
            write("elsewhere", 4, `not-${hostname()}`);
            const { dropped, holders } = dropStaleLocks(folder);
            assert.equal(dropped, 2);
            assert.deepEqual(
                ["killed", "reused", "runs", "elsewhere"].filter((name) => existsSync(join(locks, `${name}.json`))),
                ["runs", "elsewhere"],
            );
            assert.deepEqual(new Set(holders), new Set([child.pid, 4]));
        } finally {
            child.kill("SIGKILL");
        }
    });
});

describe("npm test", () => {
    it("says how mocha ended when it ended without its totals", async function () {
        this.timeout(60_000);
        const { runMocha } = await load<Mocha>("mocha.mjs");
        const file = join(mkdtempSync(join(tmpdir(), "ended-")), "dies.test.js");
        const run = async (end: string) => {
            writeFileSync(
                file,
                `it("dies", async () => { ${end}; await new Promise(() => setTimeout(() => 0, 5000)); });`,
            );
            const options = { name: "some", env: { ...process.env, TMPDIR: "" }, timeout: 10_000, quiet: true };
            return runMocha(["--no-config", file], options);
        };
        const killed = await run('process.kill(process.pid, "SIGKILL")');
        assert.match(killed.output, /mocha ended early \(signal SIGKILL\) in suite some/);
        assert.deepEqual([killed.exitCode, killed.failed], [1, 1]);
        const left = await run("process.exit(3)");
        assert.match(left.output, /mocha ended early \(exit 3\) in suite some/);
        assert.deepEqual([left.exitCode, left.failed], [3, 1]);
    });
});
