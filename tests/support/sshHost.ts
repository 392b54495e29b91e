import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/** A host with an ssh server, and a BuildKit daemon on a socket that only its own users reach. */
export interface SshHost {
    /** Its address as a builder. */
    readonly address: string;
    /** The same with another socket, behind which nothing listens. */
    readonly silentAddress: string;
    /** An IP address. */
    readonly host: string;
    /** The folder to put first on PATH: its `ssh` reads the settings below in place of the user's own. */
    readonly path: string;
    /** Sets what ssh knows and offers, as a user does in ~/.ssh. By default all that is right. */
    configure(settings?: { key?: "right" | "wrong"; hostKey?: "right" | "none" | "changed" }): void;
    /** Takes buildctl away, or puts it back. */
    setBuildctl(isThere: boolean): void;
    /** Stops the daemon. */
    stopBuildkitd(): Promise<void>;
    remove(): Promise<void>;
}

/** Starts the host on the network of the world. */
export async function startSshHost(world: World, name: string): Promise<SshHost> {
    const { ensureToolchain, startBuildkitd, startSshd } = await loadTools();
    const toolchain = await ensureToolchain({ system: false, compile: false });
    const folder = mkdtempSync(join(tmpdir(), "ssh-"));
    const { address: host, netns } = await world.network.addHost(name);
    for (const key of ["host", "other", "right", "wrong"]) {
        await runTool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", join(folder, key)]);
    }
    const publicKey = (key: string): string => readFileSync(join(folder, `${key}.pub`), "utf8");
    const authorizedKeysFile = join(folder, "authorized_keys");
    writeFileSync(authorizedKeysFile, publicKey("right"));

    const remoteBin = join(folder, "bin");
    const buildctl = join(remoteBin, "buildctl");
    mkdirSync(remoteBin);
    const setBuildctl = (isThere: boolean): void => {
        rmSync(buildctl, { force: true });
        if (isThere) {
            symlinkSync(toolchain.bin("buildctl"), buildctl);
        }
    };
    setBuildctl(true);

    // As the user's own ~/.ssh/config: ssh takes that from the account and not from HOME, so tests have a folder of theirs.
    const path = join(folder, "path");
    const config = join(folder, "config");
    const knownHosts = join(folder, "known_hosts");
    const [ssh = ""] = (await runTool("sh", ["-c", "command -v ssh"])).split("\n");
    mkdirSync(path);
    writeFileSync(join(path, "ssh"), `#!/bin/sh\nexec ${ssh} -F ${config} "$@"\n`, { mode: 0o755 });
    const configure: SshHost["configure"] = ({ key = "right", hostKey = "right" } = {}) => {
        const settings = [
            "Host *",
            `IdentityFile ${join(folder, key)}`,
            "IdentitiesOnly yes",
            "IdentityAgent none",
            `UserKnownHostsFile ${knownHosts}`,
            "GlobalKnownHostsFile /dev/null",
        ];
        writeFileSync(config, `${settings.join("\n    ")}\n`);
        const known = { right: publicKey("host"), changed: publicKey("other"), none: "" }[hostKey];
        writeFileSync(knownHosts, known === "" ? "" : `${host} ${known}`);
    };
    configure();

    const socket = join(folder, "b.sock");
    const sshd = await startSshd({
        name: "sshd",
        dir: join(folder, "sshd"),
        netns,
        user: "builder",
        hostKeyFile: join(folder, "host"),
        authorizedKeysFile,
        path: `${remoteBin}:/usr/bin:/bin`,
    });
    const buildkitd = await startBuildkitd({
        binary: toolchain.bin("buildkitd"),
        dir: join(folder, "buildkitd"),
        platform: "linux/amd64",
        address: `unix://${socket}`,
        registries: { [world.registry]: { caFile: world.caFile } },
        netns,
    });
    return {
        address: `ssh://builder@${host}${socket}`,
        silentAddress: `ssh://builder@${host}${join(folder, "nothing.sock")}`,
        host,
        path,
        configure,
        setBuildctl,
        stopBuildkitd: () => buildkitd.stop(),
        async remove() {
            await buildkitd.stop();
            await sshd.stop();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
