import type { CompleteHostSettings } from "./hostSettings";

/** The folder of the host's certificates, in memory. */
const tlsFolder = "/run/multiarch/tls";

/** The bridge that steps are connected to. */
export const stepBridge = "buildkit0";

/** Addresses of steps: a range for benchmarks, that no VPC has. BuildKit's own default may well be one of a VPC. */
const stepSubnet = "198.18.0.0/16";

/** The host's buildkitd.toml. `max-parallelism` is put in by the host, which knows its cores. */
export function writeHostConfig(settings: CompleteHostSettings): string {
    const { architecture, port, cache, mirrors = {}, extraToml = "" } = settings;
    const megabytes = (share: number): string => `${Math.floor(cache.sizeGiB * 1024 * share)}MB`;
    const limits: Lines = [
        ["reservedSpace", megabytes(0.1)],
        // Garbage is collected after a build, so a build needs room beside it.
        ["maxUsedSpace", megabytes(0.75)],
        ["minFreeSpace", megabytes(0.15)],
    ];
    return [
        ...table("", [["root", "/var/lib/buildkit/root"]]),
        ...table("[grpc]", [
            ["address", [`tcp://0.0.0.0:${port}`, "unix:///run/buildkit/buildkitd.sock"]],
            ["debugAddress", "127.0.0.1:6060"],
        ]),
        ...table("[grpc.tls]", [
            ["ca", `${tlsFolder}/ca.pem`],
            ["cert", `${tlsFolder}/cert.pem`],
            ["key", `${tlsFolder}/key.pem`],
        ]),
        ...table("[cdi]", [["disabled", true]]),
        ...table("[worker.containerd]", [["enabled", false]]),
        ...table("[worker.oci]", [
            ["enabled", true],
            ["platforms", [`linux/${architecture}`]],
            ["max-parallelism", 2],
            ["networkMode", "bridge"],
            ["bridgeName", stepBridge],
            ["bridgeSubnet", stepSubnet],
            ["gc", true],
        ]),
        // By default BuildKit throws cache mounts away that were not used for two days.
        ...table("[[worker.oci.gcpolicy]]", [
            ["filters", ["type==source.local", "type==source.git.checkout"]],
            ["keepDuration", "48h"],
            ["maxUsedSpace", megabytes(0.1)],
        ]),
        ...table("[[worker.oci.gcpolicy]]", limits),
        ...table("[[worker.oci.gcpolicy]]", [["all", true], ...limits]),
        ...Object.entries(mirrors).flatMap(([host, addresses]) =>
            table(`[registry.${JSON.stringify(host)}]`, [["mirrors", addresses]]),
        ),
        extraToml,
        "",
    ].join("\n");
}

type Lines = readonly (readonly [key: string, value: string | number | boolean | readonly string[]])[];

/** A table of TOML, whose texts, lists, numbers and truth values are written as in JSON. */
function table(header: string, lines: Lines): string[] {
    return [...(header === "" ? [] : [header]), ...lines.map(([key, value]) => `${key} = ${JSON.stringify(value)}`)];
}
