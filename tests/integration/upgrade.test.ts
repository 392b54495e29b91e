import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Deployment } from "@pulumi/pulumi/automation";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { packageVersion } from "../../sdk/package";
import { imageArgs } from "../support/images";
import { createStack, type TestStack } from "../support/stack";
import { getWorld, type World } from "../support/world";

const fixtures = join(__dirname, "..", "fixtures", "upgrade");
const states = join(fixtures, "states");

const recordedRepository = "registry.example.com/team/app";

/** Recorded without TLS and accounts: a state with a key in it has no place in a repository. */
const recorded: MultiArchImageArgs = {
    context: { location: "./app" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository: recordedRepository,
    tags: ["1.0", "latest"],
    buildArgs: { MODE: "release" },
    cache: { registry: {} },
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: "tcp://10.0.0.1:1234", insecure: true },
            { platform: "linux/arm64", address: "tcp://10.0.0.2:1234", insecure: true },
        ],
    },
};

/**
 * The states that released versions have left behind: this version must not want to build, replace or delete anything
 * because of its own age. No builder or registry is asked: a preview needs none.
 */
describe("a state of an earlier version", () => {
    let world: World;

    before(async () => {
        world = await getWorld();
    });

    const withStack = async (
        args: () => MultiArchImageArgs,
        run: (stack: TestStack) => Promise<void>,
    ): Promise<void> => {
        const stack = await createStack(world, () => {
            const { indexDigest, contentHash } = new MultiArchImage("app", args());
            return Promise.resolve({ indexDigest, contentHash });
        });
        cpSync(join(fixtures, "app"), join(stack.folder, "app"), { recursive: true });
        try {
            await run(stack);
        } finally {
            await stack.stack.importStack(emptyState());
            await stack.remove();
        }
    };

    const versions = readdirSync(states).map((name) => name.replace(/\.json$/, ""));

    it("is there for this version, and is recorded anew with MULTIARCH_RECORD=1", async () => {
        if (process.env["MULTIARCH_RECORD"] === "1") {
            await record();
        }
        assert.ok(readdirSync(states).includes(`${packageVersion}.json`));
    });

    for (const version of versions) {
        it(`${version} shows no changes`, async () => {
            await withStack(
                () => recorded,
                async ({ stack }) => {
                    const state = JSON.parse(readFileSync(join(states, `${version}.json`), "utf8")) as Deployment;
                    await stack.importStack(rename(state, stack.name, (await stack.workspace.projectSettings()).name));
                    const { changeSummary } = await stack.preview({ expectNoChanges: true });
                    assert.deepEqual(changeSummary, { same: 5 });
                },
            );
        });
    }

    /** Builds for real, and then puts what the program of the recording says in place of builders and registry. */
    async function record(): Promise<void> {
        const repository = world.newRepository();
        const args = { ...recorded, ...imageArgs(world, repository) };
        const stack = await createStack(world, () => {
            const { indexDigest, contentHash } = new MultiArchImage("app", args);
            return Promise.resolve({ indexDigest, contentHash });
        });
        cpSync(join(fixtures, "app"), join(stack.folder, "app"), { recursive: true });
        await stack.up();
        const state = await stack.stack.exportStack();
        const deployment = state.deployment as { resources: { type: string; inputs?: Record<string, unknown> }[] };
        for (const { type, inputs } of deployment.resources) {
            if (inputs === undefined) {
                continue;
            }
            delete inputs["registries"];
            delete inputs["emulation"];
            if (type.endsWith("MultiArchImage")) {
                inputs["builders"] = recorded.builders;
            } else if (type.endsWith("PlatformImage")) {
                const { endpoints } = recorded.builders as { endpoints: object[] };
                inputs["nodes"] = endpoints.map((node, i) => ({ ...node, property: `builders.endpoints[${i}]` }));
            }
        }
        const text = JSON.stringify(rename(state, "STACK", "PROJECT"), withoutPlaces, 4)
            .replaceAll(repository, recordedRepository)
            .replaceAll(stack.folder, ".");
        assert.doesNotMatch(text, /PRIVATE KEY|ciphertext|sourcePosition/);
        writeFileSync(join(states, `${packageVersion}.json`), `${text}\n`);
        await stack.remove();
    }
});

/** Leaves out where in a program a resource stands: those are paths of the machine that recorded it. */
function withoutPlaces(name: string, value: unknown): unknown {
    return ["sourcePosition", "stackTrace"].includes(name) ? undefined : value;
}

/** The same state for a stack of another name: names are part of every URN. */
function rename(state: Deployment, stack: string, project: string): Deployment {
    const text = JSON.stringify(state).replaceAll(/urn:pulumi:[^:"]+::[^:"]+::/g, `urn:pulumi:${stack}::${project}::`);
    return JSON.parse(
        text.replaceAll(/pulumi:pulumi:Stack::[^"]+"/g, `pulumi:pulumi:Stack::${project}-${stack}"`),
    ) as Deployment;
}

function emptyState(): Deployment {
    return { version: 3, deployment: { manifest: { time: "2020-01-01T00:00:00Z", magic: "", version: "" } } };
}
