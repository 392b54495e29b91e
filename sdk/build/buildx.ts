import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import * as semver from "semver";
import { MultiArchError } from "../errors";
import { runCommand } from "./exec";

/** The oldest buildx that is used: the first whose remote driver and metadata file do all that is needed here. */
export const oldestBuildx = "0.19.0";

/** The variable that names the buildx binary to use, instead of the one that is found. */
export const buildxVariable = "MULTIARCH_BUILDX";

/** The buildx of this machine. */
export interface Buildx {
    /** The absolute path of the binary. It is run itself, not through the docker command. */
    readonly file: string;
    /** Its version, for example `0.35.0`. Empty for a development build. */
    readonly version: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const known = new Map<string, Promise<Buildx>>();

/**
 * Finds the buildx binary and checks its version, once for each binary. Throws a MultiArchError `buildx-missing` or
 * `buildx-too-old`.
 */
export async function findBuildx(env: Environment = process.env): Promise<Buildx> {
    const file = locateBuildx(env);
    let checked = known.get(file);
    if (!checked) {
        checked = checkVersion(file, env);
        known.set(file, checked);
        checked.catch(() => known.delete(file));
    }
    return checked;
}

/**
 * The places where buildx may be, the first one to be taken first. The docker command finds its plugins by
 * DOCKER_CONFIG, which is private here, so its folders are searched by name.
 * https://github.com/docker/cli/blob/v29.5.3/cli-plugins/manager/manager_unix.go
 */
export function listBuildxPlaces(env: Environment, home: string, separator: string = path.delimiter): string[] {
    const onPath = (env.PATH ?? "").split(separator).filter((folder) => path.isAbsolute(folder));
    const pluginFolders = [
        ...(env.DOCKER_CONFIG ? [path.join(env.DOCKER_CONFIG, "cli-plugins")] : []),
        path.join(home, ".docker", "cli-plugins"),
        "/usr/local/lib/docker/cli-plugins",
        "/usr/local/libexec/docker/cli-plugins",
        "/usr/lib/docker/cli-plugins",
        "/usr/libexec/docker/cli-plugins",
        "/opt/homebrew/lib/docker/cli-plugins",
        "/Applications/Docker.app/Contents/Resources/cli-plugins",
    ];
    return [
        ...pluginFolders.map((folder) => path.join(folder, "docker-buildx")),
        ...onPath.flatMap((folder) => [path.join(folder, "docker-buildx"), path.join(folder, "buildx")]),
    ];
}

function locateBuildx(env: Environment): string {
    const named = env[buildxVariable];
    if (named) {
        if (!isProgram(named)) {
            throw new MultiArchError("buildx-missing", {
                what: `${buildxVariable} names ${named}, which cannot be run`,
            });
        }
        return path.resolve(named);
    }
    const found = listBuildxPlaces(env, homedir()).find(isProgram);
    if (!found) {
        throw new MultiArchError("buildx-missing", { what: "docker buildx is not installed on this machine" });
    }
    return found;
}

async function checkVersion(file: string, env: Environment): Promise<Buildx> {
    const { stdout, exitCode } = await runCommand({
        file,
        args: ["version"],
        env: { PATH: env.PATH ?? "", HOME: env.HOME ?? "" },
        timeoutMs: 20_000,
    });
    const version = parseBuildxVersion(stdout);
    if (exitCode !== 0 || version === undefined) {
        throw new MultiArchError("buildx-missing", { what: `${file} does not answer as docker buildx does` });
    }
    if (version !== "" && semver.lt(version, oldestBuildx)) {
        throw new MultiArchError("buildx-too-old", { what: `${file} is docker buildx ${version}` });
    }
    return { file, version };
}

/** Reads the answer of `buildx version`. Empty for a development build, undefined when it is something else. */
export function parseBuildxVersion(text: string): string | undefined {
    const found = /^\S*buildx\S* (\S+)/.exec(text);
    if (!found) {
        return undefined;
    }
    const version = semver.coerce(found[1]);
    return version && !semver.eq(version, "0.0.0") ? version.version : "";
}

function isProgram(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
    } catch {
        return false;
    }
}
