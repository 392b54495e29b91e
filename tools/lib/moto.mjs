import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { step } from "./console.mjs";
import { startDaemon } from "./daemon.mjs";
import { capture, run } from "./exec.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, ensureDir, logDir, repoRoot } from "./paths.mjs";
import { listensOn } from "./processes.mjs";
import { hashOf, readJson, writeJson } from "./stamp.mjs";
import { ensureCommands, findOnPath } from "./system.mjs";

const requirements = join(repoRoot, "tools", "moto", "requirements.txt");
const motoDir = join(cacheDir, "moto");

const COMMANDS = {
    python3: { package: "python3", why: "running moto, the double of the AWS API" },
    pip3: { package: "python3-pip", why: "installing moto" },
};

/**
 * @typedef {object} Moto
 * @property {string} python the interpreter it was installed for
 * @property {string} packages the folder of it and of what it needs
 */

/**
 * Makes moto available, a double of the AWS API: installed once from the pins, each file by its hash.
 * @returns {Promise<Moto>}
 */
export async function ensureMoto() {
    await ensureCommands(COMMANDS);
    const python = /** @type {string} */ (findOnPath("python3"));
    const pin = await pinOf(python);
    if (!isReady(pin)) {
        await withLock("moto", async () => void (isReady(pin) || (await installMoto(python, pin))));
    }
    return { python, packages: join(motoDir, "packages") };
}

/**
 * Starts moto on a port of a loopback address. All that it knows is gone when it ends.
 * @param {Moto & { dir: string, host: string, port: number }} options
 */
export async function startMoto({ python, packages, dir, host, port }) {
    const daemon = await startDaemon({
        name: "moto",
        dir: ensureDir(dir),
        argv: [python, "-m", "moto.server", "--host", host, "--port", String(port)],
        // It must find no account of the user's.
        env: { PATH: process.env.PATH, HOME: dir, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" },
        isReady: (pid) => listensOn(pid, port),
    });
    return { ...daemon, url: `http://${host}:${port}` };
}

/** @param {string} pin */
function isReady(pin) {
    return readJson(join(motoDir, "stamp.json"))?.pin === pin;
}

/**
 * Compiled parts of packages are for one version of Python.
 * @param {string} python
 */
async function pinOf(python) {
    return hashOf([readFileSync(requirements), (await capture([python, "--version"])).stdout]);
}

/**
 * @param {string} python
 * @param {string} pin
 */
async function installMoto(python, pin) {
    const temporary = `${motoDir}.${process.pid}`;
    rmSync(temporary, { recursive: true, force: true });
    ensureDir(temporary);
    try {
        await step(
            "installing moto, the double of the AWS API",
            () =>
                run(
                    [
                        ...[python, "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"],
                        ...["--disable-pip-version-check", "--no-input", "--root-user-action", "ignore"],
                        ...["--requirement", requirements, "--target", join(temporary, "packages")],
                    ],
                    { logFile: join(logDir, "moto.log") },
                ),
            { expect: "about 1 min" },
        );
        writeJson(join(temporary, "stamp.json"), { pin });
        rmSync(motoDir, { recursive: true, force: true });
        renameSync(temporary, motoDir);
    } finally {
        rmSync(temporary, { recursive: true, force: true });
    }
}
