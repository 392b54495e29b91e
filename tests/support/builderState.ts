import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { listProcesses } from "./processes";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { Builder } from "./world";

/** What buildctl prints of one build, as far as it is read here. */
interface HistoryEvent {
    readonly type?: number;
    readonly record?: { readonly Ref?: string; readonly CompletedAt?: object };
}

/** The builds that a builder works on now, by its own account. */
export async function listActiveBuilds({ endpoint }: Pick<Builder, "endpoint">): Promise<string[]> {
    const folder = mkdtempSync(join(tmpdir(), "buildctl-"));
    try {
        const tools = await loadTools();
        const toolchain = await tools.ensureToolchain({ system: false, compile: false });
        const { ca, cert, key } = endpoint.tls as { ca: string; cert: string; key: string };
        Object.entries({ ca, cert, key }).forEach(([name, text]) => {
            writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 });
        });
        const args = ["--addr", endpoint.address, "--tlsdir", folder, "debug", "histories", "--format", "{{json .}}"];
        // Without a trace: buildctl ends with 1 after it has printed everything when a busy daemon takes longer than
        // 50 ms for it. https://github.com/moby/buildkit/blob/v0.31.0/cmd/buildctl/common/trace.go
        const env = { OTEL_TRACES_SAMPLER: "always_off" };
        const printed = await runTool(toolchain.bin("buildctl"), args, { env });
        return printed
            .split("\n")
            .filter((line) => line.startsWith("{"))
            .map((line) => JSON.parse(line) as HistoryEvent)
            .flatMap(({ record }) => (record?.Ref === undefined || record.CompletedAt ? [] : [record.Ref]));
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The processes of steps that hold a text in their arguments: builders run them on this machine, where all see them. */
export function findSteps(text: string): number[] {
    const isClient = /buildx|pulumi|mocha/;
    return listProcesses()
        .filter(({ argv }) => argv.includes(text) && !isClient.test(argv))
        .map(({ pid }) => pid);
}

/** Waits until the step runs. */
export async function waitForStep(text: string, seconds = 60): Promise<void> {
    await secondsUntil(() => findSteps(text).length > 0, seconds, `no step runs ${text}`);
}

/**
 * Waits until a builder works on nothing and no step with this text runs. Gives how many seconds that took. Tickets are
 * builds to the daemon, and are waited for too. The failure names what still runs.
 */
export function secondsUntilIdle(builder: Pick<Builder, "endpoint">, text: string, limit: number): Promise<number> {
    let remains: string[] = [];
    const isIdle = async (): Promise<boolean> => {
        const steps = findSteps(text).map((pid) => `process ${pid}`);
        const builds = (await listActiveBuilds(builder)).map((ref) => `build ${ref}`);
        remains = [...steps, ...builds];
        return remains.length === 0;
    };
    return secondsUntil(isIdle, limit, () => `${text} runs on (${remains.join(", ")})`);
}

/** Asks again and again until something holds, and gives how many seconds that took. */
export async function secondsUntil(
    holds: () => boolean | Promise<boolean>,
    limit: number,
    failure: string | (() => string),
): Promise<number> {
    // Not by the clock on the wall, which may be set meanwhile.
    const begin = performance.now();
    while (!(await holds())) {
        if (performance.now() - begin > limit * 1_000) {
            throw new Error(`${typeof failure === "string" ? failure : failure()} after ${limit} s`);
        }
        await sleep(50);
    }
    return Math.round(performance.now() - begin) / 1_000;
}
