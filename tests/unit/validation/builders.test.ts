import assert from "node:assert/strict";

import { findComponentProblems } from "../../../sdk/validation/component";
import { findPlatformImageProblems } from "../../../sdk/validation/platformImage";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const problemsOf = (builders: unknown, more: object = {}): string[] => {
    const inputs = {
        platforms: ["linux/amd64", "linux/arm64"],
        repository: "registry.example.com/app",
        builders,
        ...more,
    };
    return findComponentProblems(inputs).map(({ property, reason }) => `${property}: ${reason}`);
};

describe("the checks of builders", () => {
    const endpoint = { platform: "linux/arm64", address: "ssh://host" };

    it("take mixes of all kinds, and what is not known yet", () => {
        assert.deepEqual(problemsOf({ docker: [{}] }), []);
        assert.deepEqual(problemsOf({ endpoints: [endpoint], docker: [{ platforms: ["linux/amd64"] }] }), []);
        assert.deepEqual(
            problemsOf({ endpoints: [endpoint], named: [{ name: "team", platforms: ["linux/amd64"] }] }),
            [],
        );
        assert.deepEqual(problemsOf({ docker: [{ platforms: [unknown] }] }), []);
        assert.deepEqual(problemsOf({ docker: unknown }), []);
        const settings = {
            host: "ssh://me@host",
            image: "r:5/a/b:1@sha256:0",
            config: { inline: "" },
            options: { "env.A": "b" },
        };
        assert.deepEqual(problemsOf({ docker: [settings] }), []);
    });

    it("want a kind, and a builder for each platform", () => {
        assert.deepEqual(problemsOf({}), ["builders: must have at least one of endpoints, docker, named, ec2, nodes"]);
        const rest = "Add one, or take the platform off platforms";
        assert.deepEqual(problemsOf({ docker: [{ platforms: ["linux/amd64"] }] }), [
            `builders.docker: has no builder for linux/arm64. ${rest}`,
        ]);
        assert.deepEqual(problemsOf({ endpoints: [endpoint], named: [] }), [
            `builders: has no builder for linux/amd64. ${rest}`,
        ]);
    });

    it("give a fleet on EC2 the platforms that no other builder names, and check it by the same rules as one of its own", () => {
        const subnetId = "subnet-0a";
        assert.deepEqual(problemsOf({ ec2: { subnetId } }), []);
        assert.deepEqual(problemsOf({ ec2: { subnetId }, endpoints: [endpoint] }), []);
        // Only what is built there has to be there.
        const buildkit = { version: "v0.33.1", sha256: { amd64: "a".repeat(64) } };
        assert.deepEqual(problemsOf({ ec2: { subnetId, buildkit }, endpoints: [endpoint] }), []);
        assert.deepEqual(problemsOf({ ec2: { subnetId, idleMinutes: 0, maxParallelism: 0 }, docker: unknown }), [
            "builders.ec2.idleMinutes: has to be a number of minutes above 0",
            "builders.ec2.maxParallelism: must be a whole number between 1 and 1000",
        ]);
        assert.match(problemsOf({ ec2: {} }).join(), /^builders\.ec2\.subnetId: is required, or subnetIds/);
        assert.match(
            problemsOf({ ec2: { subnetId, market: "spot" } }).join(),
            /^builders\.ec2\.market: is not an input/,
        );
        const both = [endpoint, { ...endpoint, platform: "linux/amd64" }];
        assert.match(problemsOf({ ec2: { subnetId }, endpoints: both }).join(), /^builders\.ec2: has nothing to build/);
        const other = problemsOf({ ec2: { subnetId } }, { platforms: ["linux/amd64", "linux/s390x"] });
        assert.match(other.join(), /^builders\.ec2: has no builder for linux\/s390x/);
    });

    it("tell everything that is wrong with a container at once", () => {
        const docker = {
            context: "a b",
            host: "tcp://host:2375",
            platforms: ["linux/armm64"],
            image: "a b",
            network: "",
            config: {},
            options: { image: "x", "Not one": "y" },
            name: "-x",
        };
        const found = problemsOf({ docker: [docker, {}], named: [{ name: "a/b", platforms: [] }] });
        assert.deepEqual(
            found.map((text) => text.split(": ")[0]),
            [
                "builders.docker[0]",
                ...["context", "host", "image", "network", "name", "config"].map(
                    (name) => `builders.docker[0].${name}`,
                ),
                "builders.docker[0].options.image",
                'builders.docker[0].options["Not one"]',
                "builders.docker[0].platforms[0]",
                "builders.named[0].name",
                "builders.named[0].platforms",
            ],
        );
    });

    const instanceId = "i-0123456789abcdef0";
    const ec2 = { instanceId, region: "eu-central-1" };
    const tls = { ca: "", cert: "", key: "" };
    const sleeper = { platform: "linux/arm64", ec2, tls, serverName: "buildkit.internal" };

    it("take nodes, of EC2 and of others", () => {
        const nodes = [sleeper, { platform: "linux/amd64", named: "team" }];
        assert.deepEqual(problemsOf({ nodes }), []);
        assert.deepEqual(problemsOf({ nodes: [{ ...sleeper, ec2: unknown }], docker: [{}] }), []);
        assert.deepEqual(problemsOf({ nodes: unknown }), []);
        const override = (builder: string) =>
            problemsOf({ nodes }, { platformOverrides: { "linux/arm64": { builder } } });
        assert.deepEqual(override(instanceId), []);
        assert.equal(override("i-0").length, 1);
    });

    it("tell everything that is wrong with an instance at once", () => {
        const wrong = { instanceId: "arm64", region: "Frankfurt", port: 0, addressKind: "any" };
        const found = (node: object) => problemsOf({ nodes: [{ ...sleeper, ...node }], docker: [{}] });
        const { addressKind, ...others } = wrong;
        assert.deepEqual(
            [...found({ ec2: others }), ...found({ ec2: { ...ec2, addressKind } })].map((text) => text.split(": ")[0]),
            ["instanceId", "region", "port", "addressKind"].map((name) => `builders.nodes[0].ec2.${name}`),
        );
        const open = { platform: "linux/arm64", ec2 };
        assert.match(problemsOf({ nodes: [open], docker: [{}] }).join(), /^builders\.nodes\[0\]\.tls: is required/);
        assert.deepEqual(problemsOf({ nodes: [{ ...open, insecure: true }], docker: [{}] }), []);
        assert.match(problemsOf({ nodes: [{ ...open, tls }], docker: [{}] }).join(), /serverName: is required for ec2/);
    });

    it("know the builders of platformOverrides by name", () => {
        const builders = { endpoints: [endpoint], named: [{ name: "team" }], docker: [{ context: "here" }] };
        const override = (builder: string) =>
            problemsOf(builders, { platformOverrides: { "linux/amd64": { builder } } });
        assert.deepEqual(override("team"), []);
        assert.deepEqual(override("here"), []);
        assert.deepEqual(override("ssh://host"), [
            'platformOverrides["linux/amd64"].builder: is none of the builders for linux/amd64. They are here, team',
        ]);
    });

    it("want one kind for each node of a PlatformImage", () => {
        const nodes = [
            { platform: "linux/amd64" },
            { platform: "linux/amd64", named: "a", docker: {} },
            { platform: "linux/amd64", named: "a b" },
        ];
        const inputs = { platform: "linux/amd64", repository: "registry.example.com/app", nodes };
        const kinds = "must have exactly one of address, docker, named, ec2";
        assert.deepEqual(
            findPlatformImageProblems(inputs).map(({ property, reason }) => `${property}: ${reason}`),
            [
                `nodes[0]: ${kinds}`,
                `nodes[1]: ${kinds}`,
                "nodes[2]: must begin with a letter, and hold only letters, digits, dots, - and _",
            ],
        );
    });
});
