import { MultiArchError } from "../../errors";

/** What the host of a builder is to be like. Nothing in it is secret: it ends up in user data. */
export interface HostSettings {
    /** The architecture of the instance. It builds this one, and no other by emulation. */
    readonly architecture: HostArchitecture;
    /** The region of the instance and of its parameter, for example `eu-central-1`. */
    readonly region: string;
    /**
     * The SecureString of the Parameter Store with the host's certificates: a JSON object with `ca`, `cert` and `key` as
     * PEM text. The role of the instance has to be able to read it. It is read at each start of the daemon.
     */
    readonly tlsParameter: string;
    /** The volume that holds the cache. It is formatted when it is blank, and refused when it holds something else. */
    readonly cache: CacheVolume;
    /** Which BuildKit runs there. By default the one this release is tested with, from its own downloads. */
    readonly buildkit?: BuildKitRelease | undefined;
    /** Where the Parameter Store is, as a URL. By default the public one of the region, or the VPC's own. */
    readonly ssmEndpoint?: string | undefined;
    /** The port of the daemon. By default 1234. */
    readonly port?: number | undefined;
    /** How many minutes without a build end in power-off. By default 15. */
    readonly idleMinutes?: number | undefined;
    /**
     * How many hours a machine stays on whose builds neither start nor end. By default 12: the longest that one build can
     * take, for after that it is taken for one that hangs.
     */
    readonly deadManHours?: number | undefined;
    /** How many steps run at once. By default one for each core of the host, and at least two. */
    readonly maxParallelism?: number | undefined;
    /** Mirrors that are asked first, by the registry they stand for, for example `docker.io`. */
    readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
    /** More of buildkitd.toml: tables that are not written already. By default nothing. */
    readonly extraToml?: string | undefined;
}

/** An architecture that EC2 has. */
export type HostArchitecture = "amd64" | "arm64";

/** A volume, by its id or by the device it is attached as. */
export interface CacheVolume {
    /** The id of an EBS volume, for example `vol-0123456789abcdef0`. Either this or `device`. */
    readonly volumeId?: string | undefined;
    /** A block device on the host, for example `/dev/sdf`. */
    readonly device?: string | undefined;
    /** Its size in GiB. */
    readonly sizeGiB: number;
}

/** A release of BuildKit, as an archive with `bin/buildkitd`, `bin/buildctl`, `bin/buildkit-runc` and its CNI plugins. */
export interface BuildKitRelease {
    /** Its version, for example `v0.31.1`. */
    readonly version: string;
    /** The sha256 of the archive of each architecture in use, in hexadecimal digits. */
    readonly sha256: Readonly<Partial<Record<HostArchitecture, string>>>;
    /**
     * Where the archive is; `{version}` and `{architecture}` are filled in. By default BuildKit's own downloads. Name a
     * mirror for networks without a way out.
     */
    readonly url?: string | undefined;
}

/** The settings with all defaults filled in, and checked. */
export interface CompleteHostSettings extends HostSettings {
    readonly buildkit: BuildKitRelease;
    readonly port: number;
    readonly idleMinutes: number;
    readonly deadManHours: number;
    /** The archive for this architecture. */
    readonly archive: { readonly url: string; readonly sha256: string };
    /** The path of the block device. */
    readonly device: string;
}

/**
 * The BuildKit that this release is tested with. The sums are those that nerdctl checks its own downloads against.
 * https://github.com/containerd/nerdctl/blob/5c98de18/Dockerfile.d/SHA256SUMS.d/buildkit-v0.31.1
 */
export const defaultRelease: BuildKitRelease = {
    version: "v0.31.1",
    sha256: {
        amd64: "1fc78750d0c96bdc18799a3c0b551d6807bd4939e8cd79e357823e467451e16e",
        arm64: "a4c9bef205f61c1e4253bdfd196e1db303aca25e8756105d75c6fddfbab7903f",
    },
};

/** What a host has where nobody says anything else. */
export const hostDefaults = { port: 1234, idleMinutes: 15, deadManHours: 12 } as const;

const defaultUrl =
    "https://github.com/moby/buildkit/releases/download/{version}/buildkit-{version}.linux-{architecture}.tar.gz";

/** A setting that makes no sense. */
export interface HostProblem {
    /** The path of the setting, for example `cache.sizeGiB`. */
    readonly property: string;
    readonly rule: string;
}

/** Fills the defaults in. Throws a MultiArchError `builder-host-settings` that names the first setting that is wrong. */
export function completeHostSettings(settings: HostSettings): CompleteHostSettings {
    for (const { property, rule } of findHostProblems(settings)) {
        throw new MultiArchError("builder-host-settings", { what: `${property} ${rule}`, property });
    }
    const { architecture, cache, buildkit = defaultRelease } = settings;
    const { port = hostDefaults.port, idleMinutes = hostDefaults.idleMinutes } = settings;
    const { deadManHours = hostDefaults.deadManHours } = settings;
    return {
        ...settings,
        ...{ buildkit, port, idleMinutes, deadManHours },
        archive: { url: archiveUrl(buildkit, architecture), sha256: buildkit.sha256[architecture] ?? "" },
        device: findDevice(cache),
    };
}

/** Everything that is wrong with the settings. */
export function findHostProblems(settings: HostSettings): HostProblem[] {
    const { region, tlsParameter, cache } = settings;
    const { volumeId, device } = cache;
    return [
        ...unless(/^[a-z0-9-]+$/.test(region), "region", "has to be the name of a region"),
        ...unless(/^[\w./-]+$/.test(tlsParameter), "tlsParameter", "has to be the name of a parameter"),
        ...findLimitProblems(settings),
        ...unless((volumeId === undefined) !== (device === undefined), "cache", "needs either volumeId or device"),
        ...unless(/^vol-[0-9a-f]+$/.test(volumeId ?? "vol-0"), "cache.volumeId", "has to be the id of a volume"),
        ...unless(/^\/dev\/[\w./-]+$/.test(device ?? "/dev/x"), "cache.device", "has to be the path of a block device"),
    ];
}

/** What is wrong with the settings that do not depend on other resources. */
export function findLimitProblems(
    settings: Omit<HostSettings, "region" | "tlsParameter" | "cache"> & {
        readonly cache: Pick<CacheVolume, "sizeGiB">;
    },
): HostProblem[] {
    const {
        buildkit = defaultRelease,
        cache,
        architecture,
        maxParallelism = 1,
        ssmEndpoint = "https://ssm",
    } = settings;
    const { port = hostDefaults.port, idleMinutes = hostDefaults.idleMinutes } = settings;
    const { deadManHours = hostDefaults.deadManHours } = settings;
    const sum = `buildkit.sha256.${architecture}`;
    const sha256 = buildkit.sha256[architecture];
    const isPort = isWhole(port) && port <= 65_535;
    const isSize = isWhole(cache.sizeGiB) && cache.sizeGiB >= 10;
    return [
        ...unless(isPort, "port", "has to be a port"),
        ...unless(isBetween(idleMinutes, 0, 100_000), "idleMinutes", "has to be a number of minutes above 0"),
        ...unless(isBetween(deadManHours, 0, 100_000), "deadManHours", "has to be a number of hours above 0"),
        ...unless(deadManHours * 60 >= idleMinutes, "deadManHours", "must not be shorter than idleMinutes"),
        ...unless(isWhole(maxParallelism), "maxParallelism", "has to be a whole number from 1 on"),
        ...unless(isSize, "cache.sizeGiB", "has to be a whole number from 10 on"),
        ...unless(isUrl(ssmEndpoint), "ssmEndpoint", "has to be a URL"),
        ...unless(sha256 !== undefined, sum, "is needed: nothing is installed unchecked"),
        ...unless(/^[0-9a-f]{64}$/.test(sha256 ?? "0".repeat(64)), sum, "has to be 64 hexadecimal digits"),
        ...unless(
            /^v\d+\.\d+\.\d+[\w.-]*$/.test(buildkit.version),
            "buildkit.version",
            "has to be one such as v0.31.1",
        ),
        ...unless(
            isUrl(archiveUrl(buildkit, architecture)),
            "buildkit.url",
            "has to be a URL without an account: user data is no place for a password",
        ),
    ];
}

function archiveUrl({ url = defaultUrl, version }: BuildKitRelease, architecture: HostArchitecture): string {
    return url.replaceAll("{version}", version).replaceAll("{architecture}", architecture);
}

/** EBS volumes are NVMe devices in any order; the link that udev makes has their id as the serial number, without a dash. */
function findDevice({ volumeId, device }: CacheVolume): string {
    const serial = volumeId?.replace("-", "");
    return device ?? `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial ?? ""}`;
}

function isWhole(value: number): boolean {
    return Number.isInteger(value) && value >= 1;
}

function isBetween(value: number, above: number, below: number): boolean {
    return value > above && value < below;
}

function isUrl(text: string): boolean {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return /^https?:$/.test(url?.protocol ?? "") && url?.username === "" && url.password === "";
}

function unless(holds: boolean, property: string, rule: string): HostProblem[] {
    return holds ? [] : [{ property, rule }];
}
