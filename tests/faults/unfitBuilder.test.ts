import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { BuildReport } from "../../sdk";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { assertNothingLost } from "../support/nothingLost";
import { startOnSmallDisk } from "../support/smallDisks";
import { useTwoBuilders } from "../support/spareBuilder";
import { loadTools } from "../support/toolLibrary";
import type { Builder } from "../support/world";

/** A builder that was fit before, or beside one that is. */
describe("a builder that is not fit", function () {
    this.timeout(180_000);
    const builders = useTwoBuilders("fitspare");
    let folder: string;

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "unfit-"));
    });
    afterEach(async () => {
        const { world: place, repository, env } = stack;
        await assertNothingLost({ place, repositories: [repository], builders: builders.all, env });
        rmSync(folder, { recursive: true, force: true });
    });
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"], emulation: "allow" }));

    /** An up that uses one of two builders of a platform, and says why it does not use the other. */
    const assertSkipped = async (unfit: object, { endpoint: good }: Builder, code: string): Promise<void> => {
        const { platform } = good;
        stack.args = { ...stack.args, platforms: [platform], builders: { endpoints: [unfit as never, good] } };
        writeContext(stack.folder, code);
        const { outputs } = await stack.up();
        assert.match(stack.output(), new RegExp(`warning: a builder is skipped: [^]*\\[${code}\\]`));
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        assert.equal(builds[platform]?.builder, good.address);
        assert.doesNotMatch(stack.output(), /retrying on/);
    };

    it("because another CA has signed its certificate is skipped with a line, and the other one builds", async () => {
        const [first, second] = builders.all;
        assert.ok(first && second);
        const { createAuthority } = await loadTools();
        const { cert: ca } = await createAuthority("a stranger");
        const tls = { ...(first.endpoint.tls as object), ca };
        await assertSkipped({ ...first.endpoint, tls }, second, "builder-tls-untrusted");
    });

    it("because its machine has another architecture is skipped with a line, and the other one builds", async () => {
        const { amd64, arm64 } = stack.world.builders;
        const [native, foreign] = process.arch === "arm64" ? [arm64, amd64] : [amd64, arm64];
        stack.args = { emulation: "never" };
        const unfit = { ...foreign.endpoint, platform: native.endpoint.platform };
        await assertSkipped(unfit, native, "builder-(?:emulated|wrong-platform)");
    });

    it("because its certificate ended between two ups is named, and used again with a new certificate", async () => {
        const { world } = stack;
        const host = await world.network.addHost(`ends${process.pid % 1000}`);
        const tools = await loadTools();
        const authority = await tools.createAuthority("soon over");
        const { cert, key } = await tools.issue(authority, { commonName: "client", usage: "client" });
        const caFile = join(folder, "ca.pem");
        writeFileSync(caFile, authority.cert);
        const toolchain = await tools.ensureToolchain({ system: false, compile: false });
        const start = async (notAfter: Date): Promise<{ address: string; stop(): Promise<unknown> }> => {
            const names = { commonName: "builder", ipAddresses: [host.address], usage: "server" as const };
            const pair = await tools.issue(authority, { ...names, notAfter });
            return tools.startBuildkitd({
                binary: toolchain.bin("buildkitd"),
                dir: folder,
                platform: "linux/amd64",
                address: `tcp://${host.address}:1234`,
                tls: { caFile, ...tools.writeKeyPair(folder, "server", pair) },
                registries: { [world.registry]: { caFile: world.caFile } },
                netns: host.netns,
            });
        };
        const endsAt = Date.now() + 25_000;
        let daemon = await start(new Date(endsAt));
        try {
            const tls = { ca: authority.cert, cert, key };
            const endpoint = { platform: "linux/amd64", address: daemon.address, tls };
            stack.args = { platforms: ["linux/amd64"], builders: { endpoints: [endpoint] } };
            writeContext(stack.folder, "one");
            const { outputs } = await stack.up();
            const first: unknown = outputs["indexDigest"]?.value;
            await sleep(endsAt + 1_000 - Date.now());

            writeContext(stack.folder, "two");
            assert.match(await stack.upFails(), /\[builder-tls-expired\]/);
            assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), first, "the tag stays where it was");

            await daemon.stop();
            daemon = await start(new Date(Date.now() + 24 * 3_600_000));
            const { summary } = await stack.up();
            assert.deepEqual(summary.resourceChanges, { same: 2, update: 2 });
        } finally {
            await daemon.stop();
        }
    });

    it("because its disk fills up in the build is named with its disk, and another one builds the next time", async () => {
        const { world } = stack;
        const registries = [world.registry, world.mirror].flatMap((address) => {
            return address ? [`[registry.${JSON.stringify(address)}]`, `ca = [${JSON.stringify(world.caFile)}]`] : [];
        });
        const small = await startOnSmallDisk(
            world.network,
            folder,
            `full${process.pid % 1000}`,
            { tmpfs: "size=64m" },
            registries.join("\n"),
        );
        try {
            const { platform, address } = small.node;
            const endpoints: { platform: string; address: string; insecure?: true }[] = [
                { platform, address, insecure: true },
            ];
            writeContext(stack.folder, "big", "FROM scratch\nCOPY big.bin /\n");
            mkdirSync(join(stack.folder, "app"), { recursive: true });
            writeFileSync(join(stack.folder, "app", "big.bin"), "");
            truncateSync(join(stack.folder, "app", "big.bin"), 150_000_000);
            stack.args = { platforms: ["linux/amd64"], builders: { endpoints } };
            const printed = await stack.upFails();
            assert.match(printed, /the disk of the builder is full[^]*next: Free space there/);
            assert.ok(printed.includes(address));
            assert.doesNotMatch(printed, /retrying on|try \d+ failed/, "the same build would fill it again");
            assert.deepEqual(await stack.view.tags(stack.repository), []);

            const [good] = builders.all;
            assert.ok(good);
            stack.args = { platforms: ["linux/amd64"], builders: { endpoints: [good.endpoint] } };
            await stack.up();
            assert.deepEqual(await stack.view.tags(stack.repository), ["latest"]);
        } finally {
            await small.stop();
        }
    });
});
