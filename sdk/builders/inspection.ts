import { findBuildx } from "../build/buildx";
import { buildxEnvironment } from "../build/environment";
import { runCommand, type CommandResult } from "../build/exec";
import { withPrivateFolder } from "../build/privateFolder";
import { MultiArchError } from "../errors";
import type { BuilderNode } from "./node";
import type { Budget } from "./preflightBudget";
import { registerBuilder } from "./register";

/** A private buildx to ask one builder with. */
export interface Inspection {
    /** Makes the builder known, with its platform left open. Throws what is wrong with it. */
    readonly register: () => Promise<void>;
    /** Runs buildx. Throws when the user cancels, or what `late` gives when the time is up. */
    readonly run: (args: readonly string[]) => Promise<CommandResult>;
}

/** How a builder is asked. */
export interface InspectionOptions {
    readonly budget: Budget;
    /** The content of a docker config.json with the accounts of registries. */
    readonly registriesConfig?: string | undefined;
    /** The error for a builder that has not answered in time. */
    readonly late: () => MultiArchError;
}

/** Works with a private buildx, and takes it away afterwards. What was started on a builder stays there. */
export async function withInspection<T>(
    node: BuilderNode,
    { budget, registriesConfig = "{}", late }: InspectionOptions,
    work: (inspection: Inspection) => Promise<T>,
): Promise<T> {
    const buildx = await findBuildx();
    return withPrivateFolder(async (folder) => {
        await folder.write("docker/config.json", registriesConfig);
        const env = buildxEnvironment(process.env, {
            dockerConfig: `${folder.path}/docker`,
            buildxConfig: await folder.folder("buildx"),
            temporary: await folder.folder("tmp"),
        });
        const run = async (args: readonly string[]): Promise<CommandResult> => {
            const result = await runCommand({ file: buildx.file, args, env, signal: budget.signal, killAfterMs: 500 });
            if (budget.isCancelled()) {
                throw new MultiArchError("build-cancelled", { what: "cancelled while the builder was checked" });
            }
            if (result.cancelled) {
                throw late();
            }
            return result;
        };
        const register = (): Promise<void> => {
            return registerBuilder(node, { folder, machine: process.env, run, declares: false });
        };
        return work({ register, run });
    });
}
