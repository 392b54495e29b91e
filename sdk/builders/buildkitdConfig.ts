import { stringify } from "smol-toml";
import { MultiArchError } from "../errors";
import { shareOut } from "./volume";

/** What a builder's host has, and how it is reached. */
export interface BuildkitdSettings {
    /** The size of the volume that holds `root`, in bytes: 10 GiB or more. BuildKit has it for itself. */
    readonly volumeBytes: number;
    /** The cores of the host. As many steps run at once, and at least two. */
    readonly cores: number;
    /** Where it listens. By default `tcp://0.0.0.0:1234`, and the socket that buildctl uses on the host itself. */
    readonly addresses?: readonly string[] | undefined;
    /** The files of its certificate, by path on the host. Without them, whoever reaches a TCP address builds there. */
    readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
    /**
     * The network of the steps. By default `bridge`: a step does not see the ports, the loopback and, with a hop limit
     * of 1, the cloud credentials of the host. It needs the `buildkit-cni-*` programs of the release on PATH.
     */
    readonly networkMode?: "bridge" | "host" | undefined;
    /** The platforms it offers. By default what BuildKit finds, and that may be emulated ones too. */
    readonly platforms?: readonly string[] | undefined;
    /** How many steps run at once. By default one for each core, and at least two. */
    readonly maxParallelism?: number | undefined;
    /** Mirrors that are asked first, by the registry they stand for, for example `docker.io`. */
    readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
    /** The CA files of registries, by `host` or `host:port`, by path on the host. */
    readonly registryCas?: Readonly<Record<string, readonly string[]>> | undefined;
    /** The folder of cache and state. By default `/var/lib/buildkit`. */
    readonly root?: string | undefined;
    /** Where metrics and profiles are, without TLS: loopback only. By default `127.0.0.1:6060`. */
    readonly debugAddress?: string | undefined;
    /** Labels of the worker. By default none. */
    readonly labels?: Readonly<Record<string, string>> | undefined;
    /** The program that runs containers. By default the `buildkit-runc` of the release. */
    readonly runtime?: string | undefined;
}

/** The socket that buildctl asks by default. */
const localSocket = "unix:///run/buildkit/buildkitd.sock";

const header = [
    "# buildkitd.toml for a builder of pulumi-multiarch.",
    "# Sizes are computed for the volume of `root`: change them when it grows.",
    "",
    "",
].join("\n");

/**
 * The recommended buildkitd.toml of a builder's host. Equal settings give equal text. Throws a MultiArchError
 * `input-invalid` for settings that make no sense. https://github.com/moby/buildkit/blob/v0.31.1/docs/buildkitd.toml.md
 */
export function writeBuildkitdConfig(settings: BuildkitdSettings): string {
    const { addresses = ["tcp://0.0.0.0:1234", localSocket], root = "/var/lib/buildkit" } = settings;
    const { debugAddress = "127.0.0.1:6060", tls, labels = {} } = settings;
    checkCount("cores", settings.cores);
    checkLoopback(debugAddress);
    const worker = {
        enabled: true,
        ...(settings.runtime === undefined ? {} : { binary: settings.runtime }),
        ...(settings.platforms === undefined ? {} : { platforms: [...settings.platforms] }),
        networkMode: settings.networkMode ?? "bridge",
        "max-parallelism": parallelism(settings),
        gc: true,
        gcpolicy: collectGarbage(settings.volumeBytes),
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
    };
    const registry = registries(settings);
    const config = {
        root,
        grpc: { address: [...addresses], debugAddress, ...(tls ? { tls: pickTls(tls) } : {}) },
        worker: { oci: worker, containerd: { enabled: false } },
        ...(Object.keys(registry).length === 0 ? {} : { registry }),
    };
    return `${header}${stringify(config)}`;
}

/**
 * What is thrown away, and in which order. BuildKit 0.31 and newer throw away cache mounts that were not used for two
 * days once all of the cache has more than 512 MB, unless told otherwise: those of a compiler or a package manager are
 * what makes a warm builder fast. Each rule compares the size of the whole cache, and takes only what its filter names.
 * https://github.com/moby/buildkit/blob/v0.31.1/cmd/buildkitd/config/gcpolicy.go
 */
function collectGarbage(volumeBytes: number) {
    const { maxUsed, minFree, reserved } = shareOut(volumeBytes);
    const limits = { reservedSpace: size(reserved), maxUsedSpace: size(maxUsed), minFreeSpace: size(minFree) };
    const half = size(Math.floor(maxUsed / 2));
    return [
        // Build contexts and checkouts come again with the next build.
        { filters: ["type==source.local", "type==source.git.checkout"], keepDuration: "48h", maxUsedSpace: half },
        // Mounts that nobody has used for a month must not crowd out the layers of those who build.
        { filters: ["type==exec.cachemount"], keepDuration: "720h", maxUsedSpace: half },
        { filters: ["type!=exec.cachemount"], ...limits },
        limits,
        { all: true, ...limits },
    ];
}

function registries({ mirrors = {}, registryCas = {} }: BuildkitdSettings) {
    const hosts = [...new Set([...Object.keys(mirrors), ...Object.keys(registryCas)])].sort();
    return Object.fromEntries(
        hosts.map((host) => {
            const [asked, ca] = [mirrors[host], registryCas[host]];
            return [host, { ...(asked ? { mirrors: [...asked] } : {}), ...(ca ? { ca: [...ca] } : {}) }];
        }),
    );
}

function pickTls({ ca, cert, key }: NonNullable<BuildkitdSettings["tls"]>) {
    return { ca, cert, key };
}

function parallelism({ cores, maxParallelism }: BuildkitdSettings): number {
    if (maxParallelism !== undefined) {
        checkCount("maxParallelism", maxParallelism);
    }
    return maxParallelism ?? Math.max(2, cores);
}

function checkCount(name: string, value: number): void {
    if (!Number.isInteger(value) || value < 1) {
        throw new MultiArchError("input-invalid", { what: `${name} has to be a whole number from 1 on` });
    }
}

/** Whoever reaches it reads the memory of the daemon, with the secrets of the builds in it. */
function checkLoopback(address: string): void {
    if (!/^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+$/.test(address)) {
        throw new MultiArchError("input-invalid", {
            what: "debugAddress has to be a port on loopback, such as 127.0.0.1:6060",
        });
    }
}

/** Units of BuildKit are binary, whatever they are called. */
function size(mebibytes: number): string {
    return `${mebibytes}MB`;
}
