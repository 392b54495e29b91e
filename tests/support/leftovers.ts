import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { findByEnvironment } from "./processes";
import { findRunFolder, findSharedFolder, ownerOf } from "./runFolder";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";

/** Namespaces, bridges and cables are named like this; names of interfaces hold fifteen characters. */
export const networkPrefix = "mat";

const endSeconds = 10;

/**
 * Takes away what test runs have left on this machine: processes, networks and folders. Others run tests at the same
 * time: only what belongs to a process for which `isOver` holds is touched. The folder of this run goes with its process.
 */
export async function removeLeftovers(isOver: (pid: number) => boolean): Promise<void> {
    const isLeft = (owner: number | undefined): boolean => owner !== undefined && isOver(owner);
    const folders = listFolder(findSharedFolder())
        .filter((name) => isLeft(ownerOf(name)))
        .map((name) => join(findSharedFolder(), name))
        .filter((folder) => folder !== findRunFolder());
    for (const folder of folders) {
        await endAll(() => Promise.resolve(findOthers(`TMPDIR=${folder}`)));
    }
    for (const netns of listFolder("/run/netns").filter((name) => isLeft(ownerOfNetwork(name)))) {
        await endAll(() => listPids(netns));
        await removePart(() => existsSync(join("/run/netns", netns)), "ip", "netns", "delete", netns);
    }
    for (const link of listFolder("/sys/class/net").filter((name) => isLeft(ownerOfNetwork(name)))) {
        await removePart(() => existsSync(join("/sys/class/net", link)), "ip", "link", "delete", link);
    }
    for (const folder of folders) {
        await detachDevices(folder);
        await removeFolder(folder);
    }
}

/** True when a test run has ended, also when its process id is that of another program by now. */
export function hasEnded(pid: number): boolean {
    try {
        return !basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("node");
    } catch {
        return true;
    }
}

/** The leftovers of one process, by what they are: for tests. */
export function listLeftovers(pid: number): string[] {
    const networks = [...listFolder("/run/netns"), ...listFolder("/sys/class/net")];
    const folders = listFolder(findSharedFolder()).filter((name) => ownerOf(name) === pid);
    const processes = folders.flatMap((name) => findOthers(`TMPDIR=${join(findSharedFolder(), name)}`));
    return [
        ...networks.filter((name) => ownerOfNetwork(name) === pid),
        ...folders,
        ...processes.map((process) => `process ${process}`),
    ];
}

/** Asks the programs of this run that are no hosts of the tests' networks to end, and waits for them a while. */
export async function endOwnPrograms(): Promise<void> {
    const folder = findRunFolder();
    const here = networkOf("self");
    if (folder === undefined || here === undefined) {
        return;
    }
    const find = (): number[] => findOthers(`TMPDIR=${folder}`).filter((pid) => networkOf(pid) === here);
    find().forEach((pid) => signal(pid, "SIGTERM"));
    for (let waited = 0; waited < endSeconds * 20 && find().length > 0; waited++) {
        await sleep(50);
    }
}

/** Ends processes for good, also those that come while others end. */
async function endAll(find: () => Promise<readonly number[]>): Promise<void> {
    for (let waited = 0; waited < endSeconds * 20; waited++) {
        const pids = await find();
        if (pids.length === 0) {
            return;
        }
        pids.forEach((pid) => signal(pid, "SIGKILL"));
        await sleep(50);
    }
}

/** Takes away the block devices whose blocks are in files of a folder. */
async function detachDevices(folder: string): Promise<void> {
    for (const name of listFolder("/sys/block")) {
        const isAttached = (): boolean => backingFileOf(name)?.startsWith(`${folder}/`) === true;
        if (isAttached()) {
            await removePart(isAttached, "losetup", "--detach", join("/dev", name));
        }
    }
}

function backingFileOf(device: string): string | undefined {
    try {
        return readFileSync(join("/sys/block", device, "loop", "backing_file"), "utf8");
    } catch {
        return undefined;
    }
}

async function removeFolder(folder: string): Promise<void> {
    const { mountsBelow } = await loadTools();
    for (const path of mountsBelow(folder)) {
        await removePart(() => mountsBelow(folder).includes(path), "umount", "--lazy", path);
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Runs a tool that takes a part away. Another run may do the same at that time, and the kernel takes both ends of a
 * cable: being gone is no failure.
 */
async function removePart(isThere: () => boolean, tool: string, ...args: string[]): Promise<void> {
    try {
        await runTool(tool, args);
    } catch (error) {
        if (isThere()) {
            throw error;
        }
    }
}

async function listPids(netns: string): Promise<number[]> {
    try {
        return (await runTool("ip", ["netns", "pids", netns])).split("\n").filter(Boolean).map(Number);
    } catch {
        // The namespace has just been taken away.
        return [];
    }
}

function findOthers(entry: string): number[] {
    return findByEnvironment(entry)
        .map(({ pid }) => pid)
        .filter((pid) => pid !== process.pid);
}

function ownerOfNetwork(name: string): number | undefined {
    const owner = new RegExp(`^${networkPrefix}(\\d+)(-|br$|v\\d+$)`).exec(name)?.[1];
    return owner === undefined ? undefined : Number(owner);
}

function networkOf(pid: number | "self"): string | undefined {
    try {
        return readlinkSync(`/proc/${pid}/ns/net`);
    } catch {
        return undefined;
    }
}

function listFolder(folder: string): string[] {
    return existsSync(folder) ? readdirSync(folder) : [];
}

function signal(pid: number, name: NodeJS.Signals): void {
    try {
        process.kill(pid, name);
    } catch {
        // It has just ended by itself.
    }
}
