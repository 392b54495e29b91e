import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unregisterEmulation } from "./binfmt.mjs";
import { stopBuildkitd } from "./buildkitd.mjs";
import { say } from "./console.mjs";
import { findDaemon } from "./daemon.mjs";
import { daemons, embeddedDir, envFile, programs, readEmulation, stackName, stateDir } from "./embeddedState.mjs";
import { removeHostsLines } from "./hosts.mjs";
import { repoRoot } from "./paths.mjs";
import { pidsOf } from "./processes.mjs";

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
    const { removed, others } = removeHostsLines();
    if (removed) {
        say(`removed our line from /etc/hosts${others ? "; another checkout has one there too" : ""}`);
    }
    for (const [arch, { registered = false, mounted = false }] of Object.entries(readEmulation())) {
        if (registered && pidsOf("buildkitd").length > 0) {
            // It was registered for the whole machine, and others may have come to need it.
            say(`left QEMU for linux/${arch} in the kernel's binfmt_misc: another buildkitd runs on this machine`);
            continue;
        }
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
    say(
        "Debian packages and built tools stay. Delete .cache to remove the tools, node_modules and dist to remove the rest.",
    );
}
