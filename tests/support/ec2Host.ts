import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startMetadata } from "./ec2Network";
import type { RoleCredentials } from "./ec2Parameters";
import type { Ec2Volume } from "./ec2Volume";
import type { Host } from "./network";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/**
 * A double of an EC2 instance that really boots: systemd and cloud-init of a Debian, in namespaces of its own instead of a
 * machine, with a network, a disk, a cache volume and the metadata of a role. What differs from EC2: the kernel is that of
 * this machine, there is no udev, and the machine image is no Amazon Linux.
 */
export interface Ec2Host {
    readonly id: string;
    readonly address: string;
    isRunning(): boolean;
    /** Boots it, the first time and after a power-off. Its disk is as it was. */
    start(): Promise<void>;
    /** Waits until it has powered itself off. */
    waitForPowerOff(timeoutMs: number): Promise<void>;
    /** Powers it off, as `StopInstances` does, and waits for the end. */
    stop(): Promise<void>;
    /** Pulls the plug. */
    crash(): Promise<void>;
    /** Runs a command on it and gives what it printed. Throws when it fails. */
    run(file: string, ...args: string[]): Promise<string>;
    /** All that its journal and its console hold, of all boots. */
    logs(): Promise<string>;
    /** The folder of its disk. */
    readonly disk: string;
    /** What came to its metadata service: lines such as `GET /latest/...`. */
    metadataLog(): string[];
    terminate(): Promise<void>;
}

/** What an instance is started with. */
export interface Ec2HostOptions {
    /** A name for its network, of at most six characters. */
    readonly name: string;
    /** Its user data; the function gets the address of the instance. */
    readonly userData: string | ((address: string) => string);
    readonly volume: Ec2Volume;
    readonly credentials: RoleCredentials;
    /** More files of its machine image, by path. */
    readonly files?: Readonly<Record<string, string>> | undefined;
}

const bootSeconds = 20;
const endSeconds = 100;

/** Starts an instance. It gets its host in the world's network at once, so that certificates can name its address. */
export async function bootHost(world: World, options: Ec2HostOptions, place?: Host): Promise<Ec2Host> {
    const tools = await loadTools();
    const lower = await tools.ensureHostRoot();
    const network = place ?? (await world.network.addHost(options.name));
    const folder = mkdtempSync(join(tmpdir(), `ec2-${options.name}-`));
    const disk = join(folder, "disk");
    const [upper, work] = [join(folder, "upper"), join(folder, "work")];
    [disk, upper, work].forEach((path) => mkdirSync(path));
    await runTool("mount", [
        ...["-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, disk],
    ]);
    const id = `i-${options.volume.id.slice("vol-".length)}`;
    const { userData } = options;
    const seed = "/var/lib/cloud/seed/nocloud";
    const files = {
        ...options.files,
        [`${seed}/user-data`]: typeof userData === "string" ? userData : userData(network.address),
        [`${seed}/meta-data`]: `instance-id: ${id}\nlocal-hostname: ${options.name}\n`,
    };
    for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(disk, path, ".."), { recursive: true });
        writeFileSync(join(disk, path), content);
    }
    const metadata = await startMetadata(world, network, options.name, options.credentials, folder);

    const serial = `nvme-Amazon_Elastic_Block_Store_${options.volume.id.replace("-", "")}`;
    let daemon: Awaited<ReturnType<typeof tools.startDaemon>> | undefined;
    let consoles = "";
    const isRunning = (): boolean => daemon?.isRunning() ?? false;
    const keepConsole = (): void => {
        const file = join(folder, "console.log");
        consoles += existsSync(file) ? readFileSync(file, "utf8") : "";
    };
    /** The first process of the instance, as this machine sees it. */
    const leader = (): number | undefined => (daemon ? tools.childrenOf(daemon.pid).at(0) : undefined);
    const waitForEnd = async (seconds: number): Promise<void> => {
        if (!(await tools.waitFor(() => !isRunning(), seconds))) {
            throw new Error(`${options.name} still runs after ${seconds} s`);
        }
    };
    const signal = (pid: number | undefined, name: NodeJS.Signals | number): void => {
        if (pid !== undefined) {
            process.kill(pid, name);
        }
    };

    const host: Ec2Host = {
        id,
        address: network.address,
        disk,
        isRunning,
        async start() {
            keepConsole();
            daemon = await tools.startDaemon({
                name: "console",
                dir: folder,
                argv: [
                    ...["systemd-nspawn", "--boot", "--directory", disk, "--machine", options.name],
                    ...["--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off"],
                    `--network-namespace-path=/run/netns/${network.netns}`,
                    // A machine of its own would have all of this.
                    ...["--capability=all", "--system-call-filter=@keyring bpf @module"],
                    ...["--bind", `${options.volume.device}:/dev/disk/by-id/${serial}`],
                ],
                env: {
                    ...process.env,
                    SYSTEMD_NSPAWN_API_VFS_WRITABLE: "yes",
                    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
                },
                isReady: (pid) => tools.childrenOf(pid).length > 0,
                readySeconds: bootSeconds,
            });
        },
        waitForPowerOff: (timeoutMs) => waitForEnd(timeoutMs / 1_000),
        async stop() {
            // What the power button does: systemd(1), SIGRTMIN+4.
            signal(leader(), sigrtmin + 4);
            await waitForEnd(endSeconds);
        },
        async crash() {
            signal(daemon ? -daemon.pid : undefined, "SIGKILL");
            await waitForEnd(endSeconds);
        },
        run: (file, ...args) => runTool("nsenter", [`--target=${leader() ?? 0}`, "--all", "--", file, ...args]),
        async logs() {
            const journal = join(disk, "var", "log", "journal");
            const text = existsSync(journal) ? await runTool("journalctl", ["-D", journal, "--no-pager"]) : "";
            const file = join(folder, "console.log");
            return `${consoles}${existsSync(file) ? readFileSync(file, "utf8") : ""}${text}`;
        },
        metadataLog: () => metadata.log(),
        async terminate() {
            await daemon?.stop();
            await metadata.stop();
            for (let tries = 0; ; tries++) {
                try {
                    await runTool("umount", [disk]);
                    break;
                } catch (error) {
                    if (tries === 20) {
                        throw error;
                    }
                    await sleep(250);
                }
            }
            rmSync(folder, { recursive: true, force: true });
        },
    };
    await host.start();
    return host;
}

/** The first real-time signal, of which Node knows no name. */
const sigrtmin = 34;
