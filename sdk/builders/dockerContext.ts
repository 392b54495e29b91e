import { existsSync } from "node:fs";
import { readdir, readFile, symlink } from "node:fs/promises";
import * as path from "node:path";
import { findDockerConfigDir } from "../registry/dockerConfig";
import type { DockerSettings } from "./dockerSettings";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The endpoint of a Docker daemon as buildx takes it: an address, or the name of a context that exists. buildx would
 * take the name of a context that does not exist for a host on TCP.
 * https://github.com/docker/buildx/blob/v0.35.0/builder/builder.go (validateEndpoint)
 *
 * Throws a MultiArchError `builder-docker-context`.
 */
export async function resolveDocker(node: BuilderNode, settings: DockerSettings, env: Environment): Promise<string> {
    if (settings.host !== undefined) {
        return settings.host;
    }
    const context = settings.context ?? (await contextInUse(env));
    if (context === "default") {
        refuseTlsOfEnvironment(node, env);
        return context;
    }
    const known = await listContexts(env);
    if (!known.includes(context)) {
        const what = `there is no docker context ${context}: there is ${["default", ...known].join(", ")}`;
        const field = settings.context === undefined ? {} : { field: "context" };
        throw builderError(node, "builder-docker-context", what, field);
    }
    return context;
}

/** The socket of a daemon on this machine. Undefined for one that is elsewhere. */
export async function findSocket(settings: DockerSettings, env: Environment): Promise<string | undefined> {
    const context = settings.context ?? (await contextInUse(env));
    const { DOCKER_HOST: given = "" } = env;
    const usual = given === "" ? "unix:///var/run/docker.sock" : given;
    const address = settings.host ?? (context === "default" ? usual : await addressOf(context, env));
    return address?.startsWith("unix://") ? address.slice("unix://".length) : undefined;
}

/** Makes the user's contexts known to a private docker configuration. They are read there and never written. */
export async function linkContexts(dockerConfig: string, env: Environment): Promise<void> {
    const contexts = path.resolve(findDockerConfigDir(env), "contexts");
    if (existsSync(contexts)) {
        await symlink(contexts, path.join(dockerConfig, "contexts"), "junction");
    }
}

/** The same order as the docker command's: https://docs.docker.com/engine/manage-resources/contexts/ */
async function contextInUse(env: Environment): Promise<string> {
    if (env.DOCKER_HOST) {
        return "default";
    }
    if (env.DOCKER_CONTEXT) {
        return env.DOCKER_CONTEXT;
    }
    const config = await readJson(path.join(findDockerConfigDir(env), "config.json"));
    const current = config?.["currentContext"];
    return typeof current === "string" && current !== "" ? current : "default";
}

async function listContexts(env: Environment): Promise<string[]> {
    return (await readContexts(env)).map(({ Name }) => Name).sort();
}

async function addressOf(context: string, env: Environment): Promise<string | undefined> {
    const address = (await readContexts(env)).find(({ Name }) => Name === context)?.Endpoints?.docker?.Host;
    return typeof address === "string" ? address : undefined;
}

/** A context as docker writes it down. https://github.com/docker/cli/blob/v28.0.0/cli/context/store/store.go */
interface StoredContext {
    readonly Name: string;
    readonly Endpoints?: { readonly docker?: { readonly Host?: unknown } };
}

async function readContexts(env: Environment): Promise<StoredContext[]> {
    const folder = path.join(findDockerConfigDir(env), "contexts", "meta");
    const ids = await readdir(folder).catch((): string[] => []);
    const documents = await Promise.all(ids.map((id) => readJson(path.join(folder, id, "meta.json"))));
    return documents.filter((one): one is Record<string, unknown> & StoredContext => typeof one?.["Name"] === "string");
}

/** buildx drops what DOCKER_CERT_PATH holds when it makes a container, and would speak plain TCP. */
function refuseTlsOfEnvironment(node: BuilderNode, env: Environment): void {
    if (env.DOCKER_TLS_VERIFY && env.DOCKER_HOST?.startsWith("tcp:")) {
        const what = "DOCKER_HOST names a daemon with TLS, whose certificates buildx takes from a context only";
        throw builderError(node, "builder-docker-context", what, {
            next: "Make a context: docker context create NAME --docker host=...,ca=...,cert=...,key=..., and name it.",
        });
    }
}

/** What cannot be read counts as not there: docker and buildx do so too. */
async function readJson(file: string): Promise<Record<string, unknown> | undefined> {
    try {
        const document: unknown = JSON.parse(await readFile(file, "utf8"));
        return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : undefined;
    } catch {
        return undefined;
    }
}
