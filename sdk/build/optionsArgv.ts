import { csvRecord } from "./csv";
import type { BuildFiles, BuildOptions, BuildRequest, BuildSsh, BuildUlimit } from "./request";

/** The arguments for how the steps of a build run and what they make. */
export function optionsArgv(options: BuildOptions, files: Pick<BuildFiles, "sshKeys">): string[] {
    const { network, noCache, shmSize, cgroupParent, sourceDateEpoch } = options;
    return [
        ...pairs("--label", options.labels),
        // Without a level buildx may take a key with a colon in it for one.
        ...pairs("--annotation", options.annotations, "manifest:"),
        ...(network === undefined ? [] : ["--network", network]),
        ...each("--add-host", options.addHosts),
        ...(options.ssh ?? []).flatMap((ssh, position) => ["--ssh", describeSsh(ssh, files.sshKeys?.[position])]),
        ...(noCache === true ? ["--no-cache"] : []),
        ...each("--no-cache-filter", options.noCacheFilters),
        ...(options.ulimits ?? []).flatMap((ulimit) => ["--ulimit", describeUlimit(ulimit)]),
        ...(shmSize === undefined ? [] : ["--shm-size", shmSize]),
        ...(cgroupParent === undefined ? [] : ["--cgroup-parent", cgroupParent]),
        ...pairs("--resource", options.resources),
        ...each("--allow", options.allow),
        ...(sourceDateEpoch === undefined ? [] : ["--build-arg", `SOURCE_DATE_EPOCH=${sourceDateEpoch}`]),
    ];
}

/** What becomes of the image: pushed by digest, for no tag exists until all platforms are there; or nothing. */
export function outputArgv({ repository, options = {} }: Pick<BuildRequest, "repository" | "options">): string {
    const { push = true, sourceDateEpoch, compression, compressionLevel, forceCompression } = options;
    if (!push) {
        return "type=cacheonly";
    }
    return csvRecord([
        "type=image",
        `name=${repository}`,
        "push-by-digest=true",
        "name-canonical=true",
        "push=true",
        "oci-mediatypes=true",
        // The argument alone leaves the times of files as the steps made them.
        // https://github.com/moby/buildkit/blob/v0.31.1/docs/build-repro.md
        ...(sourceDateEpoch === undefined ? [] : ["rewrite-timestamp=true"]),
        ...(compression === undefined ? [] : [`compression=${compression}`]),
        ...(compressionLevel === undefined ? [] : [`compression-level=${compressionLevel}`]),
        ...(forceCompression === true ? ["force-compression=true"] : []),
    ]);
}

function describeSsh({ id, paths = [] }: BuildSsh, keyFile: string | undefined): string {
    const files = [...paths, ...(keyFile === undefined ? [] : [keyFile])];
    return files.length === 0 ? id : `${id}=${files.join(",")}`;
}

function describeUlimit({ name, soft, hard = soft }: BuildUlimit): string {
    return `${name}=${soft}:${hard}`;
}

function pairs(flag: string, values: Readonly<Record<string, string>> = {}, prefix = ""): string[] {
    return Object.entries(values).flatMap(([name, value]) => [flag, `${prefix}${name}=${value}`]);
}

function each(flag: string, values: readonly string[] = []): string[] {
    return values.flatMap((value) => [flag, value]);
}
