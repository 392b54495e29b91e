import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { execa } from "execa";
import { MultiArchError } from "../errors";
import { createLineSplitter } from "./lines";
import { createRedactor } from "./redact";
import { createWarden, wardenScript } from "./warden";

/** One run of a program, without a shell. */
export interface CommandOptions {
    /** The program: a path, or a name looked up in the PATH of `env`. */
    readonly file: string;
    /** Its arguments, as they are: no quoting, no expansion. Secrets do not belong here. */
    readonly args: readonly string[];
    /** The whole environment: nothing is inherited from this process. */
    readonly env: Readonly<Record<string, string>>;
    /** The folder to run in. By default this process's own. */
    readonly cwd?: string | undefined;
    /** What the program reads from its standard input. By default nothing. */
    readonly input?: string | Uint8Array | undefined;
    /** Ends the program when aborted: SIGTERM, and SIGKILL after a delay. */
    readonly signal?: AbortSignal | undefined;
    /** Milliseconds after which the program is ended in the same way. By default never. */
    readonly timeoutMs?: number | undefined;
    /** Milliseconds between SIGTERM and SIGKILL. By default 5000. */
    readonly killAfterMs?: number | undefined;
    /** How much of each output is kept, in characters: the start of stdout, the end of stderr. By default 1 MiB. */
    readonly maxOutputBytes?: number | undefined;
    /** Values that are replaced in everything that is returned or handed to the line functions. */
    readonly redact?: readonly string[] | undefined;
    /** Called with each line of stdout as it arrives. */
    readonly onStdoutLine?: ((line: string) => void) | undefined;
    /** Called with each line of stderr as it arrives. */
    readonly onStderrLine?: ((line: string) => void) | undefined;
}

/** How a program ended. A failing exit code is an answer and not an error here. */
export interface CommandResult {
    /** What it wrote to stdout, up to the limit, with a line break after the last line. */
    readonly stdout: string;
    /** The end of what it wrote to stderr, up to the limit. */
    readonly stderrTail: string;
    /** Its exit code; undefined when a signal ended it. */
    readonly exitCode: number | undefined;
    /** The signal that ended it. */
    readonly signal: string | undefined;
    /** True when `timeoutMs` ended it. */
    readonly timedOut: boolean;
    /** True when `signal` ended it. */
    readonly cancelled: boolean;
}

const defaultOutputLimit = 1024 * 1024;
const defaultKillDelay = 5_000;

/** What takes away programs and folders when this process is killed. */
export const warden = createWarden(() => {
    if (process.platform === "win32") {
        return undefined;
    }
    // execa's own processes keep this one alive, and end with it. In a group of its own: the engine ends plugins by group.
    const subprocess = spawn("/bin/sh", ["-c", wardenScript], {
        env: { PATH: `${process.env["PATH"] ?? ""}:/usr/bin:/bin` },
        cwd: "/",
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
    });
    subprocess.on("error", () => undefined);
    subprocess.unref();
    const { stdin } = subprocess;
    if (stdin instanceof Socket) {
        stdin.unref();
    }
    return stdin;
});

/**
 * Runs a program and waits for its end. This is the only place that starts processes. A running program and its
 * descendants end together, and with this process, however it ends.
 *
 * Throws a MultiArchError `tool-missing` when the program does not exist or cannot be executed.
 */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
    assertFolder(options.cwd);
    if (options.signal?.aborted) {
        return {
            stdout: "",
            stderrTail: "",
            exitCode: undefined,
            signal: undefined,
            timedOut: false,
            cancelled: true,
        };
    }
    const limit = options.maxOutputBytes ?? defaultOutputLimit;
    const redact = createRedactor(options.redact ?? []);
    // A secret across the limit would be kept in part, and a part is not recognised: cut only after replacing.
    const margin = Math.max(0, ...(options.redact ?? []).map((secret) => secret.length));

    const subprocess = execa(options.file, options.args, {
        env: options.env,
        extendEnv: false,
        reject: false,
        buffer: false,
        stdin: options.input === undefined ? "ignore" : "pipe",
        stdout: "pipe",
        stderr: "pipe",
        killDescendants: true,
        forceKillAfterDelay: options.killAfterMs ?? defaultKillDelay,
        ...(options.input === undefined ? {} : { input: options.input }),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    });

    const release = subprocess.pid === undefined ? undefined : warden.guardGroup(subprocess.pid);

    let stdout = "";
    let stderr = "";
    const outLines = createLineSplitter((line) => {
        if (stdout.length <= limit + margin) {
            stdout += `${line}\n`;
        }
        options.onStdoutLine?.(redact(line));
    });
    const errLines = createLineSplitter((line) => {
        stderr = `${stderr}${line}\n`;
        if (stderr.length > 2 * (limit + margin)) {
            stderr = stderr.slice(-(limit + margin));
        }
        options.onStderrLine?.(redact(line));
    });
    subprocess.stdout.on("data", outLines.push);
    subprocess.stderr.on("data", errLines.push);

    const result = await subprocess;
    release?.();
    const started = result.exitCode !== undefined || result.signal !== undefined;
    if (!started && !result.isCanceled) {
        throw new MultiArchError("tool-missing", {
            what: `${options.file} cannot be run (${result.code ?? "unknown"})`,
        });
    }
    outLines.end();
    errLines.end();
    return {
        stdout: redact(stdout).slice(0, limit),
        stderrTail: redact(stderr).slice(-limit),
        exitCode: result.exitCode,
        signal: result.signal,
        timedOut: result.timedOut,
        cancelled: result.isCanceled,
    };
}

/** The system reports a missing working folder exactly like a missing program. */
function assertFolder(cwd: string | undefined): void {
    if (cwd !== undefined && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
        throw new MultiArchError("context-missing", { what: `the folder ${cwd} does not exist` });
    }
}

/** A program that is a connection: what it is sent goes to its input, and what it says comes from its output. */
export interface Pipe {
    /** Closing it ends the program. */
    readonly stream: Duplex;
    /** How it ended, without its output. Throws as `runCommand` does. */
    readonly ended: Promise<Omit<CommandResult, "stdout">>;
}

/** Runs a program as a connection. It ends with its descendants when its stream is destroyed, or when this process exits. */
export function openPipe(options: Pick<CommandOptions, "file" | "args" | "env" | "signal" | "killAfterMs">): Pipe {
    const { file, args, env, signal, killAfterMs = defaultKillDelay } = options;
    const subprocess = execa(file, args, {
        env,
        extendEnv: false,
        reject: false,
        buffer: false,
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
        encoding: "buffer",
        killDescendants: true,
        forceKillAfterDelay: killAfterMs,
        ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    let stderr = "";
    subprocess.stderr.on("data", (chunk: Buffer) => {
        stderr = `${stderr}${chunk.toString()}`.slice(-defaultOutputLimit);
    });
    const stream = Duplex.from({ readable: subprocess.stdout, writable: subprocess.stdin });
    // Whoever reads it is told by its end, and by `ended`.
    stream.on("error", () => undefined);
    stream.once("close", () => subprocess.kill());
    const ended = (async () => {
        const result = await subprocess;
        const started = result.exitCode !== undefined || result.signal !== undefined;
        if (!started && !result.isCanceled) {
            throw new MultiArchError("tool-missing", { what: `${file} cannot be run (${result.code ?? "unknown"})` });
        }
        const { exitCode, signal: endSignal, timedOut, isCanceled } = result;
        return { stderrTail: stderr, exitCode, signal: endSignal, timedOut, cancelled: isCanceled };
    })();
    ended.catch(() => undefined);
    return { stream, ended };
}
