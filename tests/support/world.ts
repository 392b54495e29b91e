import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EndpointArgs } from "../../sdk";
import { loadTools } from "./toolLibrary";
import { createNetwork, type Host, type Network } from "./network";

/** A registry with TLS and an account. */
export interface RegistryPlace {
    /** Its address, as `host:port`. */
    readonly registry: string;
    readonly username: string;
    readonly password: string;
    /** A PEM file with its CA. */
    readonly caFile: string;
    /** The folder that holds its own, `registry`. */
    readonly folder: string;
}

/**
 * What the tests run against: a registry and two builders, each a host of its own, with TLS and a password as in
 * production. All are the real programs. The arm64 builder is emulated unless the tests run on arm64.
 */
export interface World extends RegistryPlace {
    readonly network: Network;
    readonly builders: Readonly<Record<Architecture, Builder>>;
    /** Starts one more builder, a host of its own, for the rest of the run or until it is stopped. */
    addBuilder(architecture: Architecture, name: string): Promise<Builder>;
    /** Certificates by the CA that the builders trust. */
    issueClient(): Promise<{ ca: string; cert: string; key: string }>;
    /**
     * Starts one more registry, a host and an account of its own, for the rest of the run. An `open` one asks for no
     * account: checking a password takes it longer than everything else.
     */
    startRegistry(options?: { open?: boolean }): Promise<RegistryPlace>;
    /** The process of the registry, for tests that take it away for a while. */
    readonly registryProcess: RegistryProcess;
    /** The name of a repository that nothing else uses. */
    newRepository(place?: RegistryPlace): string;
    /** Where this process can stand in for a registry: addresses that the builders trust as such, and a certificate. */
    readonly doubles: { readonly addresses: readonly string[]; readonly cert: string; readonly key: string };
    /** A registry that has the images of Docker Hub, as `host:port`. Undefined where Docker Hub itself is reached. */
    readonly mirror: string | undefined;
    /** The CA alone, as a PEM file. */
    readonly authorityFile: string;
    /** A certificate of the same CA for a server. */
    issueServer(name: string, address: string): Promise<{ ca: string; cert: string; key: string }>;
    stop(): Promise<void>;
}

/** A registry that can be taken away and brought back, with all that it had. */
export interface RegistryProcess {
    readonly pid: () => number;
    start(): Promise<void>;
    stop(): Promise<void>;
}

export type Architecture = "amd64" | "arm64";

/** A builder learns the registries it trusts when it starts, so their number is fixed. */
const doublesAtOnce = 11;

/** One builder: a BuildKit daemon on a host of its own. */
export interface Builder {
    readonly host: Host;
    readonly endpoint: EndpointArgs & { platform: string; address: string };
    readonly pid: () => number;
    /** Starts it again after `stop`, with an empty cache if asked for. */
    start(options?: { empty?: boolean }): Promise<void>;
    stop(): Promise<void>;
}

let running: Promise<World> | undefined;
let stopped: Promise<void> | undefined;

/** The world, started once for all tests of the run. */
export function getWorld(): Promise<World> {
    running ??= stopped ? Promise.reject(new Error("the run is ending")) : startWorld();
    return running;
}

/** Stops the world for good, if a test has started it, once those who use it have ended. */
export function stopWorld(users: Promise<unknown> = Promise.resolve()): Promise<void> {
    stopped ??= (async () => {
        await users;
        const world = await running?.catch(() => undefined);
        await world?.stop();
    })();
    return stopped;
}

async function startWorld(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "multiarch-world-"));
    const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    const stop = async (): Promise<void> => {
        for (const next of stops.splice(0).reverse()) {
            await next();
        }
    };
    try {
        return { ...(await startParts(folder, stops)), stop };
    } catch (error) {
        await stop();
        throw error;
    }
}

async function startParts(folder: string, stops: (() => Promise<unknown>)[]): Promise<Omit<World, "stop">> {
    const tools = await loadTools();
    const { createAuthority, isEmulated, issue, startBuildkitd, startRegistry, writeKeyPair } = tools;
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    for (const architecture of ["amd64", "arm64"] as const) {
        if (isEmulated(`linux/${architecture}`)) {
            await tools.registerEmulation(architecture);
        }
    }
    const network = await createNetwork();
    stops.push(() => network.remove());

    const authority = await createAuthority("multiarch tests");
    const caFile = join(folder, "ca.pem");
    writeFileSync(caFile, authority.cert);
    const issueServer = async (name: string, address: string) => {
        const pair = await issue(authority, { commonName: name, ipAddresses: [address], usage: "server" });
        return writeKeyPair(folder, name, pair);
    };

    const caBundle = writeBundle(folder, authority.cert);
    const addRegistry = async (name: string, place: string, open = false) => {
        const username = `${name}-tester`;
        const password = randomBytes(12).toString("hex");
        const host = await network.addHost(name);
        const tls = await issueServer(`registry-${name}`, host.address);
        const common = { binary: toolchain.bin("registry"), host: host.address, bindAddress: host.address, tls };
        const start = () =>
            startRegistry({
                ...common,
                dir: join(place, "registry"),
                port: 5000,
                ...(open ? {} : { users: { [username]: password } }),
                netns: host.netns,
            });
        let daemon = await start();
        stops.push(() => daemon.stop());
        const { address } = daemon;
        const process: RegistryProcess = {
            pid: () => daemon.pid,
            start: async () => {
                daemon = await start();
            },
            stop: () => daemon.stop(),
        };
        return {
            common,
            host,
            process,
            place: { registry: address, username, password, caFile: caBundle, folder: place },
        };
    };
    const main = await addRegistry("reg", folder);
    const { common, host: registryHost, place: mainRegistry } = main;

    const standIns = await tools.ensureStandIns(toolchain);
    const mirror = standIns.needed
        ? await startRegistry({
              ...common,
              name: "mirror",
              dir: join(folder, "mirror"),
              storageDir: standIns.storageDir,
              port: 5001,
              readOnly: true,
              netns: registryHost.netns,
          })
        : undefined;
    stops.push(() => mirror?.stop() ?? Promise.resolve());

    const addresses = Array.from({ length: doublesAtOnce }, (_, number) => `${network.gateway}:${5100 + number}`);
    const ipAddresses = [network.gateway];
    const doubles = { addresses, ...(await issue(authority, { commonName: "doubles", ipAddresses, usage: "server" })) };

    const issueClient = async () => {
        const { cert, key } = await issue(authority, { commonName: "client", usage: "client" });
        return { ca: authority.cert, cert, key };
    };

    const startBuilder = async (architecture: Architecture, name: string = architecture): Promise<Builder> => {
        const host = await network.addHost(name);
        const dir = join(folder, name);
        const serverPair = await issueServer(`builder-${name}`, host.address);
        const start = () =>
            startBuildkitd({
                binary: toolchain.bin("buildkitd"),
                dir,
                platform: `linux/${architecture}`,
                address: `tcp://${host.address}:1234`,
                entitlements: ["security.insecure", "network.host"],
                tls: { caFile, ...serverPair },
                registries: Object.fromEntries(
                    [mainRegistry.registry, mirror?.address, ...doubles.addresses].flatMap((address) =>
                        address ? [[address, { caFile }]] : [],
                    ),
                ),
                ...(mirror ? { mirror: mirror.address } : {}),
                netns: host.netns,
            });
        let daemon = await start();
        stops.push(() => daemon.stop());
        return {
            host,
            endpoint: { platform: `linux/${architecture}`, address: daemon.address, tls: await issueClient() },
            pid: () => daemon.pid,
            async start({ empty = false } = {}) {
                if (empty) {
                    rmSync(dir, { recursive: true, force: true });
                }
                daemon = await start();
            },
            stop: () => daemon.stop(),
        };
    };

    const builders = { amd64: await startBuilder("amd64"), arm64: await startBuilder("arm64") };
    let repositories = 0;
    let registries = 1;
    return {
        ...mainRegistry,
        network,
        builders,
        registryProcess: main.process,
        addBuilder: startBuilder,
        doubles,
        mirror: mirror?.address,
        authorityFile: caFile,
        issueClient,
        issueServer: async (name, address) => {
            const pair = await issue(authority, { commonName: name, ipAddresses: [address], usage: "server" });
            return { ca: authority.cert, cert: pair.cert, key: pair.key };
        },
        startRegistry: async ({ open = false } = {}) => {
            const name = `reg${++registries}`;
            return (await addRegistry(name, join(folder, name), open)).place;
        },
        newRepository: ({ registry } = mainRegistry) =>
            `${registry}/tests/app-${++repositories}-${randomBytes(3).toString("hex")}`,
    };
}

/** The CA together with those of the system: SSL_CERT_FILE takes their place. */
function writeBundle(folder: string, ca: string): string {
    const system = process.env["SSL_CERT_FILE"] ?? "/etc/ssl/certs/ca-certificates.crt";
    let known = "";
    try {
        known = readFileSync(system, "utf8");
    } catch {
        // A machine without CAs of its own reaches nothing but this world.
    }
    const file = join(folder, "bundle.pem");
    writeFileSync(file, `${known}\n${ca}`);
    return file;
}
