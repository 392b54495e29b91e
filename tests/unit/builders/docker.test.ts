import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createDockerBuilderArgv } from "../../../sdk/build/builderArgv";
import { splitFrames } from "../../../sdk/builders/containerLog";
import { findSocket, resolveDocker } from "../../../sdk/builders/dockerContext";
import { explainDocker, failedToStart } from "../../../sdk/builders/dockerErrors";
import { containerName } from "../../../sdk/builders/dockerSettings";
import type { BuilderNode } from "../../../sdk/builders/node";
import { MultiArchError } from "../../../sdk/errors";
import { writeDockerContext } from "../../support/dockerHost";

const node: BuilderNode = {
    name: "docker context in use",
    address: "docker context in use",
    platform: "linux/amd64",
    docker: {},
    emulation: "never",
    property: "builders.docker[0]",
};

describe("a container on a Docker daemon", () => {
    const stored = { Name: "x", DriverOpts: { image: "a", network: "host" }, Files: { "buildkitd.toml": "YQ==" } };

    it("is made with a fixed image, does not start by itself, and takes options as they are", () => {
        const settings = { network: "host", options: { "env.NO_PROXY": "a,b", memory: "4g" } };
        const place = { endpoint: "team", config: "buildkitd.toml", platform: "linux/amd64" };
        assert.deepEqual(createDockerBuilderArgv("name", settings, place), [
            ...["create", "--name", "name", "--driver", "docker-container"],
            "--driver-opt",
            'restart-policy=no,"env.NO_PROXY=a,b",memory=4g,image=moby/buildkit:v0.31.1,network=host',
            ...["--buildkitd-config", "buildkitd.toml", "--platform", "linux/amd64", "--", "team"],
        ]);
    });

    it("has a name that is the same for equal settings, and another one for others", () => {
        const name = containerName({}, stored);
        assert.match(name, /^multiarch-[0-9a-f]{10}$/);
        assert.equal(containerName({}, { ...stored, Name: "y", DriverOpts: { network: "host", image: "a" } }), name);
        assert.notEqual(containerName({}, { ...stored, Files: { "buildkitd.toml": "Yg==" } }), name);
        assert.notEqual(containerName({}, { ...stored, DriverOpts: { image: "b", network: "host" } }), name);
        assert.match(containerName({ name: "team" }, stored), /^team-/);
    });

    it("has a log of frames", () => {
        const frame = (text: string): Buffer => {
            const head = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
            head.writeUInt32BE(Buffer.byteLength(text), 4);
            return Buffer.concat([head, Buffer.from(text)]);
        };
        assert.deepEqual(splitFrames(Buffer.concat([frame("one\n"), frame("zwölf\n")])), ["one\n", "zwölf\n"]);
        assert.deepEqual(splitFrames(Buffer.from("cut")), []);
    });
});

describe("the daemon of a Docker context", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "docker-config-"));
        writeDockerContext(folder, "team", "ssh://build@host");
        writeDockerContext(folder, "here", "unix:///run/other.sock");
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
    });

    const resolve = (settings: object, env: object = {}) => {
        return resolveDocker(node, settings, { DOCKER_CONFIG: folder, ...env });
    };

    it("is the one in use, in docker's own order", async () => {
        assert.equal(await resolve({}), "default");
        writeFileSync(join(folder, "config.json"), JSON.stringify({ currentContext: "team" }));
        assert.equal(await resolve({}), "team");
        assert.equal(await resolve({}, { DOCKER_CONTEXT: "here" }), "here");
        assert.equal(await resolve({}, { DOCKER_CONTEXT: "here", DOCKER_HOST: "unix:///x" }), "default");
        assert.equal(await resolve({ context: "team" }, { DOCKER_HOST: "unix:///x" }), "team");
        assert.equal(await resolve({ host: "ssh://host" }, { DOCKER_CONTEXT: "gone" }), "ssh://host");
    });

    it("is on a socket of this machine, or elsewhere", async () => {
        const env = { DOCKER_CONFIG: folder };
        assert.equal(await findSocket({}, env), "/var/run/docker.sock");
        assert.equal(await findSocket({}, { ...env, DOCKER_HOST: "unix:///x" }), "/x");
        assert.equal(await findSocket({ context: "here" }, env), "/run/other.sock");
        assert.equal(await findSocket({ context: "team" }, env), undefined);
        assert.equal(await findSocket({ host: "unix:///y" }, env), "/y");
    });

    it("is refused when there is no such context, with those there are, or when TLS comes from the environment", async () => {
        const refusal = async (settings: object, env: object = {}): Promise<MultiArchError> => {
            const error: unknown = await resolve(settings, env).catch((reason: unknown) => reason);
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-docker-context");
            return error;
        };
        const unknown = await refusal({ context: "nobodys" });
        assert.equal(unknown.fields.what, "there is no docker context nobodys: there is default, here, team");
        assert.equal(unknown.fields.property, "builders.docker[0].context");
        mkdirSync(join(folder, "contexts", "meta", "broken"));
        assert.equal((await refusal({}, { DOCKER_CONTEXT: "gone" })).fields.property, "builders.docker[0]");
        const tls = { DOCKER_HOST: "tcp://host:2376", DOCKER_TLS_VERIFY: "1" };
        assert.match((await refusal({}, tls)).message, /docker context create/);
    });
});

/** The texts are what buildx 0.35 wrote in these cases. */
describe("the failure of a builder on a Docker daemon", () => {
    const codeOf = (stderrTail: string): string => explainDocker(node, { stdout: "", stderrTail }).code;
    const begin = "ERROR: failed to initialize builder a (a0): ";
    const boot = "#1 [internal] booting buildkit\n#1 pulling image moby/buildkit:v0 0.1s done\n";
    const create = `${boot}#1 creating container buildx_buildkit_a-1\n`;

    const cases: [string, string, string][] = [
        [
            "a socket that is not this user's",
            `${begin}permission denied while trying to connect to the docker API at unix:///var/run/docker.sock`,
            "builder-docker-denied",
        ],
        [
            "a closed port",
            `${begin}Cannot connect to the Docker daemon at tcp://h:9. Is it running?`,
            "builder-docker-unreachable",
        ],
        [
            "a host that ssh does not reach",
            `${begin}error during connect: Get "http://d/_ping": command [ssh -l u -- h docker system dial-stdio] has exited`,
            "builder-docker-unreachable",
        ],
        [
            "an unknown option",
            `${begin}invalid driver option bogus for docker-container driver`,
            "builder-docker-settings",
        ],
        [
            "a registry that the daemon does not reach",
            `${boot}#1 ERROR: Error response from daemon: Get "http://r/v2/": dial tcp: connect: connection refused\nERROR: Error response from daemon: Get "http://r/v2/": dial tcp: connect: connection refused`,
            "builder-docker-image",
        ],
        [
            "an unknown network",
            `${create}ERROR: Error response from daemon: network x not found`,
            "builder-docker-start",
        ],
        [
            "a daemon that ended in between",
            `${create}ERROR: Cannot connect to the Docker daemon at unix:///x.`,
            "builder-docker-unreachable",
        ],
    ];

    for (const [title, text, code] of cases) {
        it(`over ${title} is ${code}`, () => {
            assert.equal(codeOf(text), code);
        });
    }

    it("shows the log of a container that did not start, and where it is when it cannot be read", () => {
        const output = { stdout: "", stderrTail: `${create}ERROR: exit code 1` };
        assert.deepEqual(failedToStart(output), { container: "buildx_buildkit_a-1", wasThere: false });
        assert.equal(failedToStart({ stdout: "", stderrTail: boot }), undefined);
        const log = [
            'buildkitd: unknown snapshotter name: "x"',
            "main.main",
            'buildkitd: unknown snapshotter name: "x"',
        ];
        assert.deepEqual(explainDocker(node, output, log).fields.lines, [log[0]]);
        assert.match(explainDocker(node, output, "docker logs a-1").message, /next: .*docker logs a-1/);
    });
});
