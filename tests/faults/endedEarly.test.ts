import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { secondsUntil, secondsUntilIdle, waitForStep } from "../support/builderState";
import { startEc2Double } from "../support/ec2Double";
import { startFaultProxy, type FaultProxy } from "../support/faultProxy";
import { holdPlaces } from "../support/heldPlaces";
import { writeContext } from "../support/images";
import { createImageStack, useImageStack } from "../support/imageStack";
import { assertNothingLost } from "../support/nothingLost";
import { findEngine, findProvider } from "../support/stackProcesses";
import { dockerfileWith, newStep } from "../support/steps";
import { getWorld, type RegistryPlace } from "../support/world";

/** The machine of `up` ends it, or dies, at a moment in which no step runs. */
describe("an up that ends", function () {
    this.timeout(180_000);

    describe("before its build begins", () => {
        afterEach(async () => {
            const { world: place, repository, env } = stack;
            await assertNothingLost({ place, repositories: [repository], builders: [place.builders.amd64], env });
        });
        const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));

        /** Presses Ctrl-C when the output says something, and gives the seconds until up has ended. */
        const cancelAt = async (text: RegExp): Promise<number> => {
            const failing = stack.upFails();
            failing.catch(() => undefined);
            await secondsUntil(
                () => text.test(stack.output()),
                60,
                () => `no ${String(text)} in ${stack.output()}`,
            );
            const provider = findProvider(stack.env);
            const begin = performance.now();
            process.kill(findEngine(stack.env), "SIGINT");
            assert.match(await failing, /cancelled while [^\n]*\[build-cancelled\]/);
            const seconds = (performance.now() - begin) / 1_000;
            await secondsUntil(() => !existsSync(`/proc/${provider}`), 10, "the provider runs on");
            assert.deepEqual(await stack.view.tags(stack.repository), []);
            return seconds;
        };

        it("by Ctrl-C while it waits in line leaves the line, and the next one has its turn", async () => {
            const { amd64 } = stack.world.builders;
            const held = await holdPlaces(stack.world, amd64, 1);
            try {
                writeContext(stack.folder, newStep(0));
                stack.args = { platforms: ["linux/amd64"], maxParallelism: 1 };
                const seconds = await cancelAt(/waiting for tcp:\S+: 1 build ahead/);
                assert.ok(seconds < 8, `${seconds} s`);
            } finally {
                held.end();
            }
            await stack.up();
        });

        it("by Ctrl-C while an instance wakes builds nothing, and the next one waits for it again", async () => {
            const { endpoint, host } = stack.world.builders.amd64;
            const ec2 = await startEc2Double();
            try {
                Object.assign(stack.stack.workspace.envVars, ec2.env);
                const instanceId = "i-0000000000000000c";
                ec2.instances.set(instanceId, { state: "stopped", startsAs: "pending", privateAddress: host.address });
                const { platform, tls } = endpoint;
                const target = { instanceId, region: "eu-central-1" };
                const node = { platform, ec2: target, serverName: host.address, ...(tls === undefined ? {} : { tls }) };
                stack.args = { platforms: ["linux/amd64"], builders: { nodes: [node] } };
                writeContext(stack.folder, newStep(0));
                const seconds = await cancelAt(/waiting for [^\n]* of EC2 instance/);
                assert.ok(seconds < 8, `${seconds} s`);
                ec2.instances.set(instanceId, { state: "running", privateAddress: host.address });
                await stack.up();
            } finally {
                await ec2.close();
            }
        });
    });

    describe("after its build", () => {
        let behind: RegistryPlace;
        let proxy: FaultProxy;

        before(async () => {
            const world = await getWorld();
            behind = await world.startRegistry({ open: true });
            proxy = await startFaultProxy(world, behind, world.doubles.addresses[0] ?? "");
        });
        after(() => proxy.close());
        afterEach(async () => {
            const { amd64, arm64 } = stack.world.builders;
            const repositories = [stack.repository.replace(proxy.registry, behind.registry)];
            await assertNothingLost({ place: behind, repositories, builders: [amd64, arm64], env: stack.env });
            assert.deepEqual(proxy.violations, []);
        });
        const stack = useImageStack();
        beforeEach(() => {
            const { registry: address, username, password } = proxy;
            stack.repository = stack.world.newRepository(proxy);
            stack.args = { registries: [{ address, username, password }] };
            writeContext(stack.folder, stack.repository);
        });

        /** Runs an up whose request gets no answer, ends it there, and waits until its programs are gone. */
        const endAt = async (request: string | RegExp, end: () => void): Promise<void> => {
            const held = proxy.arm({ asker: "client", request, kind: "slow" });
            const failing = stack.upFails();
            failing.catch(() => undefined);
            await secondsUntil(
                () => held.hasFired(),
                90,
                () => `${String(request)} was not sent: ${stack.output()}`,
            );
            const provider = findProvider(stack.env);
            end();
            await secondsUntil(() => !existsSync(`/proc/${provider}`), 30, "the provider runs on");
            // The Automation API waits for what an engine that was killed cannot say any more.
            await Promise.race([failing.catch(() => undefined), sleep(3_000)]);
        };
        const pathOf = (name: string): string => {
            return `/v2/${stack.repository.slice(stack.repository.indexOf("/") + 1)}/manifests/${name}`;
        };
        const assertTagged = async (digest: unknown): Promise<void> => {
            const { headers } = await proxy.ask("HEAD", pathOf("latest"));
            assert.equal(headers["docker-content-digest"], digest);
        };

        it("by kill -9 of the engine while the index is pushed has no tag, and the next one builds nothing", async () => {
            await endAt(/^PUT manifests\/<digest>$/, () => process.kill(findEngine(stack.env), "SIGKILL"));
            assert.equal((await proxy.ask("HEAD", pathOf("latest"))).status, 404);
            await stack.stack.cancel();
            const { summary, outputs } = await stack.up();
            assert.equal(summary.resourceChanges?.create, 1, "only the index is new");
            await assertTagged(outputs["indexDigest"]?.value);
        });

        it("by Ctrl-C while a tag moves has moved it whole or not at all, and the next one builds nothing", async () => {
            await endAt("PUT manifests/latest", () => process.kill(findEngine(stack.env), "SIGINT"));
            const { summary, outputs } = await stack.up();
            assert.equal(summary.resourceChanges?.create, 1, "only the index is new");
            await assertTagged(outputs["indexDigest"]?.value);
        });

        it("by kill -9 of the provider between push and state is found by its content, and nothing is built", async () => {
            stack.args = { ...stack.args, contentTags: true, platforms: ["linux/amd64"] };
            await endAt(/^PUT manifests\/content-/, () => process.kill(findProvider(stack.env), "SIGKILL"));
            const before = stack.output().length;
            const { outputs } = await stack.up();
            const printed = stack.output().slice(before);
            assert.match(printed, /not built: \S+ has an image of this content/);
            assert.doesNotMatch(printed, /building on/);
            await assertTagged(outputs["indexDigest"]?.value);
        });
    });

    it("beside another one on the same builder ends alone: the other one builds on", async () => {
        const world = await getWorld();
        const [killed, other] = await Promise.all(
            [1, 2].map(() => createImageStack(world, { platforms: ["linux/amd64"] })),
        );
        assert.ok(killed && other);
        try {
            const steps = [newStep(30), newStep(8)];
            [killed, other].forEach(({ folder }, position) => {
                const step = steps[position] ?? "";
                writeContext(folder, step, dockerfileWith(step));
            });
            const failing = killed.upFails().catch(() => undefined);
            const up = other.up();
            up.catch(() => undefined);
            await Promise.all(steps.map((step) => waitForStep(step)));
            process.kill(findEngine(killed.env), "SIGKILL");
            const { outputs } = await up;
            assert.doesNotMatch(other.output(), /retrying on/);
            assert.equal(await other.view.digestOf(`${other.repository}:latest`), outputs["indexDigest"]?.value);
            await secondsUntilIdle(world.builders.amd64, steps[0] ?? "", 15);
            await Promise.race([failing, sleep(3_000)]);
            await killed.stack.cancel();
            assert.deepEqual(await killed.view.tags(killed.repository), []);
            for (const { repository, env } of [killed, other]) {
                await assertNothingLost({
                    place: world,
                    repositories: [repository],
                    builders: [world.builders.amd64],
                    env,
                });
            }
        } finally {
            await Promise.all([killed.remove(), other.remove()]);
        }
    });
});
