import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runTool } from "./tools";

/** A double of an EBS volume: a block device of this machine, whose blocks take room only once they are written. */
export interface Ec2Volume {
    /** Its id, as EBS would give it. */
    readonly id: string;
    readonly sizeGiB: number;
    /** The device on this machine, such as `/dev/loop3`. */
    readonly device: string;
    /** Mounts it here while no host has it, and does something with its files. */
    inspect<T>(look: (folder: string) => T | Promise<T>): Promise<T>;
    remove(): Promise<void>;
}

/** Makes a blank volume. It gets an id where none is given. */
export async function createVolume(sizeGiB = 10, id = `vol-0${randomBytes(8).toString("hex")}`): Promise<Ec2Volume> {
    const file = join(tmpdir(), `${id}.img`);
    closeSync(openSync(file, "wx", 0o600));
    truncateSync(file, sizeGiB * 1024 ** 3);
    const device = (await runTool("losetup", ["--find", "--show", file])).trim();
    return {
        id,
        sizeGiB,
        device,
        async inspect(look) {
            const folder = `${file}.mounted`;
            mkdirSync(folder, { recursive: true });
            await runTool("mount", ["-t", "ext4", device, folder]);
            try {
                return await look(folder);
            } finally {
                await runTool("umount", [folder]);
            }
        },
        async remove() {
            await runTool("losetup", ["--detach", device]);
            rmSync(file, { force: true });
        },
    };
}
