import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "./exec.mjs";
import { step } from "./console.mjs";
import { withLock } from "./lock.mjs";
import { logDir, repoRoot } from "./paths.mjs";
import { requireNpm } from "./node.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";

const dist = join(repoRoot, "dist");
const stampFile = join(dist, ".stamp.json");

/**
 * Runs `npm ci` unless node_modules holds exactly what the lock file says.
 * @param {NodeJS.ProcessEnv} env
 */
export async function ensureNodeModules(env) {
    if (!hasNodeModules()) {
        await withLock("node_modules", async () => {
            if (!hasNodeModules()) {
                // The `prepare` script would compile; that is a step of its own here.
                await step("installing the npm packages", () =>
                    run([requireNpm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
                        cwd: repoRoot,
                        env,
                        logFile: join(logDir, "npm-ci.log"),
                    }),
                );
            }
        });
    }
}

/** npm keeps a lock file of what it installed in node_modules: compared with ours, it tells an outdated tree. */
function hasNodeModules() {
    const wanted = readJson(join(repoRoot, "package-lock.json"))?.packages ?? {};
    const present = readJson(join(repoRoot, "node_modules", ".package-lock.json"))?.packages ?? {};
    return Object.entries(wanted).every(
        ([path, entry]) =>
            path === "" || (entry.optional && !(path in present)) || present[path]?.integrity === entry.integrity,
    );
}

/**
 * Compiles sdk/ to dist/ when a source has changed since.
 * @param {NodeJS.ProcessEnv} env
 */
export async function ensureCompiled(env) {
    if (readJson(stampFile)?.sources === hashSources()) {
        return;
    }
    await withLock("compile", async () => {
        const sources = hashSources();
        const stamp = readJson(stampFile);
        if (stamp?.sources === sources) {
            return;
        }
        if (stamp === undefined) {
            // Without a finished compilation behind it, the incremental state may name files that are not there.
            rmSync(join(dist, ".tsbuildinfo"), { force: true });
        }
        const tsc = join(repoRoot, "node_modules", ".bin", "tsc");
        await step("compiling the SDK", () =>
            run([tsc, "-p", "tsconfig.build.json"], { cwd: repoRoot, env, logFile: join(logDir, "compile.log") }),
        );
        writeJson(stampFile, { sources });
    });
}

function hashSources() {
    const files = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"].map((name) => join(repoRoot, name));
    for (const name of readdirSync(join(repoRoot, "sdk"), { recursive: true })) {
        files.push(join(repoRoot, "sdk", String(name)));
    }
    const present = files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile()).sort();
    return hashOf(present.flatMap((file) => [relative(repoRoot, file), readFileSync(file)]));
}
