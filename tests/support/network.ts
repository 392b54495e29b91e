import { randomBytes } from "node:crypto";
import { hasEnded, networkPrefix, removeLeftovers } from "./leftovers";
import { runTool } from "./tools";

/** Hosts of our own: network namespaces on a bridge, each with an address. They see each other and this process. */
export interface Network {
    /** The address of this process on the network. */
    readonly gateway: string;
    /** Adds a host. */
    addHost(name: string): Promise<Host>;
    /** Takes hosts and bridge away. What runs in them has to be stopped before. */
    remove(): Promise<void>;
}

/** One host. */
export interface Host {
    /** The name of its network namespace. */
    readonly netns: string;
    readonly address: string;
    /** Cuts it off, as if its cable had been pulled. */
    disconnect(): Promise<void>;
    connect(): Promise<void>;
}

/** Makes a network that nobody else uses. What test runs that were killed have left is taken away first. */
export async function createNetwork(): Promise<Network> {
    // Nothing is of this process yet: what carries its id is of an earlier one that had the same.
    await removeLeftovers((pid) => pid === process.pid || hasEnded(pid));
    // The process id tells whose it is.
    const id = `${networkPrefix}${process.pid}`;
    const bridge = `${id}br`;
    const hosts: string[] = [];
    let numbers = 1;
    await ip("link", "add", bridge, "type", "bridge");
    const subnet = await takeSubnet(bridge);
    await ip("link", "set", bridge, "up");

    return {
        gateway: `${subnet}.1`,
        async addHost(name) {
            const number = ++numbers;
            const netns = `${id}-${name}`;
            const cable = `${id}v${number}`;
            await ip("netns", "add", netns);
            hosts.push(netns);
            await ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", netns);
            await ip("link", "set", cable, "master", bridge, "up");
            await ip("-n", netns, "address", "add", `${subnet}.${number}/24`, "dev", "eth0");
            await ip("-n", netns, "link", "set", "eth0", "up");
            await ip("-n", netns, "link", "set", "lo", "up");
            return {
                netns,
                address: `${subnet}.${number}`,
                disconnect: () => ip("link", "set", cable, "down"),
                connect: () => ip("link", "set", cable, "up"),
            };
        },
        async remove() {
            for (const netns of hosts) {
                await ip("netns", "delete", netns);
            }
            await ip("link", "delete", bridge);
        },
    };
}

async function ip(...args: string[]): Promise<void> {
    await runTool("ip", args);
}

/** Gives a bridge the first address of a subnet that no other run has. Two that take one at once both try another. */
async function takeSubnet(bridge: string): Promise<string> {
    for (;;) {
        const subnet = `10.213.${randomBytes(1).readUInt8(0)}`;
        await ip("address", "add", `${subnet}.1/24`, "dev", bridge);
        const taken = await runTool("ip", ["-oneline", "-4", "address", "show"]);
        if (taken.split(` ${subnet}.1/24 `).length === 2) {
            return subnet;
        }
        await ip("address", "delete", `${subnet}.1/24`, "dev", bridge);
    }
}
