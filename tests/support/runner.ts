import { fork } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerOrder, RunnerReport } from "../fixtures/routing/runner";
import { findByEnvironment } from "./processes";
import type { World } from "./world";

/** A process that takes places on builders and builds, as a runner of its own. */
export interface Runner {
    readonly reports: readonly RunnerReport[];
    /** Done when it has ended, whatever came of its images. */
    readonly ended: Promise<void>;
    /** Ends it and all that it has started, as when its machine is switched off. */
    kill(): void;
}

/** Starts a runner. It ends by itself when its images are done. */
export function startRunner(world: World, order: Omit<RunnerOrder, "env" | "base">): Runner {
    const base = mkdtempSync(join(tmpdir(), "runner-"));
    const reports: RunnerReport[] = [];
    const child = fork(join(__dirname, "..", "fixtures", "routing", "runner.ts"), {
        execArgv: ["--require", "ts-node/register/transpile-only"],
        stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.on("message", (report: RunnerReport) => reports.push(report));
    const env = { PATH: process.env["PATH"], HOME: base, SSL_CERT_FILE: world.caFile };
    child.send({ ...order, env, base });
    return {
        reports,
        ended: new Promise((resolve) => child.once("exit", () => resolve())),
        kill: () => {
            child.kill("SIGKILL");
            for (const { pid } of findByEnvironment(`HOME=${base}`)) {
                process.kill(pid, "SIGKILL");
            }
        },
    };
}
