import { inspectBuilderArgv, removeContainerArgv } from "../build/builderArgv";
import { readContainerLog } from "./containerLog";
import { findSocket } from "./dockerContext";
import { explainDocker, failedToStart } from "./dockerErrors";
import type { DockerSettings } from "./dockerSettings";
import { withInspection, type Inspection } from "./inspection";
import type { BuilderNode } from "./node";
import { builderError, type Budget } from "./preflightBudget";
import type { ControlAnswer } from "./preflightControl";
import { parseInspection } from "./preflightInspect";
import { registeredName } from "./registeredName";

/**
 * Starts BuildKit on a Docker daemon, where it does not run yet, and asks it what it has. A container that was there and
 * does not answer is made anew once, with its cache. One that does not start is taken away, once its log is read.
 */
export async function inspectDocker(
    node: BuilderNode,
    settings: DockerSettings,
    budget: Budget,
    registriesConfig?: string,
): Promise<ControlAnswer> {
    const late = () => {
        const what = `BuildKit did not run within ${budget.timeoutMs / 1000} s`;
        return builderError(node, "builder-docker-start", what, { transient: true });
    };
    return takeTurns(JSON.stringify(settings), () =>
        withInspection(node, { budget, registriesConfig, late }, async (inspection) => {
            const answer = await boot(node, settings, inspection, true);
            return answer ?? (await boot(node, settings, inspection, false)) ?? Promise.reject(late());
        }),
    );
}

/** Undefined when there is a new container to be made in place of one that does not answer. */
async function boot(
    node: BuilderNode,
    settings: DockerSettings,
    { register, run }: Inspection,
    mayRepair: boolean,
): Promise<ControlAnswer | undefined> {
    await register();
    const name = registeredName(node);
    const result = await run(inspectBuilderArgv(name));
    const answer = parseInspection(result.stdout);
    if (result.exitCode === 0 && answer) {
        return answer;
    }
    const failed = failedToStart(result);
    if (failed === undefined) {
        throw explainDocker(node, result);
    }
    const socket = await findSocket(settings, process.env);
    const log = socket === undefined ? undefined : await readContainerLog(socket, failed.container);
    const isRepaired = failed.wasThere && mayRepair;
    // Where its log cannot be read from here, it is left for the user to read.
    if (log !== undefined || isRepaired) {
        await run(removeContainerArgv(name));
    }
    if (isRepaired) {
        return undefined;
    }
    throw explainDocker(node, result, log ?? `docker logs ${failed.container}`);
}

const turns = new Map<string, Promise<unknown>>();

/**
 * Does what belongs to one builder one after the other: all platforms of an image ask at once, and buildx starts a
 * container that another run is still filling.
 */
async function takeTurns<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
    turns.set(key, turn);
    return turn;
}
