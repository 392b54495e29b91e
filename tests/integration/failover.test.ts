import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { buildPlatform, type BuildOptions } from "../../sdk/build/build";
import type { BuildProgress } from "../../sdk/build/progress";
import type { BuilderTls } from "../../sdk/builders/node";
import { crash, freeze, startGateway, thaw, type Gateway } from "../support/builderFaults";
import { secondsUntil, secondsUntilIdle, waitForStep } from "../support/builderState";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { createRegistryConfig } from "../support/registryConfig";
import { newStep } from "../support/steps";
import { getWorld, type Builder, type World } from "../support/world";

/** Rule 8: what is lost on one builder is built on another one, or on the same one once it is back. */
describe("a builder that is lost while it builds", function () {
    this.timeout(180_000);
    let builders: Builder[];
    const stack = useImageStack(() => ({
        platforms: ["linux/amd64"],
        builders: { endpoints: builders.map(({ endpoint }) => endpoint) },
    }));

    before(async () => {
        const world = await getWorld();
        builders = [world.builders.amd64, await world.addBuilder("amd64", "spare")];
    });
    afterEach(async () => {
        await Promise.all(
            builders.map(async (builder) => {
                thaw(builder);
                await builder.host.connect();
                await builder.start();
            }),
        );
    });
    after(() => builders[1]?.stop());

    /** Begins an up, does something to the builder that builds, and gives the seconds until it goes on. */
    const lose = async (
        seconds: number,
        harm: (builder: Builder) => unknown,
    ): Promise<{ lost: Builder; after: number; step: string }> => {
        const step = newStep(seconds);
        writeContext(stack.folder, step, `FROM alpine:latest\nCOPY content.txt /\nRUN ${step}\n`);
        const up = stack.up();
        up.catch(() => undefined);
        await waitForStep(step);
        const address = /building on (tcp:\S+),/.exec(stack.output())?.[1];
        const lost = builders.find(({ endpoint }) => endpoint.address === address) ?? assert.fail(stack.output());
        await harm(lost);
        const after = await secondsUntil(() => stack.output().includes("retrying on"), 60, "there is no other try");
        console.log(`        seconds until another try ${after}`);
        await up;
        return { lost, after, step };
    };

    const assertBuiltOn = (builder: Builder): void => {
        const pattern = new RegExp(`built in .* on ${builder.endpoint.address}, pushed`);
        assert.match(stack.output(), pattern);
    };
    const otherThan = (builder: Builder): Builder => builders.find((one) => one !== builder) ?? builder;

    it("because it froze, is given up within 40 s, and stops what it did once it thaws", async () => {
        const { lost, after, step } = await lose(6, freeze);
        assert.ok(after < 40);
        assert.match(
            stack.output(),
            /warning: retrying on tcp:\S+ \(try 2\), because the builder does not answer any more/,
        );
        assertBuiltOn(otherThan(lost));
        thaw(lost);
        // By its own text: others on this machine run what they like.
        const idleAfter = await secondsUntilIdle(lost, step, 30);
        console.log(`        seconds until nothing runs any more ${idleAfter}`);
    });

    it("because it was killed for good, is given up within 15 s", async () => {
        const { lost, after } = await lose(6, crash);
        assert.ok(after < 15);
        assertBuiltOn(otherThan(lost));
    });

    it("because it was killed and came back, builds again", async () => {
        stack.args = { ...stack.args, builders: { endpoints: builders.slice(0, 1).map(({ endpoint }) => endpoint) } };
        const { lost } = await lose(3, async (builder) => {
            await crash(builder);
            await sleep(3_000);
            await builder.start();
        });
        assertBuiltOn(lost);
    });

    it("is not lost when a step takes more memory than there is: that step is named, and never tried again", async () => {
        const step = "RUN head -c 300M /dev/zero | tail -n 1";
        writeContext(stack.folder, newStep(0), `FROM alpine:latest\nCOPY content.txt /\n${step}\n`);
        stack.args = { ...stack.args, resources: { memory: "32m" }, retries: 3 };
        const printed = await stack.upFails();
        assert.match(
            printed,
            /step \[3\/3\] RUN head .* (was killed because|exit code 137: unless .*, it was killed, most likely because)/,
        );
        assert.match(printed, /the builder ran out of memory \[build-step-failed\]/);
        assert.match(printed, /next: (If it was killed: )?Give the builder more memory/);
        assert.doesNotMatch(printed, /retrying|try \d+ failed/);
    });

    it("is not said to have run out of memory when a step gives the exit code of one that was killed", async () => {
        writeContext(stack.folder, newStep(0), "FROM alpine:latest\nCOPY content.txt /\nRUN exit 137\n");
        const printed = await stack.upFails();
        assert.match(printed, /RUN exit 137 failed with exit code 137: unless a command gave that code itself/);
        assert.doesNotMatch(printed, /was killed because|retrying|try \d+ failed/);
    });
});

describe("a builder that is asked while it builds", function () {
    this.timeout(180_000);
    let world: World;
    let folder: string;
    let gateway: Gateway;

    before(async () => {
        world = await getWorld();
    });
    beforeEach(async () => {
        folder = mkdtempSync(join(tmpdir(), "failover-"));
        gateway = await startGateway(world.builders.amd64);
    });
    afterEach(async () => {
        await gateway.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    const build = async (step: string, options: BuildOptions): Promise<BuildProgress[]> => {
        writeContext(folder, step, `FROM alpine:latest\nCOPY content.txt /\nRUN ${step}\n`);
        const { endpoint, host } = world.builders.amd64;
        const { address } = gateway;
        const progress: BuildProgress[] = [];
        const onProgress = (event: BuildProgress): void => {
            progress.push(event);
            options.onProgress?.(event);
        };
        const request = {
            platform: "linux/amd64",
            node: {
                name: address,
                address,
                platform: "linux/amd64",
                serverName: host.address,
                tls: endpoint.tls as BuilderTls,
                emulation: "never" as const,
                property: "builders.endpoints[0]",
            },
            repository: world.newRepository(),
            context: { location: join(folder, "app") },
            buildArgs: {},
            secrets: {},
            registriesConfig: createRegistryConfig(world),
            timeoutSeconds: 150,
            baseDirectory: folder,
        };
        await buildPlatform(request, { ...options, onProgress });
        return progress;
    };

    it("is left alone when a step is silent for long, however often it is asked", async () => {
        const progress = await build(newStep(8), { watch: { silentMs: 300, answerMs: 10_000, againMs: 100 } });
        assert.deepEqual(
            progress.filter(({ kind }) => kind.startsWith("retry")),
            [],
        );
    });

    it("is given up when it was started again behind a gateway that did not say so", async () => {
        const step = newStep(20);
        const { amd64 } = world.builders;
        const harm = waitForStep(step).then(async () => {
            // Long enough for one question that it answers well.
            await sleep(1_500);
            gateway.forgetConnections();
            await crash(amd64);
            await amd64.start();
        });
        const [progress] = await Promise.all([build(step, { watch: { silentMs: 1_000 } }), harm]);
        const reasons = progress.flatMap((event) => (event.kind === "retrying" ? [event.reason] : []));
        assert.deepEqual(reasons, ["the builder does not work on the build any more, and its connection is silent"]);
    });
});
