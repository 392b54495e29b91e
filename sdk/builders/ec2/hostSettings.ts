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

const defaultUrl =
    "https://github.com/moby/buildkit/releases/download/{version}/buildkit-{version}.linux-{architecture}.tar.gz";

/** Fills the defaults in. Throws a MultiArchError `builder-host-settings` that names the setting that is wrong. */
export function completeHostSettings(settings: HostSettings): CompleteHostSettings {
    const { buildkit = defaultRelease, port = 1234, idleMinutes = 15, deadManHours = 12 } = settings;
    const { architecture, cache } = settings;
    check("region", /^[a-z0-9-]+$/.test(settings.region), "has to be the name of a region");
    check("tlsParameter", /^[\w./-]+$/.test(settings.tlsParameter), "has to be the name of a parameter");
    check("port", isWhole(port) && port >= 1 && port <= 65_535, "has to be a port");
    check("idleMinutes", idleMinutes > 0 && idleMinutes < 100_000, "has to be a number of minutes above 0");
    check("deadManHours", deadManHours > 0 && deadManHours < 100_000, "has to be a number of hours above 0");
    check("deadManHours", deadManHours * 60 >= idleMinutes, "must not be shorter than idleMinutes");
    check("maxParallelism", isWhole(settings.maxParallelism ?? 1), "has to be a whole number from 1 on");
    check("cache.sizeGiB", isWhole(cache.sizeGiB) && cache.sizeGiB >= 10, "has to be a whole number from 10 on");
    check("ssmEndpoint", isUrl(settings.ssmEndpoint ?? "https://ssm"), "has to be a URL");

    const sha256 = buildkit.sha256[architecture];
    check(`buildkit.sha256.${architecture}`, sha256 !== undefined, "is needed: nothing is installed unchecked");
    check(`buildkit.sha256.${architecture}`, /^[0-9a-f]{64}$/.test(sha256 ?? ""), "has to be 64 hexadecimal digits");
    check("buildkit.version", /^v\d+\.\d+\.\d+[\w.-]*$/.test(buildkit.version), "has to be one such as v0.31.1");
    const url = (buildkit.url ?? defaultUrl)
        .replaceAll("{version}", buildkit.version)
        .replaceAll("{architecture}", architecture);
    check("buildkit.url", isUrl(url), "has to be a URL without an account: user data is no place for a password");
    return {
        ...settings,
        ...{ buildkit, port, idleMinutes, deadManHours },
        archive: { url, sha256: sha256 ?? "" },
        device: findDevice(cache),
    };
}

/** EBS volumes are NVMe devices in any order; the link that udev makes has their id as the serial number, without a dash. */
function findDevice({ volumeId, device }: CacheVolume): string {
    check("cache", (volumeId === undefined) !== (device === undefined), "needs either volumeId or device");
    check("cache.volumeId", /^vol-[0-9a-f]+$/.test(volumeId ?? "vol-0"), "has to be the id of a volume");
    check("cache.device", /^\/dev\/[\w./-]+$/.test(device ?? "/dev/x"), "has to be the path of a block device");
    const serial = volumeId?.replace("-", "");
    return device ?? `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial ?? ""}`;
}

function isWhole(value: number): boolean {
    return Number.isInteger(value) && value >= 1;
}

function isUrl(text: string): boolean {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return /^https?:$/.test(url?.protocol ?? "") && url?.username === "" && url.password === "";
}

function check(property: string, holds: boolean, rule: string): void {
    if (!holds) {
        throw new MultiArchError("builder-host-settings", { what: `${property} ${rule}`, property });
    }
}
