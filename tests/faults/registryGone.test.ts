import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { crash } from "../support/builderFaults";
import { secondsUntil, waitForStep } from "../support/builderState";
import { startFaultProxy, type FaultProxy } from "../support/faultProxy";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { assertNothingLost } from "../support/nothingLost";
import { useTwoBuilders } from "../support/spareBuilder";
import { dockerfileWith, newStep } from "../support/steps";
import { runTool } from "../support/tools";
import { getWorld, type RegistryPlace } from "../support/world";

/** The registry, or the way to it, goes while an image is pushed. */
describe("a push", function () {
    this.timeout(240_000);
    const builders = useTwoBuilders("pushspare");

    describe("to a registry that goes away", () => {
        afterEach(async () => {
            const { world: place, repository, env } = stack;
            await assertNothingLost({ place, repositories: [repository], builders: builders.all, env });
        });
        const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));

        it("ends well when the registry was killed in the middle of it and comes back", async () => {
            const { registryProcess } = stack.world;
            const step = newStep(3);
            writeContext(stack.folder, step, dockerfileWith(step));
            const up = stack.up();
            up.catch(() => undefined);
            await waitForStep(step);
            // Stopped first, so that the push is certain to be under way when it dies.
            process.kill(registryProcess.pid(), "SIGSTOP");
            try {
                await secondsUntil(() => stack.output().includes("pushing the image"), 60, "nothing is pushed");
                await sleep(500);
            } finally {
                process.kill(registryProcess.pid(), "SIGKILL");
                await registryProcess.stop();
                await sleep(2_000);
                await registryProcess.start();
            }
            const { outputs } = await up;
            assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
            assert.equal(stack.output().match(/RUN sleep/g)?.length, 1, "the step ran once");
        });

        it("that only the builder cannot reach names the registry and keeps the other platform", async () => {
            const { amd64 } = stack.world.builders;
            const registry = stack.world.registry.replace(/:.*/, "");
            const route = (action: string) => {
                return runTool("ip", ["-n", amd64.host.netns, "route", action, "prohibit", `${registry}/32`]);
            };
            writeContext(stack.folder, stack.repository);
            stack.args = { retries: 1 };
            await route("add");
            try {
                const printed = await stack.upFails();
                assert.match(printed, /linux\/amd64[^]*\[registry-unreachable\]/);
                assert.match(printed, /next: Check the address of the registry, and that the builder can reach it/);
                assert.deepEqual(await stack.view.tags(stack.repository), []);
                assert.equal(stack.view.pushedManifests(stack.repository).length, 1, "arm64 is there");
            } finally {
                await route("delete");
            }
            const { summary } = await stack.up();
            assert.equal(summary.resourceChanges?.create, 2, "only amd64 and the index are new");
        });
    });

    describe("from a builder that goes away", () => {
        let behind: RegistryPlace;
        let proxy: FaultProxy;

        before(async () => {
            const world = await getWorld();
            behind = await world.startRegistry({ open: true });
            proxy = await startFaultProxy(world, behind, world.doubles.addresses[0] ?? "");
        });
        after(() => proxy.close());
        afterEach(async () => {
            const repositories = [stack.repository.replace(proxy.registry, behind.registry)];
            await assertNothingLost({ place: behind, repositories, builders: builders.all, env: stack.env });
            assert.deepEqual(proxy.violations, []);
        });
        const stack = useImageStack(() => ({
            platforms: ["linux/amd64"],
            builders: { endpoints: builders.all.map(({ endpoint }) => endpoint) },
        }));
        beforeEach(() => {
            const { registry: address, username, password } = proxy;
            stack.repository = stack.world.newRepository(proxy);
            stack.args = { ...stack.args, registries: [{ address, username, password }] };
            writeContext(stack.folder, stack.repository);
        });

        for (const [what, request] of [
            ["a layer", "PUT blobs/uploads/<upload>"],
            ["its manifest", "PUT manifests/<digest>"],
        ] as const) {
            it(`is made again by another builder when the first one was killed while it pushed ${what}`, async () => {
                const held = proxy.arm({ asker: "builder", request, kind: "slow" });
                const up = stack.up();
                up.catch(() => undefined);
                await secondsUntil(() => held.hasFired(), 60, "nothing is pushed");
                const lost = builders.of(stack.output());
                await crash(lost);
                const { outputs } = await up;
                const { address } = builders.otherThan(lost).endpoint;
                assert.match(stack.output(), new RegExp(`built in .* on ${address}, pushed`));
                const tag = `${stack.repository.replace(proxy.registry, behind.registry)}:latest`;
                const { status, headers } = await proxy.ask(
                    "HEAD",
                    `/v2/${tag.slice(tag.indexOf("/") + 1).replace(":latest", "/manifests/latest")}`,
                );
                assert.deepEqual([status, headers["docker-content-digest"]], [200, outputs["indexDigest"]?.value]);
                await lost.start();
            });
        }
    });
});
