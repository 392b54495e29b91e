import { copyFileSync, existsSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { step } from "./console.mjs";
import { run } from "./exec.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, ensureDir, logDir } from "./paths.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";
import { ensureCommands, hostArch } from "./system.mjs";

// Raised when the way of making it changes.
const RECIPE = "2";
const SUITE = "bookworm";

const hostDir = join(cacheDir, "host");
const root = join(hostDir, "root");

/** What debootstrap itself can install. */
const BASE = ["systemd", "systemd-sysv", "dbus", "iproute2", "ca-certificates"];

/** What a builder's host needs of its machine image, and what the archive of BuildKit is made of. */
const PACKAGES = [
    ...["cloud-init", "awscli", "python3", "curl", "e2fsprogs", "iptables", "procps"],
    ...["runc", "containernetworking-plugins"],
];

/** What must not run: devices are those of the machine around it, and nothing there is updated by itself. */
const MASKED = [
    ...["systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket"],
    ...["systemd-udev-trigger.service", "apt-daily.timer", "apt-daily-upgrade.timer", "fstrim.timer"],
];

/** Commands that boot it, and the one that reads its scripts. */
const COMMANDS = {
    debootstrap: { package: "debootstrap", why: "the machine image of the tests' hosts" },
    "systemd-nspawn": { package: "systemd-container", why: "booting the tests' hosts" },
    shellcheck: { package: "shellcheck", why: "checking the scripts of hosts" },
};

/**
 * Makes the root folder of a Debian that boots with systemd and cloud-init, in the place of a cloud's machine image. It is
 * made once and never booted itself: hosts run on overlays of it.
 * @returns {Promise<string>}
 */
export async function ensureHostRoot() {
    await ensureCommands(COMMANDS);
    if (!isReady()) {
        await withLock("host", async () => {
            if (!isReady()) {
                await step("Debian with systemd and cloud-init, for the tests' hosts", makeRoot, {
                    expect: "1 to 3 min",
                });
            }
        });
    }
    return root;
}

function isReady() {
    return readJson(join(hostDir, "stamp.json"))?.recipe === recipeHash() && existsSync(root);
}

function recipeHash() {
    return hashOf([RECIPE, SUITE, hostArch(), ...BASE, ...PACKAGES]);
}

async function makeRoot() {
    const work = join(hostDir, "making");
    rmSync(hostDir, { recursive: true, force: true });
    ensureDir(work);
    // dpkg writes through to the disk for every file, which takes several times as long there.
    await run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "host-root", work]);
    try {
        await fill(work);
        await run(["cp", "--archive", "--one-file-system", `${work}/.`, ensureDir(root)]);
    } finally {
        await run(["umount", work]);
    }
    rmSync(work, { recursive: true });
    writeJson(join(hostDir, "stamp.json"), { recipe: recipeHash() });
}

/** @param {string} work */
async function fill(work) {
    const include = `--include=${BASE.join(",")}`;
    await run(["debootstrap", "--variant=minbase", include, SUITE, work], {
        logFile: join(logDir, "debootstrap.log"),
    });
    copyFileSync("/etc/resolv.conf", join(work, "etc", "resolv.conf"));
    writeFileSync(join(work, "etc", "dpkg", "dpkg.cfg.d", "fast"), "force-unsafe-io\n");
    await run(["mount", "-t", "proc", "proc", join(work, "proc")]);
    try {
        const install = `apt-get install -y --no-install-recommends ${PACKAGES.join(" ")}`;
        const script = `apt-get update && ${install} && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/doc`;
        const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
        await run(["chroot", work, "sh", "-c", script], { env, logFile: join(logDir, "host-root.log") });
    } finally {
        await run(["umount", join(work, "proc")]);
    }
    finish(work);
}

/**
 * Its name server is that of this machine, and its identity would be shared by all hosts.
 * @param {string} folder
 */
function finish(folder) {
    writeFileSync(join(folder, "etc", "resolv.conf"), "");
    writeFileSync(join(folder, "etc", "machine-id"), "");
    writeFileSync(join(folder, "etc", "cloud", "cloud.cfg.d", "99-tests.cfg"), "datasource_list: [NoCloud]\n");
    for (const unit of MASKED) {
        const link = join(folder, "etc", "systemd", "system", unit);
        if (existsSync(link)) {
            unlinkSync(link);
        }
        symlinkSync("/dev/null", link);
    }
}
