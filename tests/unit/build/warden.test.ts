import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createWarden, wardenScript, type Warden } from "../../../sdk/build/warden";

/** The end of the pipe stands for the end of the process that holds it: the kernel makes no difference. */
describe("a warden", function () {
    this.timeout(20_000);
    let folder: string;
    let shell: ChildProcess;
    let warden: Warden;
    let starts: number;
    const programs: ChildProcess[] = [];

    beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), "warden-"));
        starts = 0;
        warden = createWarden(() => {
            starts += 1;
            const started = spawn("/bin/sh", ["-c", wardenScript], {
                cwd: folder,
                stdio: ["pipe", "ignore", "inherit"],
            });
            shell = started;
            return started.stdin;
        });
    });
    afterEach(() => {
        for (const { pid } of programs.splice(0)) {
            try {
                process.kill(-(pid ?? 0), "SIGKILL");
            } catch {
                // It has ended, as it should.
            }
        }
        shell.kill("SIGKILL");
        rmSync(folder, { recursive: true, force: true });
    });

    /** A program with a group of its own, once it runs. */
    async function startProgram(script: string): Promise<ChildProcess & { pid: number }> {
        const program = spawn("/bin/sh", ["-c", `echo up; ${script}`], {
            detached: true,
            stdio: ["ignore", "pipe", "inherit"],
        });
        programs.push(program);
        await once(program.stdout, "data");
        return program as ChildProcess & { pid: number };
    }

    async function end(): Promise<void> {
        const ended = once(shell, "exit");
        shell.stdin?.end();
        await ended;
    }

    it("ends programs with all they have started, and removes folders, when its pipe ends", async () => {
        const child = path.join(folder, "child");
        const program = await startProgram(`sleep 60 & echo $! > ${child}; wait`);
        const kept = await startProgram("exec sleep 60");
        const guarded = path.join(folder, "a folder");
        mkdirSync(path.join(guarded, "tls"), { recursive: true });
        writeFileSync(path.join(guarded, "tls", "key.pem"), "key");
        warden.guardGroup(program.pid);
        warden.guardFolder(guarded);
        warden.guardGroup(kept.pid)();
        const exit = once(program, "exit");
        await end();
        assert.deepEqual(await exit, [null, "SIGTERM"]);
        assert.throws(() => process.kill(-program.pid, 0), "what it has started is in its group");
        assert.equal(existsSync(guarded), false);
        assert.equal(kept.exitCode ?? kept.signalCode, null, "what has been let go is left alone");
        assert.equal(starts, 1);
    });

    it("kills a program that does not want to end", async () => {
        const program = await startProgram("trap '' TERM; while :; do sleep 1; done");
        warden.guardGroup(program.pid);
        const exit = once(program, "exit");
        await end();
        assert.deepEqual(await exit, [null, "SIGKILL"]);
    });

    it("takes what it is told for names and never for commands", async () => {
        const names = [
            "$(touch hit)",
            "a; touch hit",
            "`touch hit`",
            "' touch hit '",
            "-rf",
            " * ",
            "*",
            "back\\slash",
        ];
        const all = names.map((name) => path.join(folder, name, "inside"));
        all.forEach((name) => mkdirSync(name, { recursive: true }));
        mkdirSync(path.join(folder, "kept"));
        names.forEach((name) => warden.guardFolder(path.join(folder, name)));
        warden.guardFolder(`${folder}\n+f${folder}/kept`);
        warden.guardFolder("kept");
        await end();
        assert.deepEqual(readdirSync(folder), ["kept"]);
    });

    it("is started again when somebody has ended it, and knows what there was to guard", async () => {
        const program = await startProgram("exec sleep 60");
        warden.guardGroup(program.pid);
        const killed = once(shell, "exit");
        shell.kill("SIGKILL");
        await killed;
        // The first line finds the pipe broken.
        warden.guardGroup(program.pid)();
        await new Promise((resolve) => setTimeout(resolve, 100));
        warden.guardGroup(program.pid);
        const exit = once(program, "exit");
        await end();
        assert.deepEqual(await exit, [null, "SIGTERM"]);
        assert.equal(starts, 2);
    });

    it("outlives the signals that end a whole session", async () => {
        const program = await startProgram("exec sleep 60");
        warden.guardGroup(program.pid);
        await new Promise((resolve) => setTimeout(resolve, 200));
        (["SIGINT", "SIGTERM", "SIGHUP"] as const).forEach((signal) => shell.kill(signal));
        const exit = once(program, "exit");
        await end();
        assert.deepEqual(await exit, [null, "SIGTERM"]);
    });
});
