import type { Input } from "@pulumi/pulumi";

import type { AddressKind } from "./builderArgs";

/** Builders on EC2 in the user's own account, beside their platforms. */
export interface Ec2BuildersArgs {
    /**
     * The subnet the builders are in. A private one will do, as long as it leads to the registry, to the Parameter Store
     * and to where BuildKit is fetched from. Another one replaces the builders and, in another zone, their caches.
     * Either this or `subnetIds`.
     */
    subnetId?: Input<string>;

    /**
     * Several subnets of one VPC, for example one for each zone. The nodes of a platform take them in turn, so that want
     * of machines in one zone leaves another. Defaults to `subnetId`.
     * @plain
     */
    subnetIds?: Input<string>[];

    /**
     * Who may open a connection to a builder, as IPv4 or IPv6 ranges: where `pulumi up` runs. Defaults to nobody. TLS
     * with certificates on both sides is needed besides.
     * @plain
     */
    allowedCidrs?: Input<string>[];

    /**
     * How many builders each platform has. Defaults to one.
     * @plain
     * @integer
     */
    nodesPerPlatform?: number;

    /**
     * True makes the builders spot instances, with one more on demand behind those of each platform, which is started only
     * when none of them can be. Defaults to false: all are on demand. A change replaces the builders; their caches stay.
     * @plain
     */
    spot?: boolean;

    /**
     * Types of instances by platform, which the nodes of a platform take in turn. Defaults to `m7i.xlarge` and `m7g.xlarge`:
     * four cores and 16 GiB. Another type stops a builder and starts it again; a spot instance is replaced.
     */
    instanceTypes?: Input<Record<string, Input<Input<string>[]>>>;

    /**
     * What an hour of a type costs in US dollars, by type, as your region and your contract have it. With it each build
     * tells what its time on the instance costs. Defaults to no estimate.
     */
    hourlyUsd?: Input<Record<string, Input<number>>>;

    /**
     * Machine images by platform. Defaults to the newest Amazon Linux 2023 at the time a builder is made, which then stays
     * as it is. Another one has to have what docs/ec2-host.md lists, and replaces the builder; the cache stays.
     */
    amis?: Input<Record<string, Input<string>>>;

    /** The volume of each builder that holds its cache. */
    cache?: Input<Ec2CacheArgs>;

    /**
     * What happens to the volumes of the cache when a builder is destroyed. Defaults to `delete`. They outlive the
     * replacement of a builder in any case.
     * @plain
     */
    cacheOnDestroy?: CacheOnDestroy;

    /**
     * Which address of a builder is used. With `public` it gets one. With `ssm` none is used and no port has to be open:
     * each connection is a session of AWS Session Manager. Defaults to `private`.
     */
    addressKind?: Input<AddressKind>;

    /**
     * Where builders and the steps of builds may connect to. Defaults to HTTPS and HTTP anywhere. A registry on another port
     * needs a rule here. DNS, time and metadata of the VPC are not subject to it.
     * @plain
     */
    egress?: Ec2EgressArgs[];

    /** How many minutes without a build end in power-off. Defaults to 15. */
    idleMinutes?: Input<number>;

    /** How many hours a builder stays on whose builds neither start nor end. Defaults to 12. */
    deadManHours?: Input<number>;

    /**
     * How many builds run on a builder at once, those of other runners included. Defaults to 4.
     * @integer
     */
    maxParallelism?: Input<number>;

    /**
     * The port BuildKit listens on. Defaults to 1234.
     * @integer
     */
    port?: Input<number>;

    /** Mirrors that are asked first, by the registry they stand for, for example `docker.io`. Defaults to none. */
    mirrors?: Input<Record<string, Input<Input<string>[]>>>;

    /** Which BuildKit runs there. Defaults to the one this release is tested with, from its own downloads. */
    buildkit?: Input<Ec2BuildKitArgs>;

    /**
     * Where the Parameter Store is, as a URL. Defaults to the public one of the region, or the VPC's own where that has an
     * endpoint with a private name.
     */
    ssmEndpoint?: Input<string>;

    /**
     * The KMS key for volumes and for the parameter with the certificates, by its ARN. Defaults to the keys that AWS keeps for
     * the account.
     */
    kmsKeyArn?: Input<string>;

    /** More tags for everything that takes tags. Defaults to those that name fleet, project, stack and idle time. */
    tags?: Input<Record<string, Input<string>>>;
}

/** What an `Ec2BuilderFleet` consists of. */
export interface Ec2BuilderFleetArgs extends Ec2BuildersArgs {
    /**
     * The platforms to have builders for, out of `linux/amd64` and `linux/arm64`. Defaults to both.
     * @plain
     */
    platforms?: string[];
}

/** A volume of EBS, of the kind gp3 and encrypted. */
export interface Ec2CacheArgs {
    /**
     * Its size in GiB. Defaults to 100. It can grow, and not shrink.
     * @integer
     */
    sizeGiB?: Input<number>;

    /**
     * Input and output operations each second. Defaults to the 3000 that are in its price.
     * @integer
     */
    iops?: Input<number>;

    /**
     * MiB each second. Defaults to the 125 that are in its price.
     * @integer
     */
    throughput?: Input<number>;
}

/** What happens to a cache whose builder is destroyed. */
export type CacheOnDestroy =
    /** It is deleted too. */
    | "delete"
    /** It stays in the account, and costs what a volume costs. */
    | "retain";

/** One way out of the network of the builders. */
export interface Ec2EgressArgs {
    /** The range of addresses, IPv4 or IPv6, for example `10.0.0.0/8`. */
    cidr: Input<string>;

    /**
     * The TCP port.
     * @integer
     */
    port: Input<number>;
}

/** A release of BuildKit, packed as its own releases are. */
export interface Ec2BuildKitArgs {
    /** Its version, for example `v0.31.1`. */
    version: Input<string>;

    /** The sha256 of the archive by architecture, `amd64` and `arm64`, in hexadecimal digits. Nothing is installed without. */
    sha256: Input<Record<string, Input<string>>>;

    /**
     * Where the archive is; `{version}` and `{architecture}` are filled in. Defaults to BuildKit's own downloads. Name a
     * mirror for networks without a way out.
     */
    url?: Input<string>;
}

/** One builder of a fleet, as it is in the account. */
export interface Ec2Machine {
    /** The platform it builds. */
    platform: string;

    /** The instance. */
    instanceId: string;

    /** Its type. */
    instanceType: string;

    /** The volume with its cache. */
    volumeId: string;

    /** The zone both are in. */
    availabilityZone: string;
}
