import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { secondsUntil, secondsUntilIdle, waitForStep } from "../support/builderState";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { findEngine, findProvider } from "../support/stackProcesses";

/** The part of a state that is read here. */
interface PendingOperations {
    readonly pending_operations?: readonly { readonly type: string; readonly resource: { readonly urn: string } }[];
}

/** Rule 9: what is cancelled or killed stops on the builder, and leaves what the next up continues from. */
describe("an up that ends early", function () {
    this.timeout(120_000);
    const stack = useImageStack(() => ({ secrets: { fast: "" } }));
    let steps = 0;

    /** A step of amd64 that takes long and is told from all others, unless a secret says that it is to be fast. */
    const writeSlow = (): string => {
        const text = `sleep 9${process.pid % 1000}.${(steps += 1)}`;
        // A secret does not change the content, so what was finished before stays finished.
        const isFast = "[ $TARGETARCH = arm64 ] || [ -s /run/secrets/fast ]";
        const step = `RUN --mount=type=secret,id=fast ${isFast} || ${text}`;
        writeContext(stack.folder, text, `FROM alpine:latest\nARG TARGETARCH\nCOPY content.txt /\n${step}\n`);
        return text;
    };

    /** Keys and passwords that lie about. */
    const secretFiles = (): string[] => {
        try {
            const all = readdirSync(stack.env["HOME"] ?? "", { recursive: true }).map(String);
            return all.filter((name) => /^pulumi-multiarch-\d+\/.*(\.pem|config\.json)$/.test(name));
        } catch {
            return ["a folder that is going right now"];
        }
    };

    /**
     * Runs an up until arm64 is finished and amd64 builds, ends it, and gives the seconds until the builder is idle.
     * In the end neither secrets nor the provider are there any more.
     */
    const endEarly = async (
        end: () => unknown,
        up: () => Promise<unknown> = () => stack.upFails(),
    ): Promise<number> => {
        const text = writeSlow();
        const failed = up().catch(() => undefined);
        await waitForStep(text);
        await secondsUntil(() => stack.output().includes("linux-arm64 created"), 60, "arm64 is not finished");
        assert.ok(secretFiles().length > 0, "a build that runs has its keys on disk");
        const provider = findProvider(stack.env);
        end();
        const [idle, clean, gone] = await Promise.all([
            secondsUntilIdle(stack.world.builders.amd64, text, 30),
            secondsUntil(() => secretFiles().length === 0, 30, "secrets lie about"),
            secondsUntil(() => !existsSync(`/proc/${provider}`), 30, "the provider runs on"),
        ]);
        console.log(`        seconds until idle ${idle}, without secrets ${clean}, without provider ${gone}`);
        // The Automation API waits for what an engine that was killed cannot say any more.
        await Promise.race([failed, sleep(3_000)]);
        return idle;
    };

    /** The next up builds the other platform only. */
    const continueUp = async (): Promise<void> => {
        stack.args = { secrets: { fast: "yes" } };
        const { summary, outputs } = await stack.up();
        assert.equal(summary.resourceChanges?.create, 2, "amd64 and the index: arm64 was finished and is kept");
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), outputs["indexDigest"]?.value);
    };

    /** What the state says is still going on. */
    const listPending = async (): Promise<string[]> => {
        const deployment = (await stack.stack.exportStack()).deployment as PendingOperations;
        return (deployment.pending_operations ?? []).map(({ type, resource }) => `${type} ${resource.urn}`);
    };

    it("by Ctrl-C stops the build within 5 s, and the next one continues", async () => {
        assert.ok((await endEarly(() => process.kill(findEngine(stack.env), "SIGINT"))) < 5);
        assert.match(stack.output(), /linux\/amd64.*the build was cancelled.*\[build-cancelled\]/);
        assert.deepEqual(await listPending(), []);
        await continueUp();
    });

    it("by the signal of the Automation API stops the build within 5 s", async () => {
        const controller = new AbortController();
        const options = { signal: controller.signal, onOutput: stack.listen };
        assert.ok(
            (await endEarly(
                () => controller.abort(),
                () => stack.stack.up(options),
            )) < 5,
        );
    });

    it("by kill -9 of the engine stops the build within 10 s, and the next one continues", async () => {
        assert.ok((await endEarly(() => process.kill(findEngine(stack.env), "SIGKILL"))) < 10);
        // A state in files stays locked until somebody says that its owner is gone.
        await stack.stack.cancel();
        await continueUp();
        assert.match(stack.output(), /pending operations[\s\S]*linux-amd64, interrupted while creating/);

        // The engine itself never saw how that ended, and warns of it until it is told.
        assert.match((await listPending()).join(), /^creating .*linux-amd64$/);
        await stack.stack.refresh({ clearPendingCreates: true });
        assert.deepEqual(await listPending(), []);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
    });

    it("by kill -9 of the provider stops the build within 10 s, and the next one continues", async () => {
        assert.ok((await endEarly(() => process.kill(findProvider(stack.env), "SIGKILL"))) < 10);
        assert.deepEqual(await listPending(), []);
        await continueUp();
    });
});
