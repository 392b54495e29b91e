import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { createBuildx } from "../support/ownBuildx";

/**
 * A program's life against the real engine, BuildKit and registry. The arm64 daemon runs under QEMU on an amd64 host.
 */
describe("a MultiArchImage in a program", () => {
    const stack = useImageStack();

    beforeEach(() => writeContext(stack.folder, "one"));

    it("pushes one index with exactly its platforms, whose digest is the stack output", async () => {
        stack.args = { tags: ["1.0.0", "latest"], cache: { registry: {} } };
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        const seen = await stack.view.inspect(`${stack.repository}:1.0.0`, join(stack.folder, "docker"));
        assert.deepEqual(seen, { digest, platforms: ["linux/amd64", "linux/arm64"] });
        assert.equal(outputs["ref"]?.value, `${stack.repository}@${digest}`);
        assert.deepEqual(outputs["tagRefs"]?.value, [`${stack.repository}:1.0.0`, `${stack.repository}:latest`]);
        const index = await stack.view.manifest(`${stack.repository}:latest`);
        assert.deepEqual(outputs["platformDigests"]?.value, {
            "linux/amd64": index.manifests[0]?.digest,
            "linux/arm64": index.manifests[1]?.digest,
        });
        for (const { digest: child, platform } of index.manifests) {
            const config = await stack.view.config(`${stack.repository}@${child}`);
            assert.equal(config["architecture"], platform.architecture);
        }
        const builds = outputs["builds"]?.value as Record<string, { builder: string; steps: number }>;
        assert.equal(builds["linux/arm64"]?.builder, stack.world.builders.arm64.endpoint.address);
        assert.ok((builds["linux/amd64"]?.steps ?? 0) > 0);
        const tags = await stack.view.tags(stack.repository);
        assert.deepEqual(tags.sort(), ["1.0.0", "buildcache-linux-amd64", "buildcache-linux-arm64", "latest"]);
    });

    it("gives each machine the image for it when its tag is pulled, and names a variant in the index", async () => {
        const { amd64, arm64 } = stack.world.builders;
        // An emulated builder may not have it.
        const variants = process.arch === "x64" ? ["linux/amd64/v2"] : [];
        const platforms = ["linux/amd64", ...variants, "linux/arm64"];
        const others = variants.map((platform) => ({ ...amd64.endpoint, platform }));
        stack.args = { platforms, builders: { endpoints: [amd64.endpoint, ...others, arm64.endpoint] } };
        const lines = ["FROM scratch", "ARG TARGETPLATFORM", "COPY $TARGETPLATFORM/name /name", "COPY content.txt /"];
        writeContext(stack.folder, "one", lines.join("\n"));
        for (const platform of platforms) {
            mkdirSync(join(stack.folder, "app", platform), { recursive: true });
            writeFileSync(join(stack.folder, "app", platform, "name"), platform);
        }
        await stack.up();
        const { manifests } = await stack.view.manifest(`${stack.repository}:latest`);
        const listed = manifests.map(({ platform: { os, architecture, variant: other } }) => {
            return [os, architecture, ...(other === undefined ? [] : [other])].join("/");
        });
        assert.deepEqual(listed, platforms);

        const pulled: Record<string, string> = {};
        for (const platform of platforms) {
            const builder = platform === "linux/arm64" ? arm64 : amd64;
            const buildx = await createBuildx(builder, stack.world);
            const folder = join(stack.folder, "pulled", platform.replaceAll("/", "-"));
            mkdirSync(folder, { recursive: true });
            writeFileSync(join(folder, "Dockerfile"), `FROM ${stack.repository}:latest\n`);
            await buildx.build(["--platform", platform, "--output", `type=local,dest=${folder}`, folder]);
            buildx.remove();
            pulled[platform] = readFileSync(join(folder, "name"), "utf8");
        }
        assert.deepEqual(pulled, Object.fromEntries(platforms.map((platform) => [platform, platform])));
    });

    it("shows no changes on the second up, in preview, and after a refresh", async () => {
        const first = await stack.up();
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        const preview = await stack.stack.preview({ expectNoChanges: true });
        assert.deepEqual(preview.changeSummary, { same: 5 });
        await stack.stack.refresh({ expectNoChanges: true });
        const last = await stack.up();
        assert.deepEqual(last.summary.resourceChanges, { same: 5 });
        assert.deepEqual(last.outputs, first.outputs);
    });

    it("shows no changes on a new runner: another home, other times and permissions of files", async () => {
        await stack.up();
        rmSync(stack.env["HOME"] ?? "", { recursive: true, force: true });
        writeContext(stack.folder, "one");
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
    });

    it("builds again when the content changes, and only then", async () => {
        const first = await stack.up();
        writeFileSync(join(stack.folder, "app", "content.txt"), "two");
        const preview = await stack.stack.preview();
        assert.deepEqual(preview.changeSummary, { same: 2, update: 3 });
        const second = await stack.up();
        assert.notEqual(second.outputs["indexDigest"]?.value, first.outputs["indexDigest"]?.value);
        assert.equal(await stack.view.digestOf(`${stack.repository}:latest`), second.outputs["indexDigest"]?.value);
        assert.equal(
            await stack.view.digestOf(`${stack.repository}@${String(first.outputs["indexDigest"]?.value)}`),
            first.outputs["indexDigest"]?.value,
            "what was pushed before is still there",
        );
    });

    it("builds nothing when only cache, accounts, time limits or secrets change", async () => {
        await stack.up();
        stack.args = { cache: { inline: {} }, timeoutSeconds: 600, retries: 1, secrets: { unused: "x" } };
        const { summary } = await stack.up();
        assert.deepEqual(summary.resourceChanges, { same: 4, update: 1 }, "only the component shows its new inputs");
    });

    it("knows its outputs in preview when nothing is built", async () => {
        const { outputs } = await stack.up();
        stack.args = { tags: ["latest", "next"] };
        const events: string[] = [];
        await stack.stack.preview({
            onEvent: ({ resOutputsEvent }) => {
                const { urn = "", new: state } = resOutputsEvent?.metadata ?? {};
                if (urn.endsWith("ImageIndex::app-index")) {
                    events.push(String((state?.outputs as Record<string, unknown>)["digest"]));
                }
            },
        });
        assert.deepEqual(events, [outputs["indexDigest"]?.value]);
        assert.deepEqual(await stack.view.tags(stack.repository), ["latest"], "a preview moves no tag");
    });

    it("uses target, build arguments and secrets", async () => {
        const dockerfile = [
            "FROM alpine:latest AS base",
            "ARG GREETING=none",
            "RUN --mount=type=secret,id=token test \"$(cat /run/secrets/token)\" = 'two words'",
            'RUN echo "$GREETING" > /greeting',
            "FROM base AS wanted",
            'LABEL stage="wanted"',
            "FROM scratch AS last",
        ].join("\n");
        stack.args = {
            platforms: ["linux/amd64"],
            dockerfile: { inline: dockerfile },
            target: "wanted",
            buildArgs: { GREETING: "hello, world" },
            secrets: { token: "two words" },
        };
        const { outputs } = await stack.up();
        const digests = outputs["manifestDigests"]?.value as Record<string, string>;
        const config = await stack.view.config(`${stack.repository}@${digests["linux/amd64"] ?? ""}`);
        assert.equal((config["config"] as { Labels: Record<string, string> }).Labels["stage"], "wanted");
        assert.match(JSON.stringify(config["history"]), /GREETING=hello, world/);
    });
});
