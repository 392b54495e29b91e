import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";
import { findDockerConfigDir } from "../registry/dockerConfig";
import type { BuilderNode } from "./node";
import { builderError } from "./preflightBudget";
import { parseStoredBuilder, storedName, type StoredBuilder } from "./storedBuilder";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder where the user's buildx keeps its builders.
 * https://github.com/docker/buildx/blob/v0.35.0/util/confutil/config.go
 */
export function findUserStore(env: Environment): string {
    const { BUILDX_CONFIG: given = "" } = env;
    return given === "" ? path.join(findDockerConfigDir(env), "buildx") : given;
}

/**
 * Reads a builder of the user's own buildx. The store is only ever read: a build works with a copy, so that not even the
 * time of the last use changes there.
 *
 * Throws a MultiArchError: `builder-unknown` with the names there are, or `builder-driver`.
 */
export async function readUserBuilder(node: BuilderNode, name: string, env: Environment): Promise<StoredBuilder> {
    const folder = path.join(findUserStore(env), "instances");
    const file = storedName(name);
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes(file)) {
        const known = names.length === 0 ? "it has none" : `it has ${names.sort().join(", ")}`;
        const what = `buildx on this machine has no builder ${name}: ${known} (in ${folder})`;
        throw builderError(node, "builder-unknown", what, { field: "name" });
    }
    const builder = parseStoredBuilder(await readFile(path.join(folder, file), "utf8").catch(() => ""));
    if (builder === undefined) {
        const what = `${path.join(folder, file)} cannot be read as a builder of buildx`;
        throw builderError(node, "builder-unknown", what, { next: "Make the builder again: docker buildx create." });
    }
    if (builder.Driver === "docker") {
        const what = `the builder ${name} is the one inside a Docker daemon, which cannot push by digest`;
        throw builderError(node, "builder-driver", what, { field: "name" });
    }
    return builder;
}
