import assert from "node:assert/strict";
import { parse } from "yaml";

import { renderUserData, userDataLimit, type HostSettings } from "../../../../sdk/builders/ec2/userData";
import { MultiArchError } from "../../../../sdk/errors";

const settings: HostSettings = {
    architecture: "arm64",
    region: "eu-central-1",
    tlsParameter: "/multiarch/prod/builder-arm64",
    cache: { volumeId: "vol-0123456789abcdef0", sizeGiB: 100 },
};

interface CloudConfig {
    readonly write_files: readonly { path: string; permissions?: string; content: string }[];
    readonly runcmd: readonly (readonly string[])[];
}

const render = (more: Partial<HostSettings> = {}): CloudConfig => {
    return parse(renderUserData({ ...settings, ...more })) as CloudConfig;
};

const fileOf = (config: CloudConfig, path: string): string => {
    const found = config.write_files.find((file) => file.path === path);
    assert.ok(found, path);
    return found.content;
};

const environmentOf = (config: CloudConfig): Record<string, string> => {
    const lines = fileOf(config, "/etc/multiarch/host.env").trimEnd().split("\n");
    return Object.fromEntries(lines.map((line) => /^(\w+)='(.*)'$/.exec(line)?.slice(1) as [string, string]));
};

describe("the user data of a builder's host", () => {
    it("is a cloud-config that writes these files, starts the units, and leaves room for more", () => {
        const text = renderUserData(settings);
        assert.ok(text.startsWith("#cloud-config\n"));
        assert.ok(Buffer.byteLength(text) < userDataLimit - 2_000, `${Buffer.byteLength(text)} bytes`);
        const config = parse(text) as CloudConfig;
        const scripts = ["common", "install", "mount", "tls", "prepare", "quarantine", "watch", "idle"];
        assert.deepEqual(
            config.write_files.map(({ path }) => path),
            [
                "/etc/multiarch/host.env",
                "/etc/multiarch/buildkitd.toml",
                "/etc/systemd/system/multiarch-buildkitd.service",
                "/etc/systemd/system/multiarch-tick.service",
                "/etc/systemd/system/multiarch-tick.timer",
                ...scripts.map((name) => `/usr/local/lib/multiarch/${name}.sh`),
            ],
        );
        for (const { path, permissions, content } of config.write_files) {
            assert.equal(permissions, path.endsWith(".sh") ? "0755" : undefined, path);
            assert.equal(
                content.startsWith("#!/bin/bash\n"),
                path.endsWith(".sh") && !path.endsWith("common.sh"),
                path,
            );
        }
        assert.deepEqual(config.runcmd, [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "multiarch-buildkitd.service", "multiarch-tick.timer"],
            ["systemctl", "start", "--no-block", "multiarch-buildkitd.service", "multiarch-tick.timer"],
        ]);
    });

    it("is the same for the same settings", () => {
        assert.equal(renderUserData({ ...settings }), renderUserData(settings));
    });

    it("tells the scripts what they need, with defaults for what is not given", () => {
        assert.deepEqual(environmentOf(render()), {
            REGION: "eu-central-1",
            TLS_PARAMETER: "/multiarch/prod/builder-arm64",
            SSM_ENDPOINT: "",
            CACHE_DEVICE: "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0",
            BUILDKIT_VERSION: "v0.31.1",
            BUILDKIT_URL:
                "https://github.com/moby/buildkit/releases/download/v0.31.1/buildkit-v0.31.1.linux-arm64.tar.gz",
            BUILDKIT_SHA256: "a4c9bef205f61c1e4253bdfd196e1db303aca25e8756105d75c6fddfbab7903f",
            STEP_BRIDGE: "buildkit0",
            MAX_PARALLELISM: "",
            IDLE_SECONDS: "900",
            DEAD_MAN_SECONDS: "43200",
        });
    });

    it("takes another release, from a mirror, and everything else that is given", () => {
        const sha256 = { amd64: "a".repeat(64) };
        const url = "https://mirror.example.com/buildkit/{version}/{architecture}.tgz";
        const given = environmentOf(
            render({
                architecture: "amd64",
                buildkit: { version: "v0.33.1", sha256, url },
                cache: { device: "/dev/sdf", sizeGiB: 10 },
                ssmEndpoint: "https://ssm.internal",
                idleMinutes: 5,
                deadManHours: 2,
                maxParallelism: 7,
            }),
        );
        assert.deepEqual(given, {
            REGION: "eu-central-1",
            TLS_PARAMETER: "/multiarch/prod/builder-arm64",
            SSM_ENDPOINT: "https://ssm.internal",
            CACHE_DEVICE: "/dev/sdf",
            BUILDKIT_VERSION: "v0.33.1",
            BUILDKIT_URL: "https://mirror.example.com/buildkit/v0.33.1/amd64.tgz",
            BUILDKIT_SHA256: "a".repeat(64),
            STEP_BRIDGE: "buildkit0",
            MAX_PARALLELISM: "7",
            IDLE_SECONDS: "300",
            DEAD_MAN_SECONDS: "7200",
        });
    });

    it("gives the daemon one platform, mutual TLS, a bridge for steps, loopback for metrics, and part of the volume", () => {
        const more = { port: 4321, mirrors: { "docker.io": ["mirror.example.com"] }, extraToml: "[dns]\noptions = []" };
        const toml = fileOf(render(more), "/etc/multiarch/buildkitd.toml");
        for (const line of [
            'platforms = ["linux/arm64"]',
            'address = ["tcp://0.0.0.0:4321","unix:///run/buildkit/buildkitd.sock"]',
            'debugAddress = "127.0.0.1:6060"',
            'ca = "/run/multiarch/tls/ca.pem"',
            'cert = "/run/multiarch/tls/cert.pem"',
            'key = "/run/multiarch/tls/key.pem"',
            'networkMode = "bridge"',
            'maxUsedSpace = "76800MB"',
            'minFreeSpace = "15360MB"',
            '[registry."docker.io"]',
            'mirrors = ["mirror.example.com"]',
            "[dns]",
        ]) {
            assert.ok(toml.split("\n").includes(line), `${line} is missing in\n${toml}`);
        }
        assert.doesNotMatch(toml, /insecure/);
    });

    it("looks whether anything is built more often the shorter the limit is", () => {
        const timer = (idleMinutes: number): string | undefined => {
            const unit = fileOf(render({ idleMinutes }), "/etc/systemd/system/multiarch-tick.timer");
            return /^OnUnitInactiveSec=(.*)$/m.exec(unit)?.[1];
        };
        assert.deepEqual([0.1, 1, 15].map(timer), ["1s", "15s", "30s"]);
    });

    const wrong: { title: string; more: Partial<HostSettings>; property: string }[] = [
        {
            title: "a release without a sum for the architecture",
            more: { buildkit: { version: "v0.33.1", sha256: { amd64: "a".repeat(64) } } },
            property: "buildkit.sha256.arm64",
        },
        {
            title: "a sum that is none",
            more: { buildkit: { version: "v0.33.1", sha256: { arm64: "abc" } } },
            property: "buildkit.sha256.arm64",
        },
        {
            title: "a mirror with a password",
            more: { buildkit: { version: "v1.0.0", sha256: { arm64: "a".repeat(64) }, url: "https://u:secret@x/y" } },
            property: "buildkit.url",
        },
        { title: "no volume", more: { cache: { sizeGiB: 10 } }, property: "cache" },
        {
            title: "two volumes",
            more: { cache: { volumeId: "vol-0", device: "/dev/x", sizeGiB: 10 } },
            property: "cache",
        },
        {
            title: "an id of something else",
            more: { cache: { volumeId: "i-0", sizeGiB: 10 } },
            property: "cache.volumeId",
        },
        {
            title: "a path that is no device",
            more: { cache: { device: "sdf", sizeGiB: 10 } },
            property: "cache.device",
        },
        { title: "a tiny volume", more: { cache: { device: "/dev/sdf", sizeGiB: 2 } }, property: "cache.sizeGiB" },
        { title: "a name with a quote", more: { tlsParameter: "/a'b" }, property: "tlsParameter" },
        { title: "a region with a space", more: { region: "eu central" }, property: "region" },
        { title: "a port out of range", more: { port: 70_000 }, property: "port" },
        { title: "no time at all", more: { idleMinutes: 0 }, property: "idleMinutes" },
        { title: "a limit below the idle time", more: { idleMinutes: 120, deadManHours: 1 }, property: "deadManHours" },
        { title: "half a step", more: { maxParallelism: 0.5 }, property: "maxParallelism" },
        { title: "an endpoint that is none", more: { ssmEndpoint: "ssm" }, property: "ssmEndpoint" },
    ];
    for (const { title, more, property } of wrong) {
        it(`is refused for ${title}, by the name of the setting and without its value`, () => {
            const isRefusal = (error: unknown): boolean => {
                assert.ok(error instanceof MultiArchError);
                assert.equal(error.code, "builder-host-settings");
                assert.equal(error.fields.property, property);
                assert.doesNotMatch(error.message, /secret/);
                return true;
            };
            assert.throws(() => render(more), isRefusal);
        });
    }

    it("is refused when it gets longer than EC2 takes", () => {
        const refusal = { code: "builder-host-settings", message: /EC2 takes 16384[^]*Shorten extraToml or mirrors/ };
        assert.throws(() => render({ extraToml: "# long\n".repeat(600) }), refusal);
    });
});
