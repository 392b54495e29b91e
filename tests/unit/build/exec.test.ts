import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { runCommand, type CommandOptions } from "../../../sdk/build/exec";
import { MultiArchError } from "../../../sdk/errors";

function shell(script: string, more: Partial<CommandOptions> = {}): CommandOptions {
    return { file: "/bin/sh", args: ["-c", script], env: { PATH: "/usr/bin:/bin" }, ...more };
}

/** A process that was ended can still be listed for a moment, until its new parent has taken note. */
async function isRunning(pid: string): Promise<boolean> {
    const deadline = Date.now() + 2_000;
    while (stateOf(pid) !== undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return stateOf(pid) !== undefined;
}

/** The state of a process. One that has ended and that nobody has asked about yet still has an entry, and is over. */
function stateOf(pid: string): string | undefined {
    try {
        const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
        return state === "Z" || state === "X" ? undefined : state;
    } catch {
        return undefined;
    }
}

describe("a command", () => {
    it("gives its output and its exit code, and a failing one is no error", async () => {
        const { stdout, stderrTail, exitCode } = await runCommand(shell("echo out; echo err >&2; exit 3"));
        assert.deepEqual({ stdout, stderrTail, exitCode }, { stdout: "out\n", stderrTail: "err\n", exitCode: 3 });
    });

    it("sees the environment it is given, and nothing of this process's", async () => {
        process.env.MULTIARCH_TEST_LEAK = "leak";
        try {
            const { stdout } = await runCommand(shell("env", { env: { ONLY: "this" } }));
            assert.match(stdout, /^ONLY=this$/m);
            assert.doesNotMatch(stdout, /leak/);
        } finally {
            delete process.env.MULTIARCH_TEST_LEAK;
        }
    });

    it("gets its arguments as they are", async () => {
        const args = ["-c", 'printf "%s|" "$@"', "sh", "a b", "$HOME", "*", "-x", ""];
        const { stdout } = await runCommand({ file: "/bin/sh", args, env: {} });
        assert.equal(stdout, "a b|$HOME|*|-x||\n");
    });

    it("reads its input, and an empty one when there is none", async () => {
        assert.equal((await runCommand(shell("cat", { input: "text" }))).stdout, "text\n");
        assert.equal((await runCommand(shell("cat"))).stdout, "");
    });

    it("hands out lines as they come", async () => {
        const lines: string[] = [];
        await runCommand(shell("printf 'a\\nb\\r\\nc' >&2", { onStderrLine: (line) => lines.push(line) }));
        assert.deepEqual(lines, ["a", "b", "c"]);
    });

    it("shows no secret in what it returns and hands out", async () => {
        const lines: string[] = [];
        const result = await runCommand(
            shell("echo 'pw=hunter22'; echo 'key line one' >&2; echo 'key line two' >&2", {
                redact: ["hunter22", "key line one\nkey line two\n"],
                onStdoutLine: (line) => lines.push(line),
                onStderrLine: (line) => lines.push(line),
            }),
        );
        assert.equal(result.stdout, "pw=[secret]\n");
        assert.equal(result.stderrTail, "[secret]\n");
        assert.deepEqual(lines, ["pw=[secret]", "[secret]", "[secret]"]);
    });

    it("cuts long output without letting part of a secret through", async () => {
        const result = await runCommand(
            shell("echo 123456hunter22; echo 'hunter22654321' >&2", {
                redact: ["hunter22"],
                maxOutputBytes: 10,
            }),
        );
        assert.equal(result.stdout, "123456[sec");
        assert.equal(result.stderrTail, "et]654321\n");
    });

    it("ends when its time is up, with all it has started, even when it ignores the first signal", async () => {
        const script = "trap '' TERM; sleep 60 & echo $!; wait; sleep 60";
        const result = await runCommand(shell(script, { timeoutMs: 300, killAfterMs: 200 }));
        assert.equal(result.timedOut, true);
        assert.equal(result.signal, "SIGKILL");
        assert.equal(await isRunning(result.stdout.trim()), false);
    });

    it("ends when it is cancelled, and says so", async () => {
        const controller = new AbortController();
        const running = runCommand(
            shell("echo $$; sleep 60", {
                signal: controller.signal,
                onStdoutLine: () => {
                    controller.abort();
                },
            }),
        );
        const result = await running;
        assert.deepEqual([result.cancelled, result.timedOut, result.signal], [true, false, "SIGTERM"]);
        assert.equal(await isRunning(result.stdout.trim()), false);
    });

    it("does not start when it is cancelled already", async () => {
        const folder = mkdtempSync(path.join(tmpdir(), "exec-"));
        try {
            const signal = AbortSignal.abort();
            const result = await runCommand(shell("touch started", { cwd: folder, signal }));
            assert.equal(result.cancelled, true);
            assert.equal((await runCommand(shell("ls", { cwd: folder }))).stdout, "");
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it("that does not exist is a missing tool, and a missing folder is not", async () => {
        const missing = { file: "/nowhere/tool", args: [], env: {} };
        await assert.rejects(
            runCommand(missing),
            (error) => error instanceof MultiArchError && error.code === "tool-missing",
        );
        await assert.rejects(
            runCommand(shell("true", { cwd: "/nowhere" })),
            (error) => error instanceof MultiArchError && error.code === "context-missing",
        );
    });
});
