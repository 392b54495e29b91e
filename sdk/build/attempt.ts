import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { heartbeatOf } from "../builders/heartbeat";
import { describeNode } from "../builders/node";
import { registerBuilder } from "../builders/register";
import { MultiArchError } from "../errors";
import { buildArgv, definitionName } from "./argv";
import { bakeTarget } from "./bake";
import { addProxies, routeBuildArgs } from "./buildArgs";
import type { Buildx } from "./buildx";
import { classifyFailure } from "./classify";
import { buildxEnvironment } from "./environment";
import { runCommand, type CommandResult } from "./exec";
import { parseMetadata, type PushedImage } from "./metadata";
import type { PrivateFolder } from "./privateFolder";
import { createProgressReader, type BuildProgress, type BuildTotals } from "./progress";
import { createRedactor } from "./redact";
import { secretsOf, type BuildFiles, type BuildRequest } from "./request";
import { watchBuild, type Watchdog, type WatchTimes } from "./watchdog";

/** What one try needs beside the request. */
export interface AttemptOptions {
    readonly buildx: Buildx;
    /** The environment of this machine. */
    readonly env: Readonly<Record<string, string | undefined>>;
    /** Milliseconds this try may take. */
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
    /** Aborted when the builder is gone, with a MultiArchError. */
    readonly lost?: AbortSignal | undefined;
    /** When a silent build counts as lost. */
    readonly watch?: WatchTimes | undefined;
    readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** What one try gave. */
export interface AttemptResult {
    /** Undefined when the request said not to push. */
    readonly image: PushedImage | undefined;
    readonly totals: BuildTotals;
    /** When this machine first heard that the builder works, in milliseconds. */
    readonly tookAt: number;
}

const createTimeoutMs = 30_000;
/** buildx tells the builder that it ends, which one that is gone never hears. */
const killAfterMs = 3_000;
const plainLinesKept = 60;
const buildxFolder = "buildx";

/** Builds once, with all files in the given private folder. Throws a MultiArchError that says why it failed. */
export async function attemptBuild(
    request: BuildRequest,
    folder: PrivateFolder,
    options: AttemptOptions,
): Promise<AttemptResult> {
    const env = await prepareEnvironment(request, folder, options);
    await createBuilder(request, folder, env, options);
    const files = await writeFiles(request, folder);
    const argv = buildArgv(request, files);
    if (argv.definition !== undefined) {
        await folder.write(definitionName, argv.definition);
    }

    const redact = createRedactor(secretsOf(request));
    const reader = createProgressReader(redact);
    const plain: string[] = [];
    let tookAt: number | undefined;
    const watchdog = watch(request, folder, options);
    const result = await runCommand({
        file: options.buildx.file,
        args: argv.args,
        env: { ...env, ...argv.env },
        cwd: request.baseDirectory,
        signal: AbortSignal.any(
            [options.signal, options.lost, watchdog?.lost].filter((signal) => signal !== undefined),
        ),
        timeoutMs: options.timeoutMs,
        killAfterMs,
        // Progress is JSON: secrets are replaced in what is read from it, not in its syntax.
        onStderrLine: (line) => {
            watchdog?.heard();
            const events = reader.push(line);
            if (events === undefined) {
                plain.push(redact(line));
                plain.splice(0, plain.length - plainLinesKept);
            }
            tookAt ??= reader.totals().startedAt === undefined ? undefined : Date.now();
            events?.forEach((event) => options.onProgress?.(event));
        },
    }).finally(() => watchdog?.stop());
    if (result.cancelled && options.signal?.aborted !== true) {
        throw lostError(request, [options.lost, watchdog?.lost]);
    }
    throwIfStopped(request, result);
    if (result.exitCode !== 0) {
        const { code, fields } = classifyFailure({ failure: reader.failure(), lines: plain });
        throw new MultiArchError(code, { ...fields, ...placeOf(request) });
    }
    const metadata = await readFile(files.metadata, "utf8").catch(() => "");
    const image = parseMetadata(metadata, argv.definition === undefined ? undefined : bakeTarget);
    if (!image && request.options?.push !== false) {
        const what = "the build succeeded, but buildx gave no digest of the image";
        throw new MultiArchError("build-no-digest", { what, ...placeOf(request) });
    }
    return { image, totals: reader.totals(), tookAt: tookAt ?? Date.now() };
}

/** Asks the builder about the build when it is silent. */
function watch(request: BuildRequest, folder: PrivateFolder, options: AttemptOptions): Watchdog | undefined {
    const heartbeat = heartbeatOf(request.node);
    return heartbeat && watchBuild((ms) => heartbeat(listBuilds(folder.path), ms), options.watch);
}

/** The names that the builder knows the build by: buildx notes them in its store as it begins. */
function listBuilds(folder: string): string[] {
    const refs = path.join(folder, buildxFolder, "refs");
    const found = existsSync(refs) ? readdirSync(refs, { recursive: true, withFileTypes: true }) : [];
    return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

function lostError(request: BuildRequest, signals: readonly (AbortSignal | undefined)[]): MultiArchError {
    const reason: unknown = signals.find((signal) => signal?.aborted === true)?.reason;
    const what = "the builder is gone";
    const error = reason instanceof MultiArchError ? reason : new MultiArchError("build-lost-connection", { what });
    return error.with({ ...placeOf(request), transient: true });
}

async function prepareEnvironment(
    request: BuildRequest,
    folder: PrivateFolder,
    options: AttemptOptions,
): Promise<Record<string, string>> {
    const { proxies } = routeBuildArgs(request);
    const config = await folder.write("docker/config.json", addProxies(request.registriesConfig, proxies));
    return buildxEnvironment(options.env, {
        dockerConfig: path.dirname(config),
        buildxConfig: await folder.folder(buildxFolder),
        temporary: await folder.folder("tmp"),
    });
}

async function createBuilder(
    request: BuildRequest,
    folder: PrivateFolder,
    env: Record<string, string>,
    options: AttemptOptions,
): Promise<void> {
    const run = async (args: readonly string[]): Promise<CommandResult> => {
        const result = await runCommand({
            file: options.buildx.file,
            args,
            env,
            cwd: request.baseDirectory,
            signal: options.signal,
            timeoutMs: Math.min(createTimeoutMs, options.timeoutMs),
            redact: secretsOf(request),
        });
        throwIfStopped(request, result);
        return result;
    };
    await registerBuilder(request.node, { folder, machine: options.env, run, declares: true });
}

/** The frontend can ask for any file beside the Dockerfile, so its folder holds nothing else. */
async function writeFiles(request: BuildRequest, folder: PrivateFolder): Promise<BuildFiles> {
    const secrets: Record<string, string> = {};
    for (const [position, [id, value]] of Object.entries(request.secrets).entries()) {
        secrets[id] = await folder.write(`secrets/${position}`, value);
    }
    const sshKeys: Record<number, string> = {};
    for (const [position, { key }] of (request.options?.ssh ?? []).entries()) {
        if (key !== undefined) {
            // A key without a line break at its end is no key to ssh.
            sshKeys[position] = await folder.write(`ssh/${position}`, key.endsWith("\n") ? key : `${key}\n`);
        }
    }
    const inline = request.dockerfile?.inline;
    return {
        metadata: path.join(folder.path, "metadata.json"),
        secrets,
        sshKeys,
        ...(inline ? { dockerfile: await folder.write("dockerfile/Dockerfile", inline) } : {}),
    };
}

function throwIfStopped(request: BuildRequest, result: CommandResult): void {
    if (result.cancelled) {
        throw new MultiArchError("build-cancelled", { what: "the build was cancelled", ...placeOf(request) });
    }
    if (result.timedOut) {
        const what = `the build did not end within ${request.timeoutSeconds} s`;
        throw new MultiArchError("build-timeout", { what, ...placeOf(request) });
    }
}

/** Where something failed, for errors. */
export function placeOf(request: BuildRequest): { platform: string; builder: string } {
    return { platform: request.platform, builder: describeNode(request.node) };
}
