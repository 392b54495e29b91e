import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unregisterEmulation } from "./binfmt.mjs";
import { stopBuildkitd } from "./buildkitd.mjs";
import { say } from "./console.mjs";
import { findDaemon } from "./daemon.mjs";
import { daemons, embeddedDir, envFile, programs, readEmulation, stackName, stateDir } from "./embeddedState.mjs";
import { removeHostsLines } from "./hosts.mjs";
import { repoRoot } from "./paths.mjs";

/** Undoes what `npm start` did to this machine, except the tools it built and the system packages it installed. */
export async function cleanEmbedded() {
    for (const daemon of Object.values(daemons)) {
        const running = findDaemon(daemon);
        await running?.stop();
        // Does nothing to the folder of a registry.
        await stopBuildkitd(daemon);
        if (running !== undefined) {
            say(`stopped ${daemon.name} (process ${running.pid})`);
        }
    }
    if (removeHostsLines()) {
        say("removed our line from /etc/hosts");
    }
    for (const [arch, { registered = false, mounted = false }] of Object.entries(readEmulation())) {
        await unregisterEmulation(/** @type {import("./system.mjs").Arch} */ (arch), { registered, mounted });
        if (registered) {
            say(`took QEMU for linux/${arch} out of the kernel's binfmt_misc`);
        }
    }
    const stackFiles = Object.values(programs).map((dir) => join(repoRoot, dir, `Pulumi.${stackName}.yaml`));
    for (const path of [embeddedDir, stateDir, envFile, ...stackFiles].filter((one) => existsSync(one))) {
        rmSync(path, { recursive: true, force: true });
        say(`removed ${path}`);
    }
}
