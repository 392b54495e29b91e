import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startActionsCache, type ActionsCache } from "./actionsCache";
import { loadTools } from "./toolLibrary";
import type { World } from "./world";

/** Where caches can be kept beside registries and folders, on a host of their own. */
export interface CacheServers {
    readonly s3: { endpointUrl: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string };
    readonly azblob: { accountUrl: string; accountName: string; secretAccessKey: string };
    readonly gha: ActionsCache;
    stop(): Promise<void>;
}

let hosts = 0;

/** Starts an S3 server, Azurite, and a double of the cache service of GitHub Actions. */
export async function startCacheServers(world: World): Promise<CacheServers> {
    const tools = await loadTools();
    const toolchain = await tools.ensureToolchain({ system: false, compile: false });
    const { s3: binary, azurite: script } = await tools.ensureCacheServers();
    const folder = mkdtempSync(join(tmpdir(), "multiarch-caches-"));
    const { address: host, netns } = await world.network.addHost(`caches${++hosts}`);
    const s3 = { account: "AKIATESTS", key: randomBytes(20).toString("hex"), bucket: "caches", region: "eu-west-1" };
    const azblob = { account: "cacheaccount", key: randomBytes(32).toString("base64") };
    const [s3Server, azurite, gha] = await Promise.all([
        tools.startS3Server({ ...s3, binary, dir: join(folder, "s3"), host, port: 7070, netns }),
        tools.startAzurite({
            ...azblob,
            node: toolchain.bin("node"),
            script,
            dir: join(folder, "azurite"),
            host,
            port: 10000,
            netns,
        }),
        startActionsCache(world.network.gateway),
    ]);
    return {
        s3: {
            endpointUrl: s3Server.url,
            bucket: s3.bucket,
            region: s3.region,
            accessKeyId: s3.account,
            secretAccessKey: s3.key,
        },
        azblob: { accountUrl: azurite.url, accountName: azblob.account, secretAccessKey: azblob.key },
        gha,
        async stop() {
            await Promise.all([s3Server.stop(), azurite.stop(), gha.stop()]);
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
