import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { orderNodes } from "../../sdk/builders/rendezvous";
import { crash } from "../support/builderFaults";
import { secondsUntil, waitForStep } from "../support/builderState";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { assertNothingLost } from "../support/nothingLost";
import { holdPlaces } from "../support/heldPlaces";
import { useTwoBuilders } from "../support/spareBuilder";
import { dockerfileWith, newStep } from "../support/steps";
import type { Builder } from "../support/world";

/** A builder goes at a moment that is worse than the middle of a step, or more than once, or with all others. */
describe("a builder that is lost", function () {
    this.timeout(240_000);
    const builders = useTwoBuilders("lostspare");
    // Before the stack is taken away.
    afterEach(() => {
        const { world: place, repository, env } = stack;
        return assertNothingLost({ place, repositories: [repository], builders: builders.all, env });
    });
    const stack = useImageStack(() => ({
        platforms: ["linux/amd64"],
        builders: { endpoints: builders.all.map(({ endpoint }) => endpoint) },
    }));

    /** Begins an up whose step runs for so long, and waits until it does. */
    const begin = async (seconds: number) => {
        const step = newStep(seconds);
        writeContext(stack.folder, step, dockerfileWith(step));
        const up = stack.up();
        up.catch(() => undefined);
        await waitForStep(step);
        return { up, step, lost: builders.of(stack.output()) };
    };
    const assertFinishedOn = async (builder: Builder): Promise<void> => {
        assert.match(stack.output(), new RegExp(`built in .* on ${builder.endpoint.address}, pushed`));
        const { indexDigest } = await stack.stack.outputs();
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), indexDigest?.value);
    };

    it("because its cable was pulled in a step is given up within 60 s, and another one builds", async () => {
        const { up, lost } = await begin(6);
        await lost.host.disconnect();
        const after = await secondsUntil(() => stack.output().includes("retrying on"), 60, "there is no other try");
        console.log(`        seconds until another try ${after}`);
        await up;
        await assertFinishedOn(builders.otherThan(lost));
        await lost.host.connect();
    });

    it("because it was told to end in a step finishes its build first, and then takes no more", async () => {
        const { up, lost } = await begin(4);
        await lost.stop();
        await up;
        assert.doesNotMatch(stack.output(), /retrying on/);
        await assertFinishedOn(lost);
        writeContext(stack.folder, "the next one");
        await stack.up();
        await assertFinishedOn(builders.otherThan(lost));
        await lost.start();
    });

    it("twice in one build builds in the third try", async () => {
        stack.args = {
            ...stack.args,
            builders: { endpoints: builders.all.slice(0, 1).map(({ endpoint }) => endpoint) },
        };
        const { up, step, lost } = await begin(6);
        for (const tries of [2, 3]) {
            await crash(lost);
            await sleep(1_000);
            await lost.start();
            await secondsUntil(() => stack.output().includes(`(try ${tries})`), 60, `there is no try ${tries}`);
            await waitForStep(step);
        }
        await up;
        await assertFinishedOn(lost);
    });

    it("with all others of its platform is an error that names each, and the next up builds that platform alone", async () => {
        const { arm64 } = stack.world.builders;
        const step = newStep(20);
        const fast = "[ $TARGETARCH = arm64 ]";
        writeContext(
            stack.folder,
            step,
            `FROM alpine:latest\nARG TARGETARCH\nCOPY content.txt /\nRUN ${fast} || ${step}\n`,
        );
        const endpoints = [...builders.all, arm64].map(({ endpoint }) => endpoint);
        stack.args = { platforms: ["linux/amd64", "linux/arm64"], builders: { endpoints }, retries: 1 };
        const failing = stack.upFails();
        failing.catch(() => undefined);
        await waitForStep(step);
        await secondsUntil(() => stack.output().includes("linux-arm64 created"), 60, "arm64 is not finished");
        await Promise.all(builders.all.map(crash));
        const printed = await failing;
        for (const { endpoint } of builders.all) {
            assert.ok(printed.includes(endpoint.address), printed);
        }
        assert.match(printed, /none of 2 builders can be used[^]*\[builder-(refused|unreachable)\]/);
        assert.deepEqual(await stack.view.tags(stack.repository), []);
        assert.equal(stack.view.pushedManifests(stack.repository).length, 1, "the finished platform is kept");

        await Promise.all(builders.all.map((builder) => builder.start()));
        const { summary } = await stack.up();
        assert.equal(summary.resourceChanges?.create, 2, "only amd64 and the index are new");
    });

    it("while an image waits in its line loses that image no try: another one builds it", async () => {
        const [first] = builders.all;
        assert.ok(first);
        const nodes = builders.all.map(({ endpoint }) => ({ node: { address: endpoint.address } }));
        while (orderNodes(`${stack.repository} linux/amd64`, nodes)[0]?.node.address !== first.endpoint.address) {
            stack.repository = stack.world.newRepository();
        }
        const held = await holdPlaces(stack.world, first, 1);
        try {
            writeContext(stack.folder, newStep(0));
            stack.args = { ...stack.args, maxParallelism: 1, retries: 0 };
            const up = stack.up();
            up.catch(() => undefined);
            await secondsUntil(() => /waiting for tcp:\S+: 1 build ahead/.test(stack.output()), 60, "it does not wait");
            await crash(first);
            await up;
            assert.doesNotMatch(stack.output(), /retrying on/);
            await assertFinishedOn(builders.otherThan(first));
            await first.start();
        } finally {
            held.end();
        }
    });
});
