import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./console.mjs";
import { run } from "./exec.mjs";
import { findQemu, qemuMachine } from "./system.mjs";

const BINFMT_DIR = "/proc/sys/fs/binfmt_misc";

// O: the program is opened by the kernel. C: it gets the credentials of what it runs. F: the interpreter is opened when
// it is registered, so that it also works where it cannot be seen, such as inside a container.
// See https://docs.kernel.org/admin-guide/binfmt-misc.html
const FLAGS = "OCF";

// The first 20 bytes of a 64-bit little-endian ELF program: kind (executable or shared) and machine are told apart.
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const MAGIC = {
    arm64: elfMagic(String.raw`\xb7\x00`),
    amd64: elfMagic(String.raw`\x3e\x00`),
};

/**
 * Makes the kernel run programs of another architecture with QEMU, for this machine as a whole.
 * @param {import("./system.mjs").Arch} arch
 * @returns {Promise<{ registered: boolean, mounted: boolean }>} what was done now, and not by somebody before
 */
export async function registerEmulation(arch) {
    const entry = entryFile(arch);
    const mounted = !existsSync(join(BINFMT_DIR, "register"));
    if (mounted) {
        await run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT_DIR]);
    }
    if (existsSync(entry)) {
        requireUsable(entry);
        return { registered: false, mounted };
    }
    const qemu = findQemu(arch);
    if (qemu === undefined) {
        throw new SetupError(`QEMU for ${arch} is missing`, { hint: "Debian has it in the package qemu-user-static." });
    }
    const line = `:qemu-${qemuMachine(arch)}:M::${MAGIC[arch]}:${MASK}:${qemu}:${FLAGS}`;
    writeFileSync(join(BINFMT_DIR, "register"), line);
    return { registered: true, mounted };
}

/**
 * Undoes what `registerEmulation` did, and no more than that.
 * @param {import("./system.mjs").Arch} arch
 * @param {{ registered: boolean, mounted: boolean }} done
 */
export async function unregisterEmulation(arch, { registered, mounted }) {
    if (registered && existsSync(entryFile(arch))) {
        writeFileSync(entryFile(arch), "-1");
    }
    if (mounted && existsSync(join(BINFMT_DIR, "register"))) {
        await run(["umount", BINFMT_DIR]);
    }
}

/** @param {string} entry */
function requireUsable(entry) {
    const text = readFileSync(entry, "utf8");
    const flags = /^flags: (.*)$/m.exec(text)?.[1] ?? "";
    if (!text.startsWith("enabled") || !flags.includes("F")) {
        throw new SetupError(`${entry} is registered without the flag F or is disabled: no use inside containers`, {
            hint: `Remove it, and this registers its own: echo -1 > ${entry}`,
        });
    }
}

/** @param {import("./system.mjs").Arch} arch */
function entryFile(arch) {
    return join(BINFMT_DIR, `qemu-${qemuMachine(arch)}`);
}

/** @param {string} machine */
function elfMagic(machine) {
    return String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00${machine}`;
}
