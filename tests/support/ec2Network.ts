import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { RoleCredentials } from "./ec2Parameters";
import type { Host } from "./network";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/** The metadata service of one instance. */
export interface Metadata {
    log(): string[];
    stop(): Promise<void>;
}

const address = "169.254.169.254";

/**
 * Starts the metadata service of an instance, behind a cable of its own. As with a hop limit of 1, its answers get to the
 * instance and no further: what the instance would have to forward is dropped by the kernel.
 */
export async function startMetadata(
    world: World,
    host: Host,
    name: string,
    credentials: RoleCredentials,
    folder: string,
): Promise<Metadata> {
    const tools = await loadTools();
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    const service = await world.network.addHost(`${name}m`);
    const ip = (netns: string, ...args: string[]) => runTool("ip", ["-n", netns, ...args]);
    await ip(host.netns, "link", "add", "imds", "type", "veth", "peer", "name", "imds", "netns", service.netns);
    await ip(host.netns, "address", "add", "169.254.169.1/32", "dev", "imds");
    await ip(host.netns, "link", "set", "imds", "up");
    await ip(host.netns, "route", "add", `${address}/32`, "dev", "imds", "src", "169.254.169.1");
    await ip(service.netns, "address", "add", `${address}/32`, "dev", "imds");
    await ip(service.netns, "link", "set", "imds", "up");
    await ip(service.netns, "route", "replace", "default", "dev", "imds");
    const limit = "echo 1 > /proc/sys/net/ipv4/ip_default_ttl";
    await runTool("nsenter", [`--net=/run/netns/${service.netns}`, "sh", "-c", limit]);

    const role = "builder";
    const logFile = join(folder, "metadata.txt");
    const daemon = await tools.startDaemon({
        name: "metadata",
        dir: folder,
        argv: [toolchain.bin("node"), join(__dirname, "ec2Metadata.mjs"), logFile, role],
        env: { ...process.env, CREDENTIALS: JSON.stringify({ Code: "Success", Type: "AWS-HMAC", ...credentials }) },
        netns: service.netns,
        isReady: (pid) => tools.listensOn(pid, 80),
    });
    return {
        log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8").trimEnd().split("\n") : []),
        stop: () => daemon.stop(),
    };
}
