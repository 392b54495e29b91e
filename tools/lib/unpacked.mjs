import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SetupError, step } from "./console.mjs";
import { capture, run } from "./exec.mjs";
import { withLock } from "./lock.mjs";
import { cacheDir, ensureDir, logDir } from "./paths.mjs";
import { readJson, writeJson } from "./stamp.mjs";

// Raised when the way of unpacking changes.
const RECIPE = "1";

/**
 * The root folder of a Debian package with what the system lacks for it, unpacked into the cache and installed nowhere:
 * installing a daemon would start it on this machine.
 * @param {{ name: string, packageName: string, hint: string }} options `name`: of its folder in the cache; `hint`: for
 *     systems without such a package
 */
export async function ensureUnpacked({ name, packageName, hint }) {
    const dir = join(cacheDir, name);
    const stamp = join(dir, "stamp.json");
    const isUnpacked = () => readJson(stamp)?.recipe === RECIPE;
    if (!isUnpacked()) {
        await withLock(name, async () => {
            if (!isUnpacked()) {
                await step(`unpack Debian's ${packageName} into the cache`, () => unpack(dir, packageName, hint));
                writeJson(stamp, { recipe: RECIPE });
            }
        });
    }
    return join(dir, "root");
}

/**
 * Where programs below such a root find their libraries, as LD_LIBRARY_PATH.
 * @param {string} root
 */
export function libraryPath(root) {
    const folders = ["lib", "usr/lib"].map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
    const found = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    return found.filter((folder) => folder.endsWith("-linux-gnu")).join(":");
}

/**
 * Downloads a package with the system's own sources and keys.
 * @param {string} dir
 * @param {string} packageName
 * @param {string} hint
 */
async function unpack(dir, packageName, hint) {
    rmSync(dir, { recursive: true, force: true });
    const archives = join(dir, "archives");
    ensureDir(join(archives, "partial"));
    const env = { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
    const options = ["--assume-yes", "--no-install-recommends", "--download-only"];
    const download = ["apt-get", ...options, "-o", `Dir::Cache::archives=${archives}`, "install", packageName];
    let { exitCode, output } = await capture(download, { env });
    if (exitCode !== 0) {
        // Lists that are missing or too old.
        await run(["apt-get", "update"], { env, logFile: join(logDir, "apt-update.log") });
        ({ exitCode, output } = await capture(download, { env }));
    }
    if (exitCode !== 0) {
        const lines = output.split("\n").filter((line) => /^[EW]:/.test(line));
        throw new SetupError(`apt-get could not download ${packageName}:\n${lines.join("\n")}`, { hint });
    }
    for (const archive of readdirSync(archives).filter((file) => file.endsWith(".deb"))) {
        await run(["dpkg-deb", "--extract", join(archives, archive), join(dir, "root")]);
    }
    rmSync(archives, { recursive: true, force: true });
}
