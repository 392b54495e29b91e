import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";

import type { TlsFiles } from "../build/builderArgv";
import type { PrivateFolder } from "../build/privateFolder";
import type { BuilderNode } from "../builders/node";
import { parsePlatform } from "../platform";

// docker-build knows builders by name only, and looks them up where buildx keeps those of the user. Nothing else can
// be said to it, so a builder is written down there for as long as something is built on it. Beside it stands, in a
// private folder, what has to be taken away again, so that the next process can do so when this one was killed.

/** Where buildx, and docker-build, keep builders: https://github.com/docker/buildx/blob/v0.35.0/util/confutil/config.go */
export function buildxStoreFolder(env: Readonly<Record<string, string | undefined>>): string {
    // To docker an empty variable is none.
    const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
    const docker = given("DOCKER_CONFIG") ?? path.join(given("HOME") ?? homedir(), ".docker");
    return path.resolve(given("BUILDX_CONFIG") ?? path.join(docker, "buildx"));
}

/**
 * A builder as buildx writes it down: one that runs already, with one node for one platform.
 * https://github.com/docker/buildx/blob/v0.35.0/store/nodegroup.go
 */
export function describeBuilder(name: string, node: BuilderNode, tls?: TlsFiles): object {
    const { os, architecture, variant } = parsePlatform(node.platform);
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    const options = {
        ...(tls ? { cacert: tls.ca, cert: tls.cert, key: tls.key } : {}),
        ...(tls && node.serverName !== undefined ? { servername: node.serverName } : {}),
    };
    const only = { Name: `${name}0`, Endpoint: node.address, Platforms: [platform], DriverOpts: options };
    return { Name: name, Driver: "remote", Nodes: [{ ...only, Flags: null, Files: null }], Dynamic: false };
}

/** The builders that one process has written down. */
export interface BuilderStore {
    /** Makes a builder known under a name. */
    add(name: string, node: BuilderNode): Promise<void>;
    /** Takes it away again, with its keys. */
    remove(name: string): Promise<void>;
}

/** What has to be taken away, as it stands in the private folder. */
interface StoreRecord {
    readonly store: string;
    /** What was not there before. It is taken away with the last builder. */
    readonly created: readonly string[];
}

const recordName = "buildx-store.json";
const keysFolder = "builders";

/** Notes what is there, and what is not, before the first builder is written down. */
export async function openBuilderStore(folder: PrivateFolder, store: string): Promise<BuilderStore> {
    const record: StoreRecord = { store, created: listDroppings(store).filter((name) => !existsSync(name)) };
    await folder.write(recordName, JSON.stringify(record));
    return {
        async add(name, node) {
            const keys = path.join(keysFolder, name);
            await folder.folder(keys);
            const tls = node.tls && {
                ca: await folder.write(path.join(keys, "ca.pem"), node.tls.ca),
                cert: await folder.write(path.join(keys, "cert.pem"), node.tls.cert),
                key: await folder.write(path.join(keys, "key.pem"), node.tls.key),
            };
            await writeBuilder(store, name, JSON.stringify(describeBuilder(name, node, tls)));
        },
        async remove(name) {
            await removeBuilder(store, name);
            await rm(path.join(folder.path, keysFolder, name), { recursive: true, force: true });
            if ((await readdir(path.join(folder.path, keysFolder))).length === 0) {
                await removeDroppings(record);
            }
        },
    };
}

/** Takes away what a process has written down whose private folder this is. */
export async function undoBuilderStore(privateFolder: string): Promise<void> {
    const text = await readFile(path.join(privateFolder, recordName), "utf8").catch(() => undefined);
    if (text === undefined) {
        return;
    }
    const record = JSON.parse(text) as StoreRecord;
    for (const name of await readdir(path.join(privateFolder, keysFolder)).catch(() => [])) {
        await removeBuilder(record.store, name);
    }
    await removeDroppings(record);
}

async function writeBuilder(store: string, name: string, content: string): Promise<void> {
    const instances = path.join(store, "instances");
    await mkdir(instances, { recursive: true, mode: 0o700 });
    // Another process reads all files in there at any time. What begins with a dot is no builder to it, but an error:
    // the half-written file stays outside.
    const half = path.join(store, `.${name}.tmp-${process.pid}`);
    try {
        await writeFile(half, content, { mode: 0o600 });
        await rename(half, path.join(instances, name));
    } finally {
        await rm(half, { force: true });
    }
}

/** The builder, and what docker-build has noted about its builds. */
async function removeBuilder(store: string, name: string): Promise<void> {
    for (const folder of ["instances", "activity", "refs"]) {
        await rm(path.join(store, folder, name), { recursive: true, force: true });
    }
}

/** What appears in the store with the first build on any builder. A folder comes after what is in it. */
function listDroppings(store: string): string[] {
    const inside = ["instances", "defaults", "activity", "refs", ".lock", ".buildNodeID"];
    return [...inside.map((name) => path.join(store, name)), store, path.dirname(store)];
}

/** Takes away what was not there before, unless something else has begun to use it. */
async function removeDroppings({ store, created }: StoreRecord): Promise<void> {
    const instances = path.join(store, "instances");
    if (!created.includes(instances) || !(await removeEmpty(instances))) {
        return;
    }
    for (const name of created.filter((one) => one !== instances)) {
        if ([".lock", ".buildNodeID"].includes(path.basename(name))) {
            await rm(name, { force: true });
        } else {
            await removeEmpty(name);
        }
    }
}

async function removeEmpty(folder: string): Promise<boolean> {
    try {
        await rmdir(folder);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ENOENT";
    }
}
