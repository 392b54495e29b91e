import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { bootBuilder, type Ec2Builder } from "../support/ec2Builder";
import { startParameterStore, type ParameterStore } from "../support/ec2Parameters";
import { serveRelease, type ServedRelease } from "../support/ec2Release";
import { loadTools } from "../support/toolLibrary";
import { runTool } from "../support/tools";
import { getWorld, type World } from "../support/world";

const idleSeconds = 12;
const dockerfile = "FROM alpine\nRUN sleep 1 && echo built > /proof\nCOPY content.txt /\n";

/**
 * The generated user data, executed: a Debian with systemd and cloud-init boots from it in namespaces of its own.
 * What this does not show: a boot on EC2 itself, Amazon Linux, the names that udev gives to NVMe devices, and the real
 * metadata service and Parameter Store.
 */
describe("a host that boots from the generated user data", () => {
    let world: World;
    let release: ServedRelease | undefined;
    let store: ParameterStore | undefined;
    let builder: Ec2Builder | undefined;
    const get = (): Ec2Builder => {
        assert.ok(builder);
        return builder;
    };
    const reads = () => store?.reads;

    before(async () => {
        world = await getWorld();
        release = await serveRelease(world);
        store = await startParameterStore(world.network.gateway);
        builder = await bootBuilder(world, { name: "ec2", release, store });
    });

    after(async () => {
        await builder?.remove();
        await store?.close();
        release?.remove();
    });

    it("is a native builder over mutual TLS, with its cache on the volume and its certificates in memory", async () => {
        const { host, platform, parameter, endpoint } = get();
        const facts = await get().waitUntilReady();
        // The kernel of this machine may emulate others, which that of an instance does not.
        assert.deepEqual([facts.native, facts.platforms[0]], [true, platform]);
        const report = await get().build("one", dockerfile);
        assert.equal(report.builder, endpoint.address);
        assert.deepEqual(reads(), [parameter]);
        const mounted = await host.run("findmnt", "--noheadings", "--output", "FSTYPE,OPTIONS", "/var/lib/buildkit");
        assert.match(mounted, /^ext4 +rw,nodev,noatime/);
        const files = await host.run("stat", "--format=%a %U", "/run/multiarch/tls", "/run/multiarch/tls/key.pem");
        assert.deepEqual(files.trim().split("\n"), ["700 root", "600 root"]);
        const installed = await host.run("ls", "/usr/local/lib/multiarch/bin");
        assert.doesNotMatch(installed, /qemu/);
        assert.match(installed, /buildkit-runc\nbuildkitd\n/);
    });

    it("keeps its key out of user data, disk, logs and arguments", async () => {
        const { host, server, userData } = get();
        const line = server.key.split("\n")[1] ?? "";
        assert.ok(line.length > 20);
        assert.equal(userData.includes(line), false);
        assert.equal((await host.logs()).includes(line), false);
        const found = await runTool("grep", [
            ...["--recursive", "--files-with-matches", "--fixed-strings", "--devices=skip"],
            ...["--", line, ...["etc", "root", "usr/local", "var"].map((name) => join(host.disk, name))],
        ]).catch((error: unknown) => String(error));
        assert.match(found, /grep .* ended with 1:/s, "nothing is found");
        assert.ok((await host.run("cat", "/run/multiarch/tls/key.pem")).includes(line), "it would be found");
    });

    it("does not let a step reach the metadata of the instance, which the host itself reaches", async () => {
        const { host } = get();
        const tools = await loadTools();
        const toolchain = await tools.ensureToolchain({ system: false, compile: false });
        const probe = (name: string, address: string): string =>
            `RUN /buildctl --timeout 3 --addr tcp://${address} debug workers > /${name} 2>&1 || true`;
        const lines = [
            ...["FROM alpine", "COPY buildctl /"],
            ...[probe("registry", world.registry), probe("metadata", "169.254.169.254:80")],
            'RUN echo "registry: $(cat /registry)"; echo "metadata: $(cat /metadata)"',
        ];
        const before = host.metadataLog().length;
        const buildctl = readFileSync(toolchain.bin("buildctl"));
        const printed = await get().solve({ Dockerfile: lines.join("\n"), buildctl });
        const isRefused = /(no route to host|permission denied|unreachable)/i;
        assert.match(/^#\d+ [\d.]+ metadata: (.*)/m.exec(printed)?.[1] ?? printed, isRefused);
        assert.doesNotMatch(/^#\d+ [\d.]+ registry: (.*)/m.exec(printed)?.[1] ?? "unreachable", isRefused);
        assert.equal(host.metadataLog().length, before, "not even a connection");
        await host.run("curl", "--silent", "--max-time", "3", "http://169.254.169.254/");
        assert.ok(host.metadataLog().length > before, "the host gets through");
    });

    it("powers itself off when nothing has been built for a while, not while something is, and has a warm cache again", async () => {
        const { host, volume, parameter } = get();
        get().tell({ IDLE_SECONDS: idleSeconds });
        await get().build(
            "two",
            `FROM alpine\nRUN sleep ${idleSeconds + 5} && echo slow > /slow\nCOPY content.txt /\n`,
        );
        assert.equal(host.isRunning(), true);
        await host.waitForPowerOff((idleSeconds + 40) * 1_000);
        assert.match(await host.logs(), /idle: no build for \d+ s: power off/);
        await volume.inspect((folder) => assert.ok(existsSync(join(folder, "root", "cache.db"))));

        get().tell({ IDLE_SECONDS: 600 });
        await host.start();
        await get().waitUntilReady();
        const report = await get().build("three", dockerfile);
        assert.ok(report.cachedSteps >= 1, JSON.stringify(report));
        assert.deepEqual(reads(), [parameter, parameter]);
        assert.equal((await host.logs()).match(/formatting/g)?.length, 1);
    });

    it("starts with an empty cache when the old one is damaged, and puts that one aside", async () => {
        const { host, volume, endpoint } = get();
        await get().waitUntilReady();
        await host.stop();
        await volume.inspect((folder) => {
            // BuildKit makes some of its databases anew by itself; it does not start with these.
            const names = readdirSync(join(folder, "root"), { recursive: true }).map(String);
            for (const name of names.filter((one) => one.endsWith(".db") && !one.includes("/fs/"))) {
                const file = join(folder, "root", name);
                writeFileSync(file, Buffer.alloc(statSync(file).size, "damaged "));
            }
        });
        await host.start();
        await get().waitUntilReady(90);
        const report = await get().build("four", dockerfile);
        assert.equal(report.builder, endpoint.address);
        await host.stop();
        await volume.inspect((folder) => {
            const aside = readdirSync(folder).filter((name) => name.startsWith("quarantine-"));
            assert.equal(aside.length, 1);
            assert.match(readFileSync(join(folder, aside[0] ?? "", "cache.db"), "latin1"), /^damaged /);
        });
    });
});
