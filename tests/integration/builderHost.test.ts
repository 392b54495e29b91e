import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeBuildkitdConfig, type BuildkitdSettings } from "../../sdk/builders/buildkitdConfig";
import type { Host } from "../support/network";
import { loadTools } from "../support/toolLibrary";
import { runTool } from "../support/tools";
import { getWorld } from "../support/world";

interface Rule {
    readonly all: boolean;
    readonly filter: readonly string[] | null;
    readonly keepDuration: number;
    readonly reservedSpace: number;
    readonly maxUsedSpace: number;
    readonly minFreeSpace: number;
}

/**
 * The recommended configuration, read by a real daemon: that it starts with it, and what it makes of the rules. The
 * network mode is `host` here: the programs that `bridge` needs come with a release of BuildKit only. The unit is not
 * tried here, since there is no systemd.
 */
describe("the recommended buildkitd.toml", () => {
    let folder = "";
    let host: Host;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "builder-host-"));
        host = await (await getWorld()).network.addHost("recommended");
    });

    after(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    /** Starts a daemon with a configuration, and asks it for the rules of its worker. */
    async function readRules(name: string, config: string): Promise<{ rules: Rule[]; labels: object }> {
        const { ensureToolchain, startDaemon, listensOn } = await loadTools();
        const toolchain = await ensureToolchain({ system: false, compile: false });
        const configFile = join(folder, `${name}.toml`);
        writeFileSync(configFile, config);
        const daemon = await startDaemon({
            name,
            dir: folder,
            argv: [
                toolchain.bin("buildkitd"),
                "--config",
                configFile,
                "--otel-socket-path",
                join(folder, `${name}.sock`),
            ],
            netns: host.netns,
            isReady: (pid: number) => listensOn(pid, 1234),
        });
        try {
            const args = ["--addr", `tcp://${host.address}:1234`, "debug", "workers", "--format", "{{json .}}"];
            const text = await runTool(toolchain.bin("buildctl"), args);
            const [worker] = JSON.parse(text) as { gcPolicy: Rule[]; labels: object }[];
            assert.ok(worker);
            return { rules: worker.gcPolicy, labels: worker.labels };
        } finally {
            await daemon.stop();
        }
    }

    it("is taken as it is, and keeps cache mounts where the daemon's own rules would not", async () => {
        const { findOnPath } = await loadTools();
        const settings: BuildkitdSettings = {
            volumeBytes: 200 * 2 ** 30,
            cores: 8,
            addresses: [`tcp://${host.address}:1234`],
            networkMode: "host",
            platforms: ["linux/amd64"],
            mirrors: { "docker.io": ["mirror.example.com:5000"] },
            labels: { 'team "a"': "images" },
            root: join(folder, "root"),
            runtime: findOnPath("runc"),
        };
        const { rules, labels } = await readRules("recommended", writeBuildkitdConfig(settings));
        const MiB = 2 ** 20;
        const limits = { reservedSpace: 20_480 * MiB, maxUsedSpace: 153_600 * MiB, minFreeSpace: 30_720 * MiB };
        const none = { reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 };
        const half = { ...none, maxUsedSpace: 76_800 * MiB };
        const hour = 3_600e9;
        const seen = rules.map(({ all, filter, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace }) => {
            return { all, filter: filter ?? [], keepDuration, reservedSpace, maxUsedSpace, minFreeSpace };
        });
        assert.deepEqual(seen, [
            {
                all: false,
                filter: ["type==source.local", "type==source.git.checkout"],
                keepDuration: 48 * hour,
                ...half,
            },
            { all: false, filter: ["type==exec.cachemount"], keepDuration: 720 * hour, ...half },
            { all: false, filter: ["type!=exec.cachemount"], keepDuration: 0, ...limits },
            { all: false, filter: [], keepDuration: 0, ...limits },
            { all: true, filter: [], keepDuration: 0, ...limits },
        ]);
        assert.equal((labels as Record<string, string>)['team "a"'], "images");

        // What a daemon does without rules of its own: mounts that were not used for two days, from 512 MB on.
        const own = [
            `root = ${JSON.stringify(join(folder, "own"))}`,
            "[grpc]",
            `address = ["tcp://${host.address}:1234"]`,
            "[worker.oci]",
            "enabled = true",
            `binary = ${JSON.stringify(findOnPath("runc") ?? "runc")}`,
        ].join("\n");
        const [first] = (await readRules("own", own)).rules;
        assert.ok(first);
        assert.ok(first.filter?.includes("type==exec.cachemount"));
        assert.deepEqual([first.keepDuration, first.maxUsedSpace], [48 * hour, 512e6]);
    });
});
