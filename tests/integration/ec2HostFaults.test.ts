import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { bootBuilder, type Ec2Builder } from "../support/ec2Builder";
import { startParameterStore, type ParameterStore } from "../support/ec2Parameters";
import { serveRelease, type ServedRelease } from "../support/ec2Release";
import { createVolume } from "../support/ec2Volume";
import { runTool } from "../support/tools";
import { getWorld } from "../support/world";

const unit = "/etc/systemd/system/multiarch-buildkitd.service";

/** What the host of a builder refuses, and how it helps itself. */
describe("a host whose surroundings are not as they should be", () => {
    let release: ServedRelease | undefined;
    let store: ParameterStore | undefined;
    let builder: Ec2Builder | undefined;
    const get = (): Ec2Builder => {
        assert.ok(builder);
        return builder;
    };

    before(async () => {
        const world = await getWorld();
        // A build that runs has a minute to end otherwise.
        const files = { [`${unit}.d/hurry.conf`]: "[Service]\nTimeoutStopSec=5\n" };
        release = await serveRelease(world);
        store = await startParameterStore(world.network.gateway);
        builder = await bootBuilder(world, { name: "ec2f", release, store, files });
        await builder.waitUntilReady();
    });

    after(async () => {
        await builder?.remove();
        await store?.close();
        release?.remove();
    });

    /** Runs one of its scripts with other settings, which nothing else there sees, and without the mounted cache. */
    const runScript = async (script: string, settings: Readonly<Record<string, string>>): Promise<string> => {
        const changes = Object.entries(settings).map(([key, value]) => `s|^${key}=.*|${key}='${value}'|`);
        const lines = [
            ...["set -e", "cp /etc/multiarch/host.env /tmp/host.env", "umount --lazy /var/lib/buildkit"],
            ...changes.map((change) => `sed -i "${change}" /tmp/host.env`),
            "mount --bind /tmp/host.env /etc/multiarch/host.env",
            `/usr/local/lib/multiarch/${script}.sh 2>&1 || echo "ended with $?"`,
        ];
        return get().host.run("unshare", "--mount", "bash", "-c", lines.join("\n"));
    };

    it("installs no archive with another sum, and keeps what it has", async () => {
        const wrong = "0".repeat(64);
        const printed = await runScript("install", { BUILDKIT_SHA256: wrong });
        assert.match(
            printed,
            new RegExp(`has the sha256 [0-9a-f]{64}, not ${wrong}: it is not installed\nended with 1`),
        );
        const left = await get().host.run("ls", "-A", "/usr/local/lib/multiarch", "/usr/local/lib/multiarch/bin");
        assert.match(left, /buildkitd/);
        assert.doesNotMatch(left, /install\.\w{6}/);
    });

    const writeStart = async (device: string, content: Buffer): Promise<void> => {
        const file = await open(device, "r+");
        await file.write(content, 0, content.length, 0);
        await file.sync();
        await file.close();
    };

    const contents: { title: string; fill: (device: string) => Promise<unknown>; message: RegExp }[] = [
        {
            title: "a file system of another name",
            fill: (device) => runTool("mkfs.ext4", ["-q", "-F", "-L", "accounts", device]),
            message: /\/dev\/other holds something else \(ext4 \), so it is not touched\nended with 1/,
        },
        {
            title: "a table of partitions",
            fill: (device) => {
                // One partition of the kind 0x83, and the mark at the end of the sector.
                const sector = Buffer.alloc(512);
                sector.writeUInt8(0x83, 446 + 4);
                sector.writeUInt32LE(2_048, 446 + 8);
                sector.writeUInt32LE(20_480, 446 + 12);
                sector.writeUInt16BE(0x55aa, 510);
                return writeStart(device, sector);
            },
            message: /\/dev\/other holds something else \( dos\), so it is not touched\nended with 1/,
        },
    ];
    for (const { title, fill, message } of contents) {
        it(`touches no volume that holds ${title}`, async () => {
            const other = await createVolume();
            try {
                await fill(other.device);
                const [major = "", minor = ""] = (await runTool("stat", ["--format=%Hr %Lr", other.device]))
                    .trim()
                    .split(" ");
                await get().host.run("mknod", "/dev/other", "b", major, minor);
                const look = () => runTool("sh", ["-c", `head --bytes=64M ${other.device} | sha256sum`]);
                const before = await look();
                assert.match(await runScript("mount", { CACHE_DEVICE: "/dev/other" }), message);
                assert.equal(await look(), before);
                await get().host.run("rm", "/dev/other");
            } finally {
                await other.remove();
            }
        });
    }

    it("restarts a daemon that does not answer", async () => {
        const { host } = get();
        const pidOf = async () =>
            (await host.run("systemctl", "show", "--property=MainPID", "--value", "multiarch-buildkitd")).trim();
        // It would be asked for a minute otherwise.
        const script = join(host.disk, "usr/local/lib/multiarch/common.sh");
        writeFileSync(script, readFileSync(script, "utf8").replace("timeout 20", "timeout 2"));
        const pid = await pidOf();
        await host.run("kill", "-STOP", pid);
        await get().waitUntilReady(60);
        assert.notEqual(await pidOf(), pid);
        assert.match(await host.logs(), /the daemon has not answered 3 times: it is restarted/);
    });

    it("powers off when a build does not end", async () => {
        const { host } = get();
        const lost = get()
            .solve({ Dockerfile: "FROM alpine\nRUN sleep 300\n" })
            .then(
                () => "built",
                () => "failed",
            );
        while (!(await host.run("ps", "-e", "-o", "args")).includes("sleep 300")) {
            await sleep(300);
        }
        get().tell({ DEAD_MAN_SECONDS: 8 });
        await host.waitForPowerOff(60_000);
        assert.match(await host.logs(), /no build has started or ended for \d+ s: power off/);
        assert.equal(await lost, "failed");
    });
});
