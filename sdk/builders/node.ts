import { MultiArchError } from "../errors";
import type { DockerSettings } from "./dockerSettings";
import type { Ec2Target } from "./ec2/instances";

/** One builder: a BuildKit daemon that builds one platform. Everything that deals with builders shares this. */
export interface BuilderNode {
    /** A name for people, unique among the builders of an image. */
    readonly name: string;
    /** The platform it is to build, for example `linux/arm64`. */
    readonly platform: string;
    /** Where it listens, for example `tcp://10.0.0.7:1234`. Of the other two kinds: what errors call it. */
    readonly address: string;
    /** A container that buildx runs on a Docker daemon. Nothing is known of its address then. */
    readonly docker?: DockerSettings | undefined;
    /** A builder of the user's own buildx. Nothing is known of its address then. */
    readonly named?: NamedBuilder | undefined;
    /** The EC2 instance it runs on. Its address is known only while the instance runs. */
    readonly ec2?: Ec2Target | undefined;
    /** What its address leads through, where the address itself says nothing to people. */
    readonly through?: string | undefined;
    /** What proves both sides to each other, as PEM text. */
    readonly tls?: BuilderTls | undefined;
    /** The name in the builder's certificate. Defaults to the host of the address. */
    readonly serverName?: string | undefined;
    /** True allows a `tcp://` address without TLS. Defaults to false. */
    readonly insecure?: boolean | undefined;
    /** Whether it may run the platform by emulation only. */
    readonly emulation: "never" | "allow";
    /** How many builds run on it at once. Defaults to 4. */
    readonly maxParallelism?: number | undefined;
    /** Where the user wrote it, for example `builders.endpoints[1]`. */
    readonly property: string;
}

/** A builder of the user's own buildx. */
export interface NamedBuilder {
    readonly name: string;
    /** The one of its nodes that builds, once that is known. */
    readonly member?: string | undefined;
}

/** Certificates and key for mutual TLS, as PEM text. */
export interface BuilderTls {
    /** The CA that signed the builder's certificate. */
    readonly ca: string;
    /** The certificate this side shows. */
    readonly cert: string;
    /** The private key of that certificate. */
    readonly key: string;
}

/** Where a builder listens, taken apart. */
export type BuilderAddress = TcpAddress | UnixAddress | HelperAddress;

/** A host and a port. */
export interface TcpAddress {
    readonly scheme: "tcp";
    /** A name or an IP address; an IPv6 address without brackets. */
    readonly host: string;
    readonly port: number;
}

/** A socket file. */
export interface UnixAddress {
    readonly scheme: "unix";
    readonly path: string;
}

/** What buildx reaches through another program: ssh, kubectl or docker. */
export interface HelperAddress {
    readonly scheme: "ssh" | "kube-pod" | "docker-container";
    /** The host, pod or container. */
    readonly target: string;
}

const helperSchemes: Readonly<Record<string, string>> = {
    ssh: "ssh://user@host",
    "kube-pod": "kube-pod://pod?namespace=name",
    "docker-container": "docker-container://name",
};

/**
 * Takes the address of a builder apart. The schemes are those of buildx's remote driver; each has its own form.
 * Throws a MultiArchError `builder-address` that says what is wrong.
 * https://github.com/docker/buildx/blob/v0.35.0/driver/remote/util/endpoint.go
 */
export function parseAddress(address: string): BuilderAddress {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
    if (!scheme) {
        throw invalid(address, `has no scheme; write ${guessAddress(address)}`);
    }
    if (/[^\x21-\x7e]/.test(address)) {
        throw invalid(address, "has a space or another character that no address has");
    }
    if (scheme === "tcp") {
        return parseTcp(address);
    }
    if (scheme === "unix") {
        return parseUnix(address);
    }
    if (scheme in helperSchemes) {
        return parseHelper(address, scheme as HelperAddress["scheme"]);
    }
    throw invalid(address, `has the scheme ${scheme}://, which is not one of a builder`);
}

/** The builder as errors and outputs name it: its name, and its address without anything secret. */
export function describeNode(node: BuilderNode): string {
    if (node.through !== undefined) {
        return `${node.name} (through ${node.through})`;
    }
    const address = node.address.replace(/\/\/[^@/]*:[^@/]*@/, "//[secret]@");
    return node.name === "" || node.name === node.address ? address : `${node.name} (${address})`;
}

/** The builder with the one of its nodes that builds. */
export function chooseMember(node: BuilderNode, member: string | undefined): BuilderNode {
    if (node.named === undefined || member === undefined) {
        return node;
    }
    const address = `buildx builder ${node.named.name}, node ${member}`;
    return { ...node, name: address, address, named: { ...node.named, member } };
}

/** The name a builder's certificate has to carry. Undefined when the address has no host. */
export function expectedServerName(node: BuilderNode): string | undefined {
    const address = parseAddress(node.address);
    return node.serverName ?? (address.scheme === "tcp" ? address.host : undefined);
}

/** What an address without a scheme was most likely meant to be. */
function guessAddress(address: string): string {
    if (address.startsWith("/")) {
        return `unix://${address}`;
    }
    return /^[\w.[\]:-]+:\d+$/.test(address) ? `tcp://${address}` : "tcp://host:port";
}

function parseTcp(address: string): TcpAddress {
    const url = parseUrl(address);
    if (url.username !== "" || url.password !== "") {
        throw invalid(address, "has a user name or password, which buildkitd does not know");
    }
    if (url.port === "" || url.port === "0") {
        throw invalid(address, "has no port; buildkitd usually listens on 1234");
    }
    if ((url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
        throw invalid(address, "has something after the port");
    }
    return { scheme: "tcp", host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(url.port) };
}

function parseUnix(address: string): UnixAddress {
    const path = address.slice("unix://".length);
    if (!path.startsWith("/") || path === "/") {
        throw invalid(address, "needs three slashes and the absolute path of a socket, such as unix:///run/b.sock");
    }
    return { scheme: "unix", path };
}

function parseHelper(address: string, scheme: HelperAddress["scheme"]): HelperAddress {
    const url = parseUrl(address);
    if (url.password !== "") {
        throw invalid(address.replace(/:[^:@]*@/, ":[secret]@"), "has a password; use a key or an agent");
    }
    // ssh, kubectl and docker would take such a name for an option.
    if (url.hostname.startsWith("-") || url.username.startsWith("-")) {
        throw invalid(address, "has a name that begins with a dash");
    }
    return { scheme, target: url.hostname };
}

function parseUrl(address: string): URL {
    let url: URL;
    try {
        url = new URL(address);
    } catch {
        throw invalid(address, "is not an address with host and port");
    }
    if (url.hostname === "") {
        const scheme = url.protocol.slice(0, -1);
        throw invalid(address, `names no host; write ${helperSchemes[scheme] ?? "tcp://host:port"}`);
    }
    return url;
}

function invalid(address: string, reason: string): MultiArchError {
    return new MultiArchError("builder-address", { what: `${JSON.stringify(address)} ${reason}` });
}
