import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./console.mjs";
import { capture, run } from "./exec.mjs";
import { ensureDir } from "./paths.mjs";

/** @typedef {import("./system.mjs").Arch} Arch */

/** What a small root needs to run shell scripts; apt adds what these depend on. */
export const rootPackages = ["base-files", "coreutils", "dash", "grep", "sed"];

// Debian's own tools make these links, the packages do not hold them: https://wiki.debian.org/UsrMerge
const MERGED_FOLDERS = ["bin", "lib", "sbin"];
const LOADER_FOLDERS = { amd64: ["lib64"], arm64: [] };

const UNNEEDED = ["doc", "info", "lintian", "locale", "man"];

/**
 * Makes the root folder of a small Debian for an architecture and packs it. None of its programs runs here, and apt
 * keeps to configuration, lists and packages of its own: those of the system stay as they are.
 * @param {{ arch: Arch, dir: string, tarFile: string }} options `dir` takes everything on the way to the archive
 */
export async function packDebianRoot({ arch, dir, tarFile }) {
    const archives = await downloadPackages({ arch, dir: join(dir, "apt") });
    const root = join(dir, "root");
    for (const folder of [...MERGED_FOLDERS, ...LOADER_FOLDERS[arch]]) {
        mkdirSync(join(root, "usr", folder), { recursive: true });
        symlinkSync(join("usr", folder), join(root, folder));
    }
    for (const archive of archives) {
        await unpack(archive, root);
    }
    finishRoot(root);
    await run([
        "tar",
        "--create",
        "--file",
        tarFile,
        "--directory",
        root,
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        ".",
    ]);
}

/**
 * @param {{ arch: Arch, dir: string }} options
 * @returns {Promise<string[]>} the packages, checked against the keys that the system trusts
 */
async function downloadPackages({ arch, dir }) {
    const config = writeAptConfig({ arch, dir });
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    // A source that does not have this architecture fails here, and is no loss while another one has it.
    const update = await capture(["apt-get", "--config-file", config, "update"], { env });
    const options = ["--assume-yes", "--no-install-recommends", "--download-only"];
    const argv = ["apt-get", "--config-file", config, ...options, "install", ...rootPackages];
    const download = await capture(argv, { env });
    if (download.exitCode !== 0) {
        const lines = `${update.output}${download.output}`.split("\n").filter((line) => /^[EW]:/.test(line));
        throw new SetupError(`apt-get could not download packages for ${arch}:\n${lines.join("\n")}`, {
            hint: "The package sources of this machine must be reachable and offer this architecture.",
        });
    }
    const archives = join(dir, "cache", "archives");
    return readdirSync(archives)
        .filter((name) => name.endsWith(".deb"))
        .sort()
        .map((name) => join(archives, name));
}

/**
 * The system's sources, keys and proxies with a state of our own. Given as --config-file it is read last.
 * See https://manpages.debian.org/bookworm/apt/apt.conf.5.en.html
 * @param {{ arch: Arch, dir: string }} options
 */
function writeAptConfig({ arch, dir }) {
    const folders = { state: ensureDir(join(dir, "state")), cache: ensureDir(join(dir, "cache")) };
    ensureDir(join(folders.state, "lists", "partial"));
    ensureDir(join(folders.cache, "archives", "partial"));
    const status = join(dir, "status");
    writeFileSync(status, "");
    const lines = [
        `Dir::State "${folders.state}";`,
        `Dir::State::status "${status}";`,
        `Dir::Cache "${folders.cache}";`,
        `APT::Architecture "${arch}";`,
        "#clear APT::Architectures;",
        `APT::Architectures { "${arch}"; };`,
        // The folders belong to root, whom apt leaves for downloads where it can.
        'APT::Sandbox::User "root";',
        'Acquire::Languages "none";',
        // Hooks of the system would work on the state of the system.
        "#clear APT::Update::Pre-Invoke;",
        "#clear APT::Update::Post-Invoke;",
        "#clear APT::Update::Post-Invoke-Success;",
        "#clear DPkg::Pre-Install-Pkgs;",
        "#clear DPkg::Post-Invoke;",
    ];
    const config = join(dir, "apt.conf");
    writeFileSync(config, `${lines.join("\n")}\n`);
    return config;
}

/**
 * @param {string} archive
 * @param {string} root
 */
async function unpack(archive, root) {
    // `dpkg-deb --extract` would put a folder in the place of the links that were made above.
    const script =
        'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"';
    await run(["bash", "-c", script, "unpack", archive, root]);
}

/**
 * Does what the packages' own scripts would do, as far as a container needs it.
 * @param {string} root
 */
function finishRoot(root) {
    for (const folder of UNNEEDED) {
        rmSync(join(root, "usr", "share", folder), { recursive: true, force: true });
    }
    writeFileSync(
        join(root, "etc", "passwd"),
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    );
    writeFileSync(join(root, "etc", "group"), "root:x:0:\nnogroup:x:65534:\n");
    if (!existsSync(join(root, "usr", "bin", "sh"))) {
        symlinkSync("dash", join(root, "usr", "bin", "sh"));
    }
}
