import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { createBuilderArgv, createDockerBuilderArgv } from "../build/builderArgv";
import type { CommandResult } from "../build/exec";
import type { PrivateFolder } from "../build/privateFolder";
import { MultiArchError } from "../errors";
import { linkContexts, resolveDocker } from "./dockerContext";
import { explainDocker } from "./dockerErrors";
import { containerName, type DockerSettings } from "./dockerSettings";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";
import { findMembers, parseStoredBuilder, withOneMember } from "./storedBuilder";
import { dockerBuilderName, registeredName } from "./registeredName";
import { readUserBuilder } from "./userStore";

/** What it takes to make a builder known to a run of buildx. */
export interface Registration {
    /** The private folder of the run, with `docker` and `buildx` in it. */
    readonly folder: PrivateFolder;
    /** The environment of this machine. */
    readonly machine: Readonly<Record<string, string | undefined>>;
    /** Runs buildx in its private environment. */
    readonly run: (args: readonly string[]) => Promise<CommandResult>;
    /** False leaves the platform open, so that the builder can be asked what it has. */
    readonly declares: boolean;
}

/**
 * Makes a builder known to buildx, in a private store. The user's own store and contexts are only read. A builder on a
 * Docker daemon is asked for whether the daemon answers; nothing is started there yet.
 *
 * Throws a MultiArchError that says what is wrong with the builder.
 */
export async function registerBuilder(node: BuilderNode, registration: Registration): Promise<void> {
    const { folder, machine, run } = registration;
    if (node.docker || node.named) {
        await linkContexts(path.join(folder.path, "docker"), machine);
    }
    if (node.docker) {
        await registerDocker(node, node.docker, registration);
        return;
    }
    if (node.named) {
        await copyNamed(node, node.named, registration);
        return;
    }
    const files = node.tls && {
        ca: await folder.write("tls/ca.pem", node.tls.ca),
        cert: await folder.write("tls/cert.pem", node.tls.cert),
        key: await folder.write("tls/key.pem", node.tls.key),
    };
    const result = await run(createBuilderArgv(node, files, registration.declares));
    if (result.exitCode !== 0) {
        const lines = result.stderrTail.split("\n").filter(Boolean).slice(-5);
        throw builderError(node, "builder-address", "buildx does not take the builder", { lines });
    }
}

async function registerDocker(node: BuilderNode, docker: DockerSettings, registration: Registration): Promise<void> {
    const { folder, machine, run, declares } = registration;
    const endpoint = await resolveDocker(node, docker, machine);
    const { location, inline } = docker.config ?? {};
    const config = inline === undefined ? location : await folder.write("buildkitd/buildkitd.toml", inline);
    const platform = declares ? node.platform : undefined;
    const result = await run(createDockerBuilderArgv(dockerBuilderName, docker, { endpoint, config, platform }));
    if (result.exitCode !== 0) {
        throw explainDocker(node, result);
    }
    // Only now all files are known that the configuration names.
    const file = storeFile(folder, dockerBuilderName);
    const stored = parseStoredBuilder(await readFile(file, "utf8"));
    const [member] = stored?.Nodes ?? [];
    if (!stored || !member) {
        throw new MultiArchError("builder-docker-settings", { what: "buildx wrote down no builder" });
    }
    const nodes = [{ ...member, Name: containerName(docker, member) }];
    await writeFile(file, JSON.stringify({ ...stored, Nodes: nodes }), { mode: 0o600 });
}

async function copyNamed(
    node: BuilderNode,
    { name, member }: NonNullable<BuilderNode["named"]>,
    { folder, machine, declares }: Registration,
): Promise<void> {
    const builder = await readUserBuilder(node, name, machine);
    const chosen = member ?? findMembers(builder, node.platform)[0]?.Name ?? "";
    const copy = withOneMember(builder, chosen, declares ? node.platform : undefined);
    if (copy.Nodes.length === 0) {
        throw builderError(node, "builder-unknown", `the builder ${name} has no node ${chosen} any more`);
    }
    await folder.write(path.relative(folder.path, storeFile(folder, registeredName(node))), JSON.stringify(copy));
}

function storeFile(folder: PrivateFolder, name: string): string {
    return path.join(folder.path, "buildx", "instances", name);
}
