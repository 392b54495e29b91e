import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { MultiArchImage } from "../../sdk";
import type { LeaseOptions } from "../../sdk/build/lease";
import type { BuilderNode, BuilderTls } from "../../sdk/builders/node";
import { orderNodes } from "../../sdk/builders/rendezvous";
import type { RunnerOrder } from "../fixtures/routing/runner";
import { isTicket, mostAtOnce, watchBuilds, type BuildWatch } from "../support/buildWatch";
import { writeContext } from "../support/images";
import { createRegistryConfig } from "../support/registryConfig";
import { startRunner, type Runner } from "../support/runner";
import { createStack } from "../support/stack";
import { getWorld, type Builder, type World } from "../support/world";

const imageCount = 16;
const limit = 2;

/**
 * Four real daemons, each on a host of its own, and runners that are processes of their own. All are amd64, so that
 * nothing is emulated: which builder an image gets does not depend on what it runs. What a daemon had going on is read
 * from its own events.
 */
describe("several builders of a platform", function () {
    this.timeout(180_000);
    let world: World;
    let folder: string;
    let builders: Builder[];
    let nodes: BuilderNode[];
    const watches: BuildWatch[] = [];
    const runners: Runner[] = [];

    before(async () => {
        world = await getWorld();
        folder = mkdtempSync(join(tmpdir(), "routing-"));
        builders = await Promise.all(["r1", "r2", "r3", "r4"].map((name) => world.addBuilder("amd64", name)));
        nodes = builders.map(({ endpoint }, index) => ({
            name: endpoint.address,
            platform: "linux/amd64",
            address: endpoint.address,
            tls: endpoint.tls as BuilderTls,
            emulation: "allow",
            maxParallelism: limit,
            property: `builders.endpoints[${index}]`,
        }));
    });
    afterEach(() => {
        watches.splice(0).forEach((watch) => {
            watch.stop();
        });
        runners.splice(0).forEach((runner) => {
            runner.kill();
        });
    });
    after(async () => {
        await Promise.all((builders as Builder[] | undefined)?.map((builder) => builder.stop()) ?? []);
        rmSync(folder, { recursive: true, force: true });
    });

    const watch = (count: number): BuildWatch[] => {
        const started = nodes.slice(0, count).map(watchBuilds);
        watches.push(...started);
        return started;
    };
    const listImages = (name: string, count: number, step = "COPY content.txt /"): RunnerOrder["images"] => {
        return Array.from({ length: count }, (_, number) => {
            const context = join(folder, `${name}-${number}`);
            mkdirSync(context, { recursive: true });
            writeFileSync(join(context, "content.txt"), context);
            return {
                platform: "linux/amd64",
                repository: `${world.registry}/routing/${name}-${number}`,
                context: { location: context },
                dockerfile: { inline: `FROM alpine:latest\n${step}\n` },
                buildArgs: {},
                secrets: {},
                registriesConfig: createRegistryConfig(world),
                timeoutSeconds: 120,
                baseDirectory: context,
                retries: 0,
            };
        });
    };
    const start = (images: RunnerOrder["images"], count: number, options: LeaseOptions = {}): Runner => {
        const runner = startRunner(world, { nodes: nodes.slice(0, count), images, options });
        runners.push(runner);
        return runner;
    };
    const preferredOf = (repository: string, among: readonly BuilderNode[]): string => {
        const items = among.map((node) => ({ node }));
        return orderNodes(`${repository} linux/amd64`, items)[0]?.node.address ?? "";
    };
    // Long enough that none goes elsewhere.
    const stays = { spillAfterMs: 600_000 };

    const placed: Map<string, string>[] = [];
    for (const count of [1, 2, 4]) {
        it(`build ${imageCount} images on ${count}, each where its cache is, never more at once than is allowed, in line`, async () => {
            const seen = watch(count);
            const runner = start(listImages("spread", imageCount), count, stays);
            await runner.ended;
            const builds = buildsOf(runner);
            assert.equal(builds.size, imageCount);
            for (const [repository, address] of builds) {
                assert.equal(address, preferredOf(repository, nodes.slice(0, count)));
            }
            // Sixteen leave out one of four now and then, and practically never two.
            assert.ok(new Set(builds.values()).size >= Math.ceil(0.75 * count));
            for (const one of seen) {
                assertInLine(one);
                assert.ok(mostAtOnce(one.builds()) <= limit, String(mostAtOnce(one.builds())));
                const left = (await one.history()).filter(isTicket);
                assert.deepEqual(left, []);
            }
            placed.push(builds);
            const share = [...countBy(builds.values()).values()].join(", ");
            const atOnce = seen.map((one) => mostAtOnce(one.builds())).join(", ");
            console.log(`      images per builder: ${share}; most at once: ${atOnce}`);
        });
    }

    it("move only the images of one that is lost", async () => {
        const before = placed.at(-1) ?? assert.fail("nothing was placed before");
        const lost = [...before.values()][0];
        const builder = builders.find(({ endpoint }) => endpoint.address === lost);
        await builder?.stop();
        try {
            const runner = start(listImages("spread", imageCount), 4, stays);
            await runner.ended;
            const after = buildsOf(runner);
            assert.equal(after.size, imageCount);
            for (const [repository, address] of before) {
                if (address === lost) {
                    assert.notEqual(after.get(repository), lost);
                } else {
                    assert.equal(after.get(repository), address);
                }
            }
        } finally {
            await builder?.start();
        }
    });

    it("have one line for several runners, and serve who came first", async () => {
        const [seen] = watch(1) as [BuildWatch];
        const both = [start(listImages("one", 6), 1), start(listImages("other", 6), 1)];
        await Promise.all(both.map(({ ended }) => ended));
        assert.deepEqual(
            both.map((runner) => buildsOf(runner).size),
            [6, 6],
        );
        assert.equal(seen.builds().length, 12);
        assert.ok(mostAtOnce(seen.builds()) <= limit);
        assertInLine(seen);
        const names = seen.builds().map(({ repository }) => (repository.includes("/one-") ? "one" : "other"));
        console.log(`      order of builds: ${names.join(" ")}`);
    });

    it("give the places of a runner that is killed to those who wait", async () => {
        const [seen] = watch(1) as [BuildWatch];
        const killed = start(listImages("killed", limit, "RUN sleep 100"), 1);
        await until(() => statesOf(killed).filter((state) => state === "builds").length === limit);
        const waiting = start(listImages("waiting", 1), 1);
        await until(() => statesOf(waiting).includes("waits"));
        killed.kill();
        const begin = performance.now();
        await until(() => statesOf(waiting).includes("builds"));
        const seconds = (performance.now() - begin) / 1_000;
        assert.ok(seconds < 10, `${seconds}`);
        await waiting.ended;
        assert.equal(buildsOf(waiting).size, 1);
        console.log(`      a place after ${seconds.toFixed(2)} s`);
        // The tickets of the dead are taken away by those who live, a little later.
        const left = (await seen.history()).filter(isTicket);
        assert.ok(left.length <= limit);
    });

    it("take an image of one that is full, when another has room", async () => {
        const holding = start(listImages("full", limit, "RUN sleep 30"), 1);
        await until(() => statesOf(holding).filter((state) => state === "builds").length === limit);
        const [node] = nodes as [BuilderNode];
        const image = listImages("spilled", 30).find(({ repository }) => {
            return preferredOf(repository, nodes.slice(0, 2)) === node.address;
        });
        assert.ok(image);
        const runner = start([image], 2, { spillAfterMs: 1_000 });
        await runner.ended;
        assert.equal(buildsOf(runner).get(image.repository), nodes[1]?.address);
    });

    it("show on the row of an image what it waits for, and count it", async () => {
        const names = ["a", "b", "c"];
        const repositories = names.map(() => world.newRepository());
        const { registry: address, username, password } = world;
        const [endpoint] = builders.map((builder) => builder.endpoint);
        assert.ok(endpoint);
        const stack = await createStack(world, () => {
            const images = names.map((name, index) => {
                return new MultiArchImage(name, {
                    context: { location: "./app" },
                    platforms: ["linux/amd64"],
                    repository: repositories[index] ?? "",
                    registries: [{ address, username, password }],
                    builders: { endpoints: [endpoint] },
                    emulation: "allow",
                    buildArgs: { NAME: name },
                    maxParallelism: 1,
                });
            });
            return Promise.resolve({ builds: images.map(({ builds }) => builds) });
        });
        try {
            writeContext(stack.folder, "text", "FROM alpine:latest\nARG NAME\nRUN sleep 2 && echo $NAME > /name\n");
            const [seen] = watch(1) as [BuildWatch];
            const { outputs } = await stack.up();
            const builds = (outputs["builds"]?.value as Record<string, Report>[]).map((one) => one["linux/amd64"]);
            assert.deepEqual(new Set(builds.map((build) => build?.builder)), new Set([endpoint.address]));
            assert.equal(mostAtOnce(seen.builds()), 1);
            assert.match(stack.output(), /waiting for tcp:\/\/[\d.]+:1234: [12] builds? ahead, 1 at once/);
            const waited = builds.map((build) => build?.waitingSeconds ?? 0).sort((one, other) => one - other);
            assert.ok((waited[1] ?? 0) >= 2 && (waited[2] ?? 0) >= 4, waited.join(" "));
        } finally {
            await stack.remove();
        }
    });
});

interface Report {
    readonly builder: string;
    readonly waitingSeconds: number;
}

/** The builder of each image that is done. */
function buildsOf({ reports }: Runner): Map<string, string> {
    const failed = reports.filter(({ state }) => state === "failed");
    assert.deepEqual(failed, []);
    return new Map(
        reports.filter(({ state }) => state === "done").map(({ repository, address = "" }) => [repository, address]),
    );
}

function statesOf({ reports }: Runner): string[] {
    return reports.map(({ state }) => state);
}

/**
 * Nobody overtakes: when a build begins, fewer than there are places of those with an older ticket are not done yet. In
 * which order those with a place begin is not said, because buildx takes its time to start.
 */
function assertInLine(watch: BuildWatch): void {
    const builds = new Map(watch.builds().map((build) => [build.repository, build]));
    watch.tickets().forEach((repository, turn, tickets) => {
        const begin = builds.get(repository)?.begin;
        assert.ok(begin !== undefined, `${repository} has a ticket and was not built`);
        const open = tickets.slice(0, turn).filter((older) => (builds.get(older)?.end ?? Infinity) > begin);
        assert.ok(open.length < limit, `${repository} began while ${open.join(", ")} before it were not done`);
    });
}

function countBy(values: Iterable<string>): Map<string, number> {
    const counts = new Map<string, number>();
    for (const value of values) {
        counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
}

async function until(isSo: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 60_000; !isSo();) {
        assert.ok(Date.now() < deadline, "it did not happen within a minute");
        await sleep(50);
    }
}
