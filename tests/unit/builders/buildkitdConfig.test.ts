import assert from "node:assert/strict";

import { writeBuildkitdConfig, type BuildkitdSettings } from "../../../sdk/builders/buildkitdConfig";
import { writeBuildkitdUnit } from "../../../sdk/builders/buildkitdUnit";
import { parseSize, shareOut } from "../../../sdk/builders/volume";
import { MultiArchError } from "../../../sdk/errors";
import { runIn } from "../cli/runConvert";

// That a real buildkitd takes these texts is shown in tests/integration/builderHost.test.ts.

const header = `# buildkitd.toml for a builder of pulumi-multiarch.
# Sizes are computed for the volume of \`root\`: change them when it grows.
`;

const limits = `reservedSpace = "20480MB"
maxUsedSpace = "153600MB"
minFreeSpace = "30720MB"
`;

const rules = `[[worker.oci.gcpolicy]]
filters = [ "type==source.local", "type==source.git.checkout" ]
keepDuration = "48h"
maxUsedSpace = "76800MB"

[[worker.oci.gcpolicy]]
filters = [ "type==exec.cachemount" ]
keepDuration = "720h"
maxUsedSpace = "76800MB"

[[worker.oci.gcpolicy]]
filters = [ "type!=exec.cachemount" ]
${limits}
[[worker.oci.gcpolicy]]
${limits}
[[worker.oci.gcpolicy]]
all = true
${limits}`;

const plain: BuildkitdSettings = { volumeBytes: 200 * 2 ** 30, cores: 8 };

function refusal(settings: Partial<BuildkitdSettings>): string {
    try {
        writeBuildkitdConfig({ ...plain, ...settings });
    } catch (error) {
        assert.ok(error instanceof MultiArchError && error.code === "input-invalid");
        return error.fields.what;
    }
    return assert.fail("it was written");
}

describe("the configuration of a builder's host", () => {
    it("is this for a volume and cores", () => {
        const expected = `${header}
root = "/var/lib/buildkit"

[grpc]
address = [ "tcp://0.0.0.0:1234", "unix:///run/buildkit/buildkitd.sock" ]
debugAddress = "127.0.0.1:6060"

[worker.oci]
enabled = true
networkMode = "bridge"
max-parallelism = 8
gc = true

${rules}
[worker.containerd]
enabled = false
`;
        assert.equal(writeBuildkitdConfig(plain), expected);
    });

    it("is this with everything", () => {
        const settings: BuildkitdSettings = {
            ...plain,
            addresses: ["tcp://10.0.0.7:1234"],
            tls: {
                ca: "/etc/buildkit/tls/ca.pem",
                cert: "/etc/buildkit/tls/cert.pem",
                key: "/etc/buildkit/tls/key.pem",
            },
            networkMode: "host",
            platforms: ["linux/arm64"],
            maxParallelism: 3,
            mirrors: { "docker.io": ["mirror.example.com:5000", "other.example.com"] },
            registryCas: { "docker.io": ["/ca/hub.pem"], "registry.example.com:5000": ["/ca/own.pem"] },
            root: "/data/build kit",
            debugAddress: "[::1]:7070",
            labels: { 'team "a"': "images" },
            runtime: "/usr/sbin/runc",
        };
        const expected = `${header}
root = "/data/build kit"

[grpc]
address = [ "tcp://10.0.0.7:1234" ]
debugAddress = "[::1]:7070"

[grpc.tls]
ca = "/etc/buildkit/tls/ca.pem"
cert = "/etc/buildkit/tls/cert.pem"
key = "/etc/buildkit/tls/key.pem"

[worker.oci]
enabled = true
binary = "/usr/sbin/runc"
platforms = [ "linux/arm64" ]
networkMode = "host"
max-parallelism = 3
gc = true

${rules}
[worker.oci.labels]
"team \\"a\\"" = "images"

[worker.containerd]
enabled = false

[registry."docker.io"]
mirrors = [ "mirror.example.com:5000", "other.example.com" ]
ca = [ "/ca/hub.pem" ]

[registry."registry.example.com:5000"]
ca = [ "/ca/own.pem" ]
`;
        assert.equal(writeBuildkitdConfig(settings), expected);
    });

    it("leaves room between what the cache keeps and what has to stay free, on every volume", () => {
        for (const gibibytes of [10, 11, 50, 200, 1000, 16_000]) {
            const { maxUsed, minFree, reserved } = shareOut(gibibytes * 2 ** 30);
            assert.ok(maxUsed + minFree <= gibibytes * 1024 * 0.9 + 1, `${gibibytes} GiB`);
            assert.ok(reserved < maxUsed && reserved > 0);
        }
    });

    it("lets two steps run at once on one core", () => {
        assert.match(writeBuildkitdConfig({ ...plain, cores: 1 }), /^max-parallelism = 2$/m);
    });

    it("refuses what makes no sense", () => {
        assert.match(refusal({ volumeBytes: 9 * 2 ** 30 }), /10 GiB or more/);
        assert.match(refusal({ volumeBytes: NaN }), /10 GiB or more/);
        assert.match(refusal({ cores: 0 }), /cores has to be a whole number/);
        assert.match(refusal({ maxParallelism: 1.5 }), /maxParallelism has to be a whole number/);
        for (const debugAddress of ["0.0.0.0:6060", ":6060", "10.0.0.7:6060", "127.0.0.1.example.com:6060"]) {
            assert.match(refusal({ debugAddress }), /loopback/, debugAddress);
        }
    });

    it("knows sizes by their units", () => {
        assert.equal(parseSize("200GiB"), 200 * 2 ** 30);
        assert.equal(parseSize("1.5 TB"), 1.5e12);
        assert.equal(parseSize("1024"), 1024);
        for (const text of ["", "GiB", "10 gallons", "-5GB", "10gb", "1e3GB", "5constructor"]) {
            assert.throws(() => parseSize(text), /is no size/, text);
        }
    });
});

describe("the unit of a builder's host", () => {
    it("is this", () => {
        const expected = `[Unit]
Description=BuildKit
Documentation=https://github.com/moby/buildkit
Wants=network-online.target
After=network-online.target
RequiresMountsFor=/var/lib/buildkit

[Service]
Type=notify
ExecStart=/usr/local/bin/buildkitd --config /etc/buildkit/buildkitd.toml
Restart=always
RestartSec=2
# The first signal lets builds end and takes no new ones. Nobody but the daemon is told: its steps go on until then.
KillMode=mixed
TimeoutStopSec=3600
# The kernel ends a step that takes too much memory. The daemon, and the builds of others, go on.
OOMPolicy=continue
OOMScoreAdjust=-500
# Steps have groups of their own below the unit's.
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=0

[Install]
WantedBy=multi-user.target
`;
        assert.equal(writeBuildkitdUnit(), expected);
    });

    it("keeps paths from being read as anything else", () => {
        const unit = writeBuildkitdUnit({ program: "/opt/100%/$b k", config: "/c.toml", root: "/d", stopSeconds: 60 });
        assert.match(unit, /^ExecStart="\/opt\/100%%\/\$\$b k" --config \/c\.toml$/m);
        assert.match(unit, /^RequiresMountsFor=\/d$/m);
        assert.match(unit, /^TimeoutStopSec=60$/m);
    });
});

describe("the command buildkitd-config", () => {
    const run = (...args: string[]) => runIn("/", ["buildkitd-config", ...args]);

    it("prints the configuration, with TLS unless told otherwise", async () => {
        const folder = "/etc/buildkit/tls";
        const tls = { ca: `${folder}/ca.pem`, cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
        const plainArgs = ["--volume-size", "200GiB", "--cores", "8"];
        assert.deepEqual(await run(...plainArgs), {
            status: 0,
            stdout: writeBuildkitdConfig({ ...plain, tls }),
            stderr: "",
        });
        const { stdout } = await run(...plainArgs, "--insecure", "--mirror", "docker.io=a", "--mirror", "docker.io=b");
        assert.equal(stdout, writeBuildkitdConfig({ ...plain, mirrors: { "docker.io": ["a", "b"] } }));
    });

    it("prints the unit", async () => {
        const { status, stdout } = await run("--unit", "--root", "/data", "--stop-seconds", "60");
        assert.equal(status, 0);
        assert.equal(stdout, writeBuildkitdUnit({ root: "/data", stopSeconds: 60 }));
    });

    for (const [args, text] of [
        [[], /--volume-size and --cores are needed/],
        [["--volume-size", "5GiB", "--cores", "2"], /10 GiB or more/],
        [["--volume-size", "big", "--cores", "2"], /"big" is no size/],
        [["--volume-size", "50GiB", "--cores", "two"], /--cores has to be a whole number/],
        [["--volume-size", "50GiB", "--cores", "2", "--mirror", "docker.io"], /NAME=VALUE/],
        [["--volume-size", "50GiB", "--cores", "2", "--network-mode", "none"], /bridge, host/],
        [["--volume-size", "50GiB", "--cores", "2", "--program", "/b"], /--program is for --unit/],
        [["--unit", "--cores", "2"], /--cores is for the configuration/],
        [["--unit", "--insecure"], /--insecure is for the configuration/],
    ] as const) {
        it(`ends with status 2 for ${args.join(" ") || "nothing"}`, async () => {
            const { status, stdout, stderr } = await run(...args);
            assert.deepEqual([status, stdout], [2, ""]);
            assert.match(stderr, text);
        });
    }
});
