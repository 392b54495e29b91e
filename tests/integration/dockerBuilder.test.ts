import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

import { MultiArchError, type BuildReport, type MultiArchImageArgs } from "../../sdk";
import type { DockerSettings } from "../../sdk/builders/dockerSettings";
import type { BuilderNode } from "../../sdk/builders/node";
import { preflight } from "../../sdk/builders/preflight";
import { privateDockerConfig } from "../../sdk/registry/dockerConfig";
import { startDockerHost, writeDockerContext, type DockerHost } from "../support/dockerHost";
import { writeContext } from "../support/images";
import { createImageStack, useImageStack, type ImageStack } from "../support/imageStack";
import { getWorld, type World } from "../support/world";

const native = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
const foreign = native === "linux/amd64" ? "linux/arm64" : "linux/amd64";

/** BuildKit in a container of a real Docker daemon, on a host of its own. Rules 5 and 6 for this kind of builder. */
describe("a builder on a Docker daemon", () => {
    const stack = useImageStack();
    let world: World;
    let docker: DockerHost;

    before(async () => {
        world = await getWorld();
        docker = await startDockerHost(world, "docker");
    });

    after(() => docker.remove());

    const settings = (more: DockerSettings = {}): DockerSettings => {
        return {
            host: docker.address,
            image: docker.image,
            network: "host",
            config: { inline: docker.config },
            ...more,
        };
    };

    /** One platform by the Docker daemon in a context, the other one by an endpoint. */
    const mixed = (): MultiArchImageArgs["builders"] => {
        const { host, ...others } = settings({ context: "team-docker" });
        assert.ok(host);
        const { endpoint } = foreign === "linux/arm64" ? world.builders.arm64 : world.builders.amd64;
        return { endpoints: [endpoint], docker: [others] as never };
    };

    const buildsOf = ({ outputs }: Awaited<ReturnType<ImageStack["up"]>>): Record<string, BuildReport> => {
        return outputs["builds"]?.value as Record<string, BuildReport>;
    };

    it("builds what no other builder names, and is kept with its cache; on this machine nothing is left", async () => {
        const home = stack.env["HOME"] ?? "";
        const leftOver = (): string[] => {
            const names = readdirSync(home, { recursive: true }).map(String);
            return names.filter((name) => !name.startsWith(".pulumi") && !/^pulumi-multiarch-\d+$/.test(name));
        };
        const dockerConfig = stack.env["DOCKER_CONFIG"] ?? "";
        writeDockerContext(dockerConfig, "team-docker", docker.address);
        stack.args = { builders: mixed() };
        const dockerfile = "FROM scratch\nCOPY content.txt /\nCOPY other.txt* /\n";
        writeContext(stack.folder, "one", dockerfile);

        const first = await stack.up();
        const { [native]: own, [foreign]: other } = buildsOf(first);
        assert.equal(own?.builder, "docker context team-docker");
        assert.match(own.builderVersion, /^v\d+\.\d+/);
        assert.match(other?.builder ?? "", /^tcp:/);
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms.sort(), ["linux/amd64", "linux/arm64"]);
        const [container, ...more] = await docker.containers();
        assert.deepEqual(more, []);
        assert.match(container?.name ?? "", /^buildx_buildkit_multiarch-[0-9a-f]{10}$/);
        assert.equal(container?.state, "running");
        assert.deepEqual(await docker.volumes(), [`${container.name}_state`]);
        assert.deepEqual(leftOver(), []);
        assert.deepEqual(readdirSync(dockerConfig), ["contexts"]);

        // A container that somebody has stopped is started again, and still has what it built before.
        await docker.stopContainer(container.name);
        writeContext(stack.folder, "one", `${dockerfile}LABEL second=yes\n`);
        const second = await stack.up();
        const cached = buildsOf(second)[native];
        assert.ok((cached?.cachedSteps ?? 0) >= 1, JSON.stringify(cached));
        assert.deepEqual(await docker.containers(), [container]);

        // Another builder for the same content builds nothing.
        stack.args = {};
        const third = await stack.up();
        assert.equal(third.outputs["indexDigest"]?.value, second.outputs["indexDigest"]?.value);
        assert.deepEqual(buildsOf(third), buildsOf(second));
    });

    it("is one container for all who start it at the same time", async () => {
        const own = { ...settings({ name: "shared" }), platforms: [native] };
        const args = { platforms: [native], builders: { docker: [own] } } as Partial<MultiArchImageArgs>;
        const stacks = await Promise.all([createImageStack(world, args), createImageStack(world, args)]);
        try {
            stacks.forEach(({ folder }, index) => writeContext(folder, `at the same time ${index}`));
            await Promise.all(stacks.map((one) => one.up()));
            const names = (await docker.containers()).map(({ name }) => name);
            assert.equal(names.filter((name) => name.startsWith("buildx_buildkit_shared-")).length, 1);
        } finally {
            await Promise.all(stacks.map((one) => one.remove()));
        }
    });

    const nodeOf = (more: DockerSettings, platform = native): BuilderNode => ({
        name: "docker",
        address: "docker",
        platform,
        docker: settings(more),
        emulation: "never",
        property: "builders.docker[0]",
    });

    const check = (node: BuilderNode, registriesConfig = accounts()) => preflight(node, { registriesConfig });

    const accounts = (): string => {
        const { registry: address, username, password } = world;
        return privateDockerConfig([{ address, username, password }], {});
    };

    const refusal = async (node: BuilderNode, registriesConfig?: string): Promise<string> => {
        const begin = Date.now();
        const error: unknown = await check(node, registriesConfig).then(
            () => undefined,
            (reason: unknown) => reason,
        );
        assert.ok(error instanceof MultiArchError, "the builder is refused");
        assert.ok(Date.now() - begin < 30_000, "within seconds");
        return error.message;
    };

    it("that has to emulate its platform is refused before anything is built", async () => {
        writeContext(stack.folder, "one");
        stack.args = { emulation: "never", platforms: [foreign], builders: { docker: [settings() as never] } };
        const printed = await stack.upFails();
        assert.match(printed, /\[builder-(emulated|wrong-platform)\]\n\s+property: builders\.docker\[0\]/);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
    });

    const faults: { title: string; more: () => DockerSettings; message: RegExp }[] = [
        {
            title: "no daemon listens",
            more: () => ({ host: "unix:///nowhere/docker.sock" }),
            message: /\[builder-docker-unreachable\]\n {2}property: builders\.docker\[0\]\n.*\/nowhere\/docker\.sock/,
        },
        {
            title: "the context is unknown",
            more: () => ({ host: undefined, context: "nobodys" }),
            message: /no docker context nobodys: there is default.*\[builder-docker-context\]\n.*docker\[0\]\.context/,
        },
        {
            title: "its image is not there",
            more: () => ({ image: `${world.registry}/tools/nothing:1` }),
            message: /\[builder-docker-image\]\n {2}property: builders\.docker\[0\]\.image\n.*/,
        },
        {
            title: "its network does not exist",
            more: () => ({ network: "nonet" }),
            message: /\[builder-docker-start\]\n {2}property: builders\.docker\[0\]\n[^]*network nonet not found/,
        },
        {
            title: "an option is unknown",
            more: () => ({ options: { bogus: "1" } }),
            message: /\[builder-docker-settings\]\n[^]*invalid driver option bogus/,
        },
        {
            title: "its configuration is no TOML",
            more: () => ({ config: { inline: "[nonsense" } }),
            message: /\[builder-docker-settings\]\n[^]*toml/,
        },
        {
            title: "BuildKit ends over its configuration",
            more: () => ({ config: { inline: '[worker.oci]\nsnapshotter = "nonesuch"\n' } }),
            message: /\[builder-docker-start\]\n[^]*\| buildkitd: .*nonesuch/,
        },
    ];

    for (const { title, more, message } of faults) {
        it(`is refused by an error of its own when ${title}, and leaves no container`, async () => {
            const before = await docker.containers();
            assert.match(await refusal(nodeOf(more())), message);
            assert.deepEqual(await docker.containers(), before);
        });
    }

    it("cannot pull its image without the account, and says so", async () => {
        const { address, username } = { address: world.registry, username: world.username };
        const wrong = privateDockerConfig([{ address, username, password: "wrong-password" }], {});
        const image = docker.image.replace(/@.*/, ":none");
        const message = await refusal(nodeOf({ image }), wrong);
        assert.match(message, /\[builder-docker-image\]/);
        assert.doesNotMatch(message, /wrong-password/);
    });
});
