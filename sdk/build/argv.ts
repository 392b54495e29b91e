import * as path from "node:path";
import { registeredName } from "../builders/registeredName";
import { toBake } from "./bake";
import { routeBuildArgs } from "./buildArgs";
import { cacheArgv, hasCacheSecret } from "./cache";
import { csvRecord } from "./csv";
import { optionsArgv, outputArgv } from "./optionsArgv";
import type { BuildAttestations, BuildFiles, BuildRequest } from "./request";

export { createBuilderArgv, inspectBuilderArgv } from "./builderArgv";

/** How one build is run. */
export interface BuildArgv {
    readonly args: string[];
    /** What the environment of buildx has in addition: the values of build arguments. */
    readonly env: Record<string, string>;
    /** What describes the build in place of arguments that others could read. It belongs beside the metadata. */
    readonly definition?: string;
}

/** The name of the file for `definition`. */
export const definitionName = "definition.json";

/**
 * The arguments of `buildx build` for one platform. It runs in the base directory of the request, so relative paths
 * mean what they mean there.
 */
export function buildArgv(request: BuildRequest, files: BuildFiles): BuildArgv {
    const { flags, env } = routeBuildArgs(request);
    const dockerfile = files.dockerfile ?? request.dockerfile?.location;
    const args = [
        "build",
        ...["--builder", registeredName(request.node)],
        ...["--platform", request.platform],
        ...["--progress", "rawjson"],
        ...["--metadata-file", files.metadata],
        ...["--output", outputArgv(request)],
        ...attestationArgv(request.attestations),
        ...(dockerfile ? ["--file", notStdin(dockerfile)] : []),
        ...(request.target ? ["--target", request.target] : []),
        ...(request.pull === true ? ["--pull"] : []),
        ...flags.flatMap((flag) => ["--build-arg", flag]),
        ...Object.entries(files.secrets).flatMap(([id, file]) => ["--secret", csvRecord([`id=${id}`, `src=${file}`])]),
        ...Object.entries(request.secretFiles ?? {}).flatMap(([id, file]) => {
            return ["--secret", csvRecord([`id=${id}`, `src=${file}`])];
        }),
        ...optionsArgv(request.options ?? {}, files),
        ...Object.entries(request.context.named ?? {}).flatMap(([name, { location }]) => {
            return ["--build-context", `${name}=${location}`];
        }),
        ...cacheArgv(request.cache, request),
        "--",
        notStdin(request.context.location),
    ];
    if (!hasCacheSecret(request.cache)) {
        return { args, env: { ...env } };
    }
    const file = path.join(path.dirname(files.metadata), definitionName);
    return { ...toBake({ args, env }, { file, baseDirectory: request.baseDirectory }), env: {} };
}

/** Always written out: left to itself, buildx makes a provenance and with it an index for each platform. */
function attestationArgv({ provenance = "none", sbom = false, sbomGenerator }: BuildAttestations = {}): string[] {
    const list = sbom && sbomGenerator !== undefined ? csvRecord([`generator=${sbomGenerator}`]) : String(sbom);
    return [`--provenance=${provenance === "none" ? "false" : `mode=${provenance}`}`, `--sbom=${list}`];
}

/** To buildx a lone dash is its standard input. */
function notStdin(path: string): string {
    return path === "-" ? "./-" : path;
}
