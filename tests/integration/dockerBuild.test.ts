import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as dockerBuild from "@pulumi/docker-build";

import { BuilderFleet } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { viewRegistry } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { getWorld } from "../support/world";

const buildSecret = "s3cret-Of-The-Build";

/** What is left below the home of a stack: of docker, of buildx, and of the private folders. */
function listLeftOvers({ env }: Pick<TestStack, "env">): string[] {
    const home = env["HOME"] ?? "";
    return readdirSync(home, { recursive: true })
        .map(String)
        .filter((name) => !name.startsWith(".pulumi/") && ![".pulumi", ".pulumi-tests-docker"].includes(name))
        .filter((name) => !/^pulumi-multiarch-\d+$/.test(name));
}

function readState({ folder }: Pick<TestStack, "folder">): string {
    const stacks = join(folder, "..", "state", ".pulumi", "stacks");
    const files = readdirSync(stacks, { recursive: true }).map(String);
    return files
        .filter((name) => name.endsWith("test.json"))
        .map((name) => readFileSync(join(stacks, name), "utf8"))
        .join();
}

/** Pulumi's own provider for images in place of buildx: the real one, on the same builders. */
describe("the engine docker-build", () => {
    const stack = useImageStack();

    it("makes the same images and the same index as buildx, and leaves nothing behind", async () => {
        writeContext(stack.folder, "one");
        const options = {
            sourceDateEpoch: 1_700_000_000,
            labels: { "org.example.team": "infra, ops=1" },
            annotations: { manifest: { "org.example.note": "one, two=3" }, index: { "org.example.index": "x" } },
            compression: "zstd",
            buildArgs: { GREETING: "hello, world" },
            secrets: { token: buildSecret },
        } as const;
        stack.args = { ...options, engine: "docker-build", cache: { registry: {} } };
        const first = await stack.up();
        assert.deepEqual(listLeftOvers(stack), []);
        const state = readState(stack);
        assert.ok(state.includes("docker-build:index:Image"));
        for (const secret of [buildSecret, stack.world.password, "PRIVATE KEY"]) {
            assert.equal(state.includes(secret), false, `${secret} is not in the state`);
            assert.equal(stack.output().includes(secret), false, `${secret} is not printed`);
        }
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        stack.args = { ...stack.args, tags: ["latest", "next"], secrets: { token: "another one" } };
        assert.equal(await previewIndexDigest(), first.outputs["indexDigest"]?.value, "known before it is tagged");

        // docker-build looks after no image without a tag, so the index has to.
        const [, lost] = (await stack.view.manifest(`${stack.repository}:latest`)).manifests;
        await stack.view.deleteManifest(`${stack.repository}@${lost?.digest ?? ""}`);
        await stack.stack.refresh();
        assert.match(await stack.upFails(), /no tag was moved.*\[index-incomplete\][^]*--replace/);
        assert.equal((await stack.view.tags(stack.repository)).includes("next"), false);

        stack.args = options;
        const second = await stack.up();
        for (const output of ["indexDigest", "platformDigests", "manifestDigests"]) {
            assert.deepEqual(second.outputs[output]?.value, first.outputs[output]?.value, output);
        }
        const builds = second.outputs["builds"]?.value as Record<string, { builder: string }>;
        assert.equal(
            builds["linux/arm64"]?.builder,
            stack.world.builders.arm64.endpoint.address,
            "buildx has built too",
        );
    });

    it("checks builders before a build, and refuses what it cannot do by name", async () => {
        writeContext(stack.folder, "one");
        const { amd64, arm64 } = stack.world.builders;
        const closed = { ...arm64.endpoint, address: arm64.endpoint.address.replace(/\d+$/, "4") };
        stack.args = { engine: "docker-build", builders: { endpoints: [amd64.endpoint, closed] } };
        const printed = await stack.upFails();
        assert.match(printed, /linux\/arm64, builder tcp:.*\[builder-refused\]/);
        assert.match(printed, /no usable builder for linux\/arm64.*\[sibling-not-ready\]/);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
        assert.deepEqual(listLeftOvers(stack), []);

        stack.args = { engine: "docker-build", shmSize: "1g", attestations: { sbom: true } };
        const refused = await stack.upFails();
        assert.match(refused, /shmSize: the engine docker-build has no shmSize; leave it out, or use engine: buildx/);
        assert.match(refused, /attestations: the engine docker-build has no attestations/);
    });

    async function previewIndexDigest(): Promise<unknown> {
        const digests: unknown[] = [];
        await stack.stack.preview({
            onEvent: ({ resOutputsEvent }) => {
                const { urn = "", new: state } = resOutputsEvent?.metadata ?? {};
                if (urn.endsWith("ImageIndex::app-index")) {
                    digests.push((state?.outputs as Record<string, unknown>)["digest"]);
                }
            },
        });
        return digests[0];
    }
});

/** A program that stays with `docker_build.Image`, and builds on our builders. */
describe("a docker_build.Image on a fleet", () => {
    let stack: TestStack;
    let tag: string;

    beforeEach(async () => {
        const world = await getWorld();
        tag = `${world.newRepository()}:own`;
        stack = await createStack(world, () => {
            const { registries } = imageArgs(world, tag);
            const endpoints = [world.builders.amd64.endpoint, world.builders.arm64.endpoint];
            const fleet = new BuilderFleet("fleet", { endpoints, emulation: "allow" });
            const { args, opts } = fleet.forDockerBuild("linux/arm64");
            const create = (name: string, context: string): dockerBuild.Image => {
                const image = { context: { location: context }, push: true, tags: [tag], registries, ...args };
                return new dockerBuild.Image(name, image, opts);
            };
            const images = [create("one", "./app"), create("two", "./app")];
            return Promise.resolve({ digests: images.map(({ digest }) => digest) });
        });
        writeContext(stack.folder, "one");
    });

    afterEach(() => stack.remove());

    it("builds natively on the builder of its platform, with nothing registered before or afterwards", async () => {
        const world = await getWorld();
        const own = join(stack.env["DOCKER_CONFIG"] ?? "", "buildx", "instances");
        mkdirSync(own, { recursive: true });
        writeFileSync(join(own, "of-the-user"), JSON.stringify({ Name: "of-the-user", Driver: "remote", Nodes: [] }));
        const { outputs } = await stack.stack.up({ parallel: 1 });
        const view = viewRegistry(world);
        const [digest] = outputs["digests"]?.value as string[];
        assert.equal((await view.config(`${tag.replace(/:own$/, "")}@${digest ?? ""}`))["architecture"], "arm64");
        assert.deepEqual(readdirSync(own), ["of-the-user"], "what the user has stays");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 3 });
        assert.equal(
            listLeftOvers(stack).some((name) => name.includes("multiarch-")),
            false,
        );
    });
});
