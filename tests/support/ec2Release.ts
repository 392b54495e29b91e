import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BuildKitRelease } from "../../sdk/builders/ec2/userData";
import { serveFiles } from "./fileServer";
import { loadTools } from "./toolLibrary";
import { runTool } from "./tools";
import type { World } from "./world";

/** An archive of BuildKit, served in the world. */
export interface ServedRelease extends BuildKitRelease {
    remove(): void;
}

const plugins = ["bridge", "loopback", "host-local", "firewall"];

/**
 * Packs the BuildKit of the toolchain as its releases are packed, with runc and the CNI plugins of Debian, and with an
 * emulator that no host may install. It serves all architectures: its programs are those of this machine.
 */
export async function serveRelease(world: World): Promise<ServedRelease> {
    const tools = await loadTools();
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    const root = await tools.ensureHostRoot();
    const folder = mkdtempSync(join(tmpdir(), "release-"));
    const bin = join(folder, "bin");
    mkdirSync(bin);
    for (const name of ["buildkitd", "buildctl"]) {
        copyFileSync(toolchain.bin(name), join(bin, name));
    }
    copyFileSync(join(root, "usr", "sbin", "runc"), join(bin, "buildkit-runc"));
    for (const name of plugins) {
        copyFileSync(join(root, "usr", "lib", "cni", name), join(bin, `buildkit-cni-${name}`));
    }
    writeFileSync(join(bin, "buildkit-qemu-aarch64"), "an emulator\n", { mode: 0o755 });
    const file = join(folder, "buildkit.tar.gz");
    await runTool("tar", ["--create", "--file", file, "--use-compress-program=gzip -1", "--directory", folder, "bin"]);
    const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
    const server = await serveFiles(folder, world.network.gateway);
    return {
        version: "v0.31.1",
        sha256: { amd64: sha256, arm64: sha256 },
        url: `${server.url}/buildkit.tar.gz`,
        remove() {
            server.close();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
