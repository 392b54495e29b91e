import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BuilderNode } from "../../sdk/builders/node";
import type { Host, Network } from "./network";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";

/** A builder whose root is on a file system of its own. */
export interface SmallDiskBuilder {
    readonly node: BuilderNode;
    readonly host: Host;
    /** Where its file system is mounted. */
    readonly disk: string;
    stop(): Promise<void>;
}

/** How the file system is made: a mount in memory, or an image of ext4 with 3 GiB, which takes up what is written. */
export type SmallDisk = { readonly tmpfs: string } | { readonly ext4: readonly string[] };

const ext4Bytes = 3 * 2 ** 30;

/** Starts a builder on a small file system. Whatever has been made by then goes when it fails. */
export async function startOnSmallDisk(
    network: Network,
    folder: string,
    name: string,
    kind: SmallDisk,
    more = "",
): Promise<SmallDiskBuilder> {
    const { ensureToolchain, findOnPath, listensOn, mountsBelow, startDaemon } = await loadTools();
    const toolchain = await ensureToolchain({ system: false, compile: false });
    const host = await network.addHost(name);
    const disk = join(folder, `${name}-disk`);
    mkdirSync(disk);
    if ("tmpfs" in kind) {
        await runTool("mount", ["-t", "tmpfs", "-o", kind.tmpfs, "tmpfs", disk]);
    } else {
        const image = join(folder, `${name}.img`);
        writeFileSync(image, "");
        truncateSync(image, ext4Bytes);
        await runTool("mkfs.ext4", ["-q", ...kind.ext4, image]);
        await runTool("mount", ["-o", "loop", image, disk]);
    }
    const root = join(disk, "root");
    const config = join(folder, `${name}.toml`);
    const lines = [
        `root = ${JSON.stringify(root)}`,
        "[grpc]",
        `address = ["tcp://${host.address}:1234"]`,
        "[otel]",
        `socketPath = ${JSON.stringify(join(folder, `${name}.sock`))}`,
        "[worker.oci]",
        "enabled = true",
        `binary = ${JSON.stringify(findOnPath("runc") ?? "runc")}`,
        'platforms = ["linux/amd64"]',
        'networkMode = "host"',
        more,
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const daemon = await startDaemon({
        name,
        dir: folder,
        argv: [toolchain.bin("buildkitd"), "--config", config],
        netns: host.netns,
        isReady: (pid: number) => listensOn(pid, 1234),
    });
    const node: BuilderNode = {
        name,
        platform: "linux/amd64",
        address: `tcp://${host.address}:1234`,
        insecure: true,
        emulation: "allow",
        property: `builders.endpoints[${name}]`,
    };
    return {
        node,
        host,
        disk,
        async stop() {
            await daemon.stop();
            // What it has mounted itself goes with its disk.
            for (const path of [...mountsBelow(disk), disk]) {
                await runTool("umount", ["--lazy", path]);
            }
            rmSync(disk, { recursive: true, force: true });
        },
    };
}
