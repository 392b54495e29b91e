import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import type { OutputMap } from "@pulumi/pulumi/automation";

import { MultiArchImage, PlatformImage } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

/** What other programs, other names and other tools have made is taken over as it is. */
describe("what exists already", () => {
    let world: World;
    let stack: TestStack | undefined;
    let program: (folder: string) => Promise<OutputMap>;

    before(async () => {
        world = await getWorld();
    });
    const start = async (first: (folder: string) => Promise<OutputMap>): Promise<TestStack> => {
        program = first;
        stack = await createStack(world, (folder) => program(folder));
        writeContext(stack.folder, "one");
        return stack;
    };
    afterEach(async () => {
        await stack?.remove();
        stack = undefined;
    });

    it("stays what it is when an image moves below another component and gets another name", async () => {
        const repository = world.newRepository();
        const digestOf = (image: MultiArchImage) => ({ digest: image.indexDigest }) as unknown as OutputMap;
        const moved = await start(() =>
            Promise.resolve(digestOf(new MultiArchImage("app", imageArgs(world, repository)))),
        );
        const first = await moved.up();
        const view = viewRegistry(world);
        const pushed = view.pushedManifests(repository).sort();

        program = () => {
            const service = new pulumi.ComponentResource("tests:index:Service", "shop");
            const aliases = [{ name: "app", parent: pulumi.rootStackResource }];
            const image = new MultiArchImage("shop-app", imageArgs(world, repository), { parent: service, aliases });
            return Promise.resolve(digestOf(image));
        };
        const { summary, outputs } = await moved.up();
        assert.equal(summary.resourceChanges?.delete, undefined, moved.output());
        assert.equal(summary.resourceChanges?.update, undefined, moved.output());
        assert.equal(summary.resourceChanges?.replace, undefined);
        assert.equal(summary.resourceChanges?.create, 1, "only the component above");
        assert.equal(outputs["digest"]?.value, first.outputs["digest"]?.value);
        assert.deepEqual(view.pushedManifests(repository).sort(), pushed);
    });

    it("can be the image of one platform that another tool has pushed: it is imported, and not built", async () => {
        const repository = world.newRepository();
        const source = await start(() => {
            const image = new MultiArchImage("app", imageArgs(world, repository));
            return Promise.resolve({ digests: image.platformDigests } as unknown as OutputMap);
        });
        const digests = (await source.up()).outputs["digests"]?.value as Record<string, string>;
        const digest = digests["linux/arm64"] ?? "";
        const args = imageArgs(world, repository);
        const { endpoint } = world.builders.arm64;
        const importing = await createStack(world, () => {
            const image = new PlatformImage(
                "taken",
                {
                    platform: "linux/arm64",
                    repository,
                    nodes: [endpoint],
                    context: { location: "./app" },
                    ...(args.registries === undefined ? {} : { registries: args.registries }),
                    emulation: "allow",
                },
                { import: `${repository}@${digest}` },
            );
            return Promise.resolve({ digest: image.digest } as unknown as OutputMap);
        });
        try {
            writeContext(importing.folder, "one");
            // An import has no inputs yet, so the account comes from the machine's docker configuration.
            const auth = Buffer.from(`${world.username}:${world.password}`).toString("base64");
            const docker = importing.env["DOCKER_CONFIG"] ?? "";
            mkdirSync(docker, { recursive: true });
            writeFileSync(join(docker, "config.json"), JSON.stringify({ auths: { [world.registry]: { auth } } }));
            const pushed = viewRegistry(world).pushedManifests(repository).sort();
            const { outputs } = await importing.up();
            assert.equal(outputs["digest"]?.value, digest);
            assert.deepEqual((await importing.up()).summary.resourceChanges, { same: 2 });
            assert.deepEqual(viewRegistry(world).pushedManifests(repository).sort(), pushed);
            writeContext(importing.folder, "two");
            assert.equal((await importing.up()).summary.resourceChanges?.update, 1, "from now on it is built");
        } finally {
            await importing.remove();
        }
    });
});
