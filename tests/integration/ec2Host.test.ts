import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { BuildReport, TlsMaterial } from "../../sdk";
import { renderUserData } from "../../sdk/builders/ec2/userData";
import { preflight } from "../../sdk/builders/preflight";
import { bootHost, type Ec2Host } from "../support/ec2Host";
import { createCredentials, startParameterStore, type ParameterStore } from "../support/ec2Parameters";
import { serveRelease, type ServedRelease } from "../support/ec2Release";
import { createVolume, type Ec2Volume } from "../support/ec2Volume";
import { writeContext } from "../support/images";
import { createImageStack } from "../support/imageStack";
import { loadTools } from "../support/toolLibrary";
import { runTool } from "../support/tools";
import { getWorld, type World } from "../support/world";

const architecture = process.arch === "arm64" ? "arm64" : "amd64";
const platform = `linux/${architecture}`;
const idleSeconds = 12;

/**
 * The generated user data, executed: a Debian with systemd and cloud-init boots from it in namespaces of its own.
 * What this does not show: a boot on EC2 itself, Amazon Linux, the names that udev gives to NVMe devices, and the real
 * metadata service and Parameter Store.
 */
describe("a host that boots from the generated user data", () => {
    let world: World;
    let release: ServedRelease;
    let store: ParameterStore;
    let volume: Ec2Volume;
    let host: Ec2Host;
    let server: TlsMaterial;
    let userData: string;
    const credentials = createCredentials();
    const parameter = "/multiarch/test/builder";

    before(async () => {
        world = await getWorld();
        release = await serveRelease(world);
        store = await startParameterStore(world.network.gateway);
        volume = await createVolume();
        const place = await world.network.addHost("ec2");
        server = await world.issueServer("ec2 host", place.address);
        store.put(parameter, JSON.stringify(server), credentials);
        const trusted = [world.registry, ...(world.mirror === undefined ? [] : [world.mirror])];
        userData = renderUserData({
            architecture,
            region: "eu-central-1",
            tlsParameter: parameter,
            ssmEndpoint: store.url,
            cache: { volumeId: volume.id, sizeGiB: volume.sizeGiB },
            buildkit: release,
            // A busy machine takes its time to boot; the test of the idle limit lowers it.
            idleMinutes: 10,
            mirrors: world.mirror === undefined ? {} : { "docker.io": [world.mirror] },
            extraToml: trusted
                .map((name) => `[registry.${JSON.stringify(name)}]\nca = ["/etc/tests-ca.pem"]\n`)
                .join(""),
        });
        const files = {
            "/etc/tests-ca.pem": readFileSync(world.authorityFile, "utf8"),
            "/etc/systemd/system/multiarch-tick.timer.d/often.conf": "[Timer]\nOnActiveSec=2s\nOnUnitInactiveSec=2s\n",
        };
        host = await bootHost(world, { name: "ec2", userData, volume, credentials, files }, place);
    });

    after(async () => {
        await (host as Ec2Host | undefined)?.terminate();
        await (volume as Ec2Volume | undefined)?.remove();
        (store as ParameterStore | undefined)?.close();
        (release as ServedRelease | undefined)?.remove();
    });

    const address = (): string => `tcp://${host.address}:1234`;

    /** The client that stacks use. */
    let client: TlsMaterial | undefined;
    const endpoint = async () => {
        client ??= await world.issueClient();
        return { platform, address: address(), tls: client };
    };

    const waitUntilReady = async (seconds = 40) => {
        const end = Date.now() + seconds * 1_000;
        for (;;) {
            try {
                const node = { ...(await endpoint()), name: "ec2", emulation: "never" as const, property: "builders" };
                return await preflight(node);
            } catch (error) {
                if (Date.now() > end) {
                    const tail = (await host.logs()).split("\n").slice(-60).join("\n");
                    throw new Error(`${String(error)}\n${tail}`, { cause: error });
                }
                await sleep(300);
            }
        }
    };

    const build = async (context: string, dockerfile: string): Promise<BuildReport | undefined> => {
        const stack = await createImageStack(world, {
            platforms: [platform],
            builders: { endpoints: [await endpoint()] },
            emulation: "never",
        });
        try {
            writeContext(stack.folder, context, dockerfile);
            const { outputs } = await stack.up();
            assert.match(String(outputs["indexDigest"]?.value), /^sha256:/);
            return (outputs["builds"]?.value as Record<string, BuildReport>)[platform];
        } finally {
            await stack.remove();
        }
    };

    const dockerfile = "FROM alpine\nRUN sleep 1 && echo built > /proof\nCOPY content.txt /\n";

    it("is a native builder over mutual TLS, with its cache on the volume and its certificates in memory", async () => {
        const facts = await waitUntilReady();
        // The kernel of this machine may emulate others, which that of an instance does not.
        assert.deepEqual([facts.native, facts.platforms[0]], [true, platform]);
        const report = await build("one", dockerfile);
        assert.equal(report?.builder, address());
        assert.deepEqual(store.reads, [parameter]);
        const mounted = await host.run("findmnt", "--noheadings", "--output", "FSTYPE,OPTIONS", "/var/lib/buildkit");
        assert.match(mounted, /^ext4 +rw,nodev,noatime/);
        const files = await host.run("stat", "--format=%a %U", "/run/multiarch/tls", "/run/multiarch/tls/key.pem");
        assert.deepEqual(files.trim().split("\n"), ["700 root", "600 root"]);
        const installed = await host.run("ls", "/usr/local/lib/multiarch/bin");
        assert.doesNotMatch(installed, /qemu/);
        assert.match(installed, /buildkit-runc\nbuildkitd\n/);
    });

    it("keeps its key out of user data, disk, logs and arguments", async () => {
        const line = server.key.split("\n")[1] ?? "";
        assert.ok(line.length > 20);
        assert.equal(userData.includes(line), false);
        assert.equal((await host.logs()).includes(line), false);
        const found = await runTool("grep", [
            ...["--recursive", "--files-with-matches", "--fixed-strings", "--devices=skip"],
            ...[line, join(host.disk, "var/lib/cloud"), join(host.disk, "etc"), join(host.disk, "var/log")],
        ]).catch((error: unknown) => String(error));
        assert.match(found, /grep .* ended with 1:/s, "nothing is found");
        assert.match(
            await host.run("cat", "/run/multiarch/tls/key.pem"),
            new RegExp(line.slice(0, 20).replaceAll("+", ".")),
        );
    });

    it("does not let a step reach the metadata of the instance, which the host itself reaches", async () => {
        const tools = await loadTools();
        const toolchain = await tools.ensureToolchain({ system: false, compile: false });
        const folder = mkdtempSync(join(tmpdir(), "probe-"));
        writeFileSync(
            join(folder, "Dockerfile"),
            [
                "FROM alpine",
                "COPY buildctl /",
                `RUN /buildctl --timeout 3 --addr tcp://${world.registry} debug workers > /registry 2>&1 || true`,
                "RUN /buildctl --timeout 3 --addr tcp://169.254.169.254:80 debug workers > /metadata 2>&1 || true",
                'RUN echo "registry: $(cat /registry)"; echo "metadata: $(cat /metadata)"',
            ].join("\n"),
        );
        await runTool("cp", [toolchain.bin("buildctl"), folder]);
        const before = host.metadataLog().length;
        const { ca, cert, key } = (await endpoint()).tls;
        mkdirSync(join(folder, "tls"), { mode: 0o700 });
        for (const [name, text] of Object.entries({ ca, cert, key })) {
            writeFileSync(join(folder, "tls", `${name}.pem`), text);
        }
        writeFileSync(join(folder, ".dockerignore"), "tls\n");
        const printed = await runTool("sh", [
            "-c",
            '"$@" 2>&1',
            ...["probe", toolchain.bin("buildctl"), "--addr", address(), "--tlsdir", join(folder, "tls"), "build"],
            ...["--progress=plain", "--no-cache", "--frontend=dockerfile.v0"],
            ...["--local", `context=${folder}`, "--local", `dockerfile=${folder}`],
        ]);
        assert.match(printed, /metadata: .*(no route to host|permission denied|unreachable)/i);
        assert.match(printed, /registry: /);
        assert.doesNotMatch(printed, /registry: .*(no route to host|permission denied|unreachable)/i);
        assert.equal(host.metadataLog().length, before, "not even a connection");
        await host.run("curl", "--silent", "--max-time", "3", "http://169.254.169.254/");
        assert.ok(host.metadataLog().length > before, "the host gets through");
    });

    const setIdle = (seconds: number): void => {
        const file = join(host.disk, "etc", "multiarch", "host.env");
        writeFileSync(file, readFileSync(file, "utf8").replace(/^IDLE_SECONDS=.*$/m, `IDLE_SECONDS=${seconds}`));
    };

    it("powers itself off when nothing has been built for a while, not while something is, and has a warm cache again", async () => {
        setIdle(idleSeconds);
        await build("two", `FROM alpine\nRUN sleep ${idleSeconds + 5} && echo slow > /slow\nCOPY content.txt /\n`);
        assert.equal(host.isRunning(), true);
        await host.waitForPowerOff((idleSeconds + 40) * 1_000);
        assert.match(await host.logs(), /idle: no build for \d+ s: power off/);
        await volume.inspect((folder) => {
            assert.ok(existsSync(join(folder, "root", "cache.db")));
        });

        setIdle(600);
        await host.start();
        await waitUntilReady();
        const report = await build("three", dockerfile);
        assert.ok((report?.cachedSteps ?? 0) >= 1, JSON.stringify(report));
        assert.deepEqual(store.reads, [parameter, parameter]);
        assert.equal((await host.logs()).match(/formatting/g)?.length, 1);
    });

    it("starts with an empty cache when the old one is damaged, and puts that one aside", async () => {
        await host.stop();
        await volume.inspect((folder) => {
            const names = readdirSync(join(folder, "root"), { recursive: true }).map(String);
            for (const name of names.filter((one) => one.endsWith(".db") && !one.includes("/fs/"))) {
                const file = join(folder, "root", name);
                writeFileSync(file, Buffer.alloc(statSync(file).size, "damaged "));
            }
        });
        await host.start();
        await waitUntilReady(60);
        const report = await build("four", dockerfile);
        assert.equal(report?.builder, address());
        await host.stop();
        await volume.inspect((folder) => {
            const aside = readdirSync(folder).filter((name) => name.startsWith("quarantine-"));
            assert.equal(aside.length, 1);
            assert.match(readFileSync(join(folder, aside[0] ?? "", "cache.db"), "latin1"), /^damaged /);
        });
    });
});
