import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { MultiArchImage } from "../../sdk";
import { crash } from "../support/builderFaults";
import { imageArgs, writeContext } from "../support/images";
import { assertNothingLost } from "../support/nothingLost";
import { createStack } from "../support/stack";
import { getWorld, type Architecture, type Builder, type World } from "../support/world";

const imageCount = 40;
const killEveryMs = 10_000;
const kills = 12;
const downMs = 3_000;

/** Three steps of 3 to 8 s, which together take longer than it takes until the next builder is killed. */
function dockerfileOf(number: number): string {
    const steps = [0, 1, 2].map((step) => {
        const seconds = 3 + ((number + 2 * step) % 6);
        return `RUN sleep ${seconds} && echo image ${number} step ${step} >> /made\n`;
    });
    // What a step leaves beside what it makes is not the same on every daemon.
    return `FROM alpine:latest AS run\n${steps.join("")}FROM scratch\nCOPY --from=run /made /\n`;
}

/** One stack with many images, on four builders of the platform of this machine. */
describe("forty builds while one of four builders is killed every ten seconds", function () {
    this.timeout(900_000);
    const architecture: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
    const platform = `linux/${architecture}`;
    let world: World;
    let builders: Builder[] = [];

    before(async () => {
        world = await getWorld();
        builders = await Promise.all(["k1", "k2", "k3", "k4"].map((name) => world.addBuilder(architecture, name)));
    });
    after(async () => {
        await Promise.all(builders.map((builder) => builder.stop()));
    });

    /** Builds all images into repositories of their own, and gives the digest of each and what was printed. */
    const buildAll = async (name: string, maxParallelism: number) => {
        const repositories = Array.from({ length: imageCount }, (_, number) => {
            return `${world.registry}/chaos/${name}-${process.pid}-${number}`;
        });
        const stack = await createStack(world, () => {
            const images = repositories.map((repository, number) => {
                return new MultiArchImage(`image${number}`, {
                    ...imageArgs(world, repository),
                    platforms: [platform],
                    dockerfile: { inline: dockerfileOf(number) },
                    builders: { endpoints: builders.map(({ endpoint }) => endpoint) },
                    emulation: "never",
                    sourceDateEpoch: 1_700_000_000,
                    maxParallelism,
                    retries: 5,
                });
            });
            return Promise.resolve({ digests: images.map(({ indexDigest }) => indexDigest) });
        });
        try {
            writeContext(stack.folder, "all have the same context");
            const { outputs } = await stack.stack.up({ parallel: 2 * imageCount, onOutput: stack.listen });
            const digests = outputs["digests"]?.value as string[];
            await assertNothingLost({ place: world, repositories, builders, env: stack.env });
            return { digests, printed: stack.output() };
        } finally {
            await stack.remove();
        }
    };

    /** Kills one builder after the other, and starts each again a little later. Gives how many it was until the end. */
    const killInTurn = async (ended: AbortSignal): Promise<number> => {
        const begin = performance.now();
        const restarts: Promise<void>[] = [];
        let killed = 0;
        try {
            while (killed < kills) {
                const due = begin + (killed + 1) * killEveryMs;
                await sleep(Math.max(0, due - performance.now()), undefined, { signal: ended });
                const builder = builders[killed % builders.length];
                assert.ok(builder);
                await crash(builder);
                killed++;
                restarts.push(sleep(downMs).then(() => builder.start()));
            }
        } catch (error) {
            assert.ok(ended.aborted, String(error));
        } finally {
            await Promise.all(restarts);
        }
        return killed;
    };

    it("all finish, each with the digest it has without faults", async () => {
        const calm = await buildAll("calm", 10);
        assert.equal(new Set(calm.digests).size, imageCount, "each image has its own content");
        assert.doesNotMatch(calm.printed, /retrying on/);
        // Nothing is to come from a cache that the calm run has left.
        for (const builder of builders) {
            await builder.stop();
            await builder.start({ empty: true });
        }

        const begin = performance.now();
        const ended = new AbortController();
        const building = buildAll("chaos", 2).finally(() => {
            ended.abort();
        });
        const [killed, chaos] = await Promise.all([killInTurn(ended.signal), building]);
        const seconds = Math.round((performance.now() - begin) / 1_000);
        // As they come, with the name of the resource: at the end the engine tells all of it once more.
        const lines = chaos.printed.match(/^.* image\d+-linux-\w+ .*retrying on/gm) ?? [];
        const hit = new Set(lines.map((line) => / image\d+-/.exec(line)?.[0]));
        console.log(
            `        ${imageCount} builds in ${seconds} s, ${killed} kills, ${lines.length} tries more in ${hit.size} builds`,
        );
        assert.equal(killed, kills, "builds went on for all of the two minutes");
        assert.ok(lines.length >= kills, `most kills hit a build that ran: ${lines.length} tries were lost`);
        assert.deepEqual(chaos.digests, calm.digests);
    });
});
