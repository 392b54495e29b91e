import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { listLeftovers, removeLeftovers } from "../support/leftovers";
import { findSharedFolder } from "../support/runFolder";
import { runTool } from "../support/tools";

const repository = join(__dirname, "..", "..");
const mocha = pathToFileURL(join(repository, "tools/lib/mocha.mjs")).href;

/** Runs mocha as npm test does, on a test that starts a world and waits. */
const script = `
    import { runMocha } from ${JSON.stringify(mocha)};
    const options = { name: "interrupted", env: process.env, timeout: 600000 };
    console.log(JSON.stringify(await runMocha(["tests/fixtures/interrupted/longRun.ts"], options)));
`;

interface Run {
    /** The process that stands for npm test. */
    readonly parent: ChildProcess;
    /** The process of mocha. */
    readonly pid: number;
    readonly output: () => string;
}

/** A run of the tests that is told to end, or killed, leaves nothing on the machine. */
describe("a test run", function () {
    this.timeout(180_000);
    const runs: Run[] = [];

    after(() => {
        for (const { parent, pid } of runs) {
            parent.kill("SIGKILL");
            if (listLeftovers(pid).length > 0) {
                process.kill(pid, "SIGTERM");
            }
        }
    });

    async function startRun(): Promise<Run> {
        // A folder beside that of this run, as that of any other.
        const env = { ...process.env, TMPDIR: findSharedFolder() };
        const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: repository, env });
        let output = "";
        parent.stdout.on("data", (data: Buffer) => (output += data.toString()));
        parent.stderr.on("data", (data: Buffer) => (output += data.toString()));
        const findPid = () => /the world of (\d+) is up/.exec(output)?.[1];
        await until(() => findPid() !== undefined || parent.exitCode !== null, "the world was not started");
        const run = { parent, pid: Number(findPid()), output: () => output };
        assert.ok(run.pid, output);
        runs.push(run);
        const left = listLeftovers(run.pid).join(" ");
        for (const part of [/mat\d+-reg/, /mat\d+-arm64/, /mat\d+br/, /mat\d+v2/, /multiarch-tests-/, /process/]) {
            assert.match(left, part);
        }
        return run;
    }

    it("that is told to end has ended everything it has started, and says what ended it", async () => {
        const { parent, pid, output } = await startRun();
        parent.kill("SIGTERM");
        const [exitCode] = (await once(parent, "close")) as [number];
        assert.deepEqual(listLeftovers(pid), []);
        assert.deepEqual(listLeftovers(parent.pid ?? 0), []);
        assert.equal(exitCode, 0, "the script itself waits for mocha and goes on");
        assert.match(output(), /SIGTERM: ending what the tests have started/);
        assert.match(output(), /mocha ended early \(exit 143\) in suite interrupted/);
        assert.match(output(), /"exitCode":143,.*"interrupt":"SIGTERM"/);
    });

    it("ends everything it has started when npm test is killed", async () => {
        const { parent, pid } = await startRun();
        parent.kill("SIGKILL");
        await until(() => listLeftovers(pid).length === 0, "the run goes on without its parent");
    });

    it("that is killed is taken away by the next one", async () => {
        const killed = await startRun();
        process.kill(killed.pid, "SIGKILL");
        await once(killed.parent, "close");
        assert.match(killed.output(), /mocha ended early \(signal SIGKILL\) in suite interrupted/);
        assert.notDeepEqual(listLeftovers(killed.pid), []);
        const next = await startRun();
        assert.deepEqual(listLeftovers(killed.pid), []);
        process.kill(next.pid, "SIGINT");
        await once(next.parent, "close");
        assert.deepEqual(listLeftovers(next.pid), []);
    });

    it("that was killed is taken away by several next ones at once", async () => {
        const { pid = 0 } = await endedProcess();
        const folder = mkdtempSync(join(findSharedFolder(), `multiarch-tests-${pid}-`));
        for (const name of ["one", "another"]) {
            mkdirSync(join(folder, name));
            await runTool("mount", ["-t", "tmpfs", "tmpfs", join(folder, name)]);
        }
        await runTool("ip", ["netns", "add", `mat${pid}-reg`]);
        assert.equal(listLeftovers(pid).length, 2);

        await Promise.all([1, 2, 3].map(() => removeLeftovers((owner) => owner === pid)));

        assert.deepEqual(listLeftovers(pid), []);
    });
});

async function endedProcess(): Promise<ChildProcess> {
    const process = spawn("true");
    await once(process, "close");
    return process;
}

async function until(condition: () => boolean, message: string): Promise<void> {
    for (const deadline = Date.now() + 90_000; !condition();) {
        assert.ok(Date.now() < deadline, message);
        await sleep(100);
    }
}
