import { inspectBuilderArgv } from "../build/builderArgv";
import type { MultiArchError } from "../errors";
import { normalisePlatform } from "../platform";
import { withInspection } from "./inspection";
import type { BuilderNode } from "./node";
import { builderError, type Budget } from "./preflightBudget";
import type { ControlAnswer, WorkerRecord } from "./preflightControl";
import { registeredName } from "./registeredName";

/**
 * Asks a builder that only buildx can reach, through ssh, kubectl, docker, or a driver of its own. What stands in the
 * way is told apart less well here: the programs in between say it in their own words, and those are in the error.
 */
export async function inspectThroughBuildx(
    node: BuilderNode,
    budget: Budget,
    registriesConfig?: string,
): Promise<ControlAnswer> {
    const late = (): MultiArchError => {
        const what = `the builder did not answer within ${budget.timeoutMs / 1000} s`;
        return unreachable(node, what, { transient: true });
    };
    return withInspection(node, { budget, registriesConfig, late }, async ({ register, run }) => {
        await register();
        const result = await run(inspectBuilderArgv(registeredName(node)));
        const answer = parseInspection(result.stdout);
        if (result.exitCode !== 0 || !answer) {
            const lines = pickLines(`${result.stdout}\n${result.stderrTail}`);
            throw unreachable(node, "the builder cannot be reached by buildx", { lines });
        }
        return answer;
    });
}

/** Reads the text of `buildx inspect` for a builder with one node. Undefined when it does not run. */
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

function pickLines(output: string): string[] {
    return output
        .split("\n")
        .filter((line) => /error|fail|denied|refused|no such|not found/i.test(line))
        .slice(-5);
}

function unreachable(
    node: BuilderNode,
    what: string,
    more: { readonly lines?: readonly string[]; readonly transient?: boolean },
): MultiArchError {
    const next = node.named
        ? `Try the same by hand: docker buildx inspect --bootstrap ${node.named.name}.`
        : "Try the same by hand: ssh to the host, kubectl exec into the pod, or docker exec into the container.";
    return builderError(node, "builder-unreachable", what, { field: node.named ? "name" : "address", next, ...more });
}
