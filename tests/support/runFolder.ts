import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder for temporary files that this run shares with everybody else. */
const sharedFolder = tmpdir();

/** How the folders of all runs begin. The process id tells whose they are. */
const prefix = "multiarch-tests-";

let runFolder: string | undefined;

/**
 * Gives this run a folder of its own for everything temporary, of the programs it starts too. All of it goes with the
 * process; what a killed one leaves is known by the folder's name, and its programs by their environment.
 */
export function createRunFolder(): string {
    const folder = mkdtempSync(join(sharedFolder, `${prefix}${process.pid}-`));
    // Some tests give their privileges up, and still have to find their files.
    chmodSync(folder, 0o755);
    runFolder = folder;
    process.env["TMPDIR"] = folder;
    process.once("exit", () => {
        try {
            rmSync(folder, { recursive: true, force: true });
        } catch {
            // Something still writes into it: the next run takes it away.
        }
    });
    return folder;
}

/** The folder of this run, where it has one. */
export function findRunFolder(): string | undefined {
    return runFolder;
}

/** The folder that the folders of all runs are in. */
export function findSharedFolder(): string {
    return sharedFolder;
}

/** The process that a folder belongs to, by the folder's name. */
export function ownerOf(name: string): number | undefined {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    return owner === undefined ? undefined : Number(owner);
}
