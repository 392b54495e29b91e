import { buildxEnvironment } from "../build/environment";
import { createBuilderArgv, inspectBuilderArgv } from "../build/builderArgv";
import { findBuildx } from "../build/buildx";
import { runCommand } from "../build/exec";
import { withPrivateFolder } from "../build/privateFolder";
import { MultiArchError } from "../errors";
import { normalisePlatform } from "../platform";
import type { BuilderNode } from "./node";
import { builderError, type Budget } from "./preflightBudget";
import type { ControlAnswer, WorkerRecord } from "./preflightControl";

/**
 * Asks a builder that only buildx can reach, through ssh, kubectl or docker. What stands in the way is told apart less
 * well here: the programs in between say it in their own words, and those are in the error.
 */
export async function inspectThroughBuildx(node: BuilderNode, budget: Budget): Promise<ControlAnswer> {
    const buildx = await findBuildx();
    return withPrivateFolder(async (folder) => {
        await folder.write("docker/config.json", "{}");
        const env = buildxEnvironment(process.env, {
            dockerConfig: `${folder.path}/docker`,
            buildxConfig: await folder.folder("buildx"),
            temporary: await folder.folder("tmp"),
        });
        // Nothing is declared about its platforms: buildx would list what is declared before what the worker says.
        const create = createBuilderArgv(node).filter((_, position, all) => {
            return all[position] !== "--platform" && all[position - 1] !== "--platform";
        });
        for (const args of [create, inspectBuilderArgv()]) {
            const result = await runCommand({
                file: buildx.file,
                args,
                env,
                signal: budget.signal,
                killAfterMs: 500,
            });
            if (budget.isCancelled()) {
                throw new MultiArchError("build-cancelled", { what: "cancelled while the builder was checked" });
            }
            const answer = parseInspection(result.stdout);
            if (result.cancelled || result.exitCode !== 0 || (args !== create && !answer)) {
                throw unreachable(node, budget, result.cancelled, `${result.stdout}\n${result.stderrTail}`);
            }
            if (answer) {
                return answer;
            }
        }
        throw unreachable(node, budget, false, "");
    });
}

/** Reads the text of `buildx inspect`. Undefined when no node of it runs. */
export function parseInspection(text: string): ControlAnswer | undefined {
    const fields = new Map<string, string>();
    const labels: Record<string, string> = {};
    let section = "";
    for (const line of text.split("\n")) {
        const found = /^(\s*)([^:]+(?:\.[^:]+)*):\s*(.*)$/.exec(line);
        if (!found) {
            continue;
        }
        const [, indent = "", name = "", value = ""] = found;
        if (indent === "") {
            section = name;
            fields.set(name, value);
        } else if (section === "Labels") {
            labels[name] = value;
        }
    }
    const platforms = (fields.get("Platforms") ?? "").split(",").flatMap(readOffered);
    if (fields.get("Status") !== "running" || platforms.length === 0) {
        return undefined;
    }
    return { version: fields.get("BuildKit version"), workers: [{ id: "", labels, platforms }] };
}

/** One platform of the list; a star marks those that were declared when the builder was made known to buildx. */
function readOffered(text: string): WorkerRecord["platforms"] {
    const [os, architecture, variant] = text.trim().replace(/\*$/, "").split("/");
    if (!os || !architecture) {
        return [];
    }
    const platform = normalisePlatform({ os, architecture, variant });
    return [{ os: platform.os, architecture: platform.architecture, variant: platform.variant ?? "" }];
}

function unreachable(node: BuilderNode, budget: Budget, late: boolean, output: string): MultiArchError {
    const lines = output
        .split("\n")
        .filter((line) => /error|fail|denied|refused|no such|not found/i.test(line))
        .slice(-5);
    const what = late
        ? `the builder did not answer within ${budget.timeoutMs / 1000} s`
        : "the builder cannot be reached by buildx";
    return builderError(node, "builder-unreachable", what, {
        field: "address",
        lines,
        transient: late,
        next: "Try the same by hand: ssh to the host, kubectl exec into the pod, or docker exec into the container.",
    });
}
