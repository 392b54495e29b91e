import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ExportedFile } from "../../sdk";
import { readFileTree } from "../support/fileTrees";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { createBuildx } from "../support/ownBuildx";
import { runTool } from "../support/tools";

/** Layers that add, link, hide and replace: what an export has to put together. */
const dockerfile = `FROM alpine
COPY content.txt /work/
RUN cd /work && mkdir gone deep && echo one >gone/x && echo two >deep/old && echo h >hard1 && ln hard1 hard2 \\
    && ln hard1 hard3 && ln -s content.txt link && ln -s /etc/passwd outside && chmod 4755 hard1 && chmod 700 deep
RUN cd /work && rm -r gone deep hard1 && mkdir -m 2750 deep && echo three >deep/new && chmod 600 content.txt
`;

const archives = [
    "app-linux-amd64.tar",
    "app-linux-arm64.tar",
    "oci.tar",
    "root-linux-amd64.tar",
    "root-linux-arm64.tar",
];

describe("exports of an image", () => {
    const stack = useImageStack();

    const out = (...parts: string[]): string => join(stack.folder, "out", ...parts);
    const unpack = async (name: string): Promise<string> => {
        const folder = join(stack.folder, "unpacked", name);
        mkdirSync(folder, { recursive: true });
        await runTool("tar", ["--extract", "--same-permissions", "--file", out(name), "--directory", folder]);
        return folder;
    };

    beforeEach(() => {
        stack.args = {
            tags: ["1.0", "latest"],
            exports: [
                { oci: { dest: "out/oci.tar" } },
                { docker: { dest: "./out/app.tar", names: ["example.com/team/app:dev"] } },
                { tar: { dest: "out/root.tar" } },
                { local: { dest: "out/files" } },
            ],
        };
        writeContext(stack.folder, "one", dockerfile);
    });

    it("are what was pushed, for all platforms, and files that are lost are written again", async function () {
        this.timeout(180_000);
        const { outputs } = await stack.up();
        const digest = String(outputs["indexDigest"]?.value);
        const platforms = outputs["platformDigests"]?.value as Record<string, string>;
        const files = outputs["exportedFiles"]?.value as ExportedFile[];
        assert.deepEqual(readdirSync(out()).sort(), [...archives, "files"].sort(), "and no file that is left over");
        for (const { path, digest: written, size } of files.filter((file) => file.path.endsWith(".tar"))) {
            const bytes = readFileSync(join(stack.folder, path));
            assert.deepEqual([digestOf(bytes), bytes.length], [written, size], path);
        }

        // The OCI archive: everything under the digest of the registry.
        const layout = await unpack("oci.tar");
        const index = readJson(layout, "index.json") as { manifests: Entry[] };
        assert.deepEqual(
            index.manifests.map((entry) => [entry.digest, entry.annotations?.["io.containerd.image.name"]]),
            [
                [digest, `${stack.repository}:1.0`],
                [digest, `${stack.repository}:latest`],
            ],
        );
        const found = assertWhole(layout, digest);
        assert.deepEqual(
            readdirSync(join(layout, "blobs", "sha256")).sort(),
            [...found].map((each) => each.slice(7)).sort(),
            "nothing else is in it",
        );
        for (const manifest of Object.values(platforms)) {
            assert.ok(found.has(manifest));
        }

        // The docker archives: an image each, with what `docker load` reads.
        for (const [platform, manifest] of Object.entries(platforms)) {
            const folder = await unpack(`app-${platform.replace("/", "-")}.tar`);
            const [image] = readJson(folder, "manifest.json") as {
                Config: string;
                RepoTags: string[];
                Layers: string[];
            }[];
            assert.deepEqual(image?.RepoTags, ["example.com/team/app:dev"]);
            const config = readJson(folder, image.Config) as { architecture: string };
            assert.equal(`linux/${config.architecture}`, platform);
            assert.ok(image.Layers.length > 3 && image.Layers.every((layer) => existsSync(join(folder, layer))));
            assertWhole(folder, manifest);
        }

        // The files: the same as BuildKit gives for the same Dockerfile on the same builder.
        for (const architecture of ["amd64", "arm64"] as const) {
            const buildx = await createBuildx(stack.world.builders[architecture]);
            const folder = join(stack.folder, "buildx", architecture);
            await buildx.build(["--output", `type=local,dest=${folder}`, join(stack.folder, "app")]);
            const expected = readFileTree(folder);
            assert.ok(Object.keys(expected).length > 100);
            assert.deepEqual(readFileTree(out("files", `linux_${architecture}`)), expected);
            assert.deepEqual(readFileTree(await unpack(`root-linux-${architecture}.tar`)), expected);
            if (architecture === "amd64") {
                // A builder reads the image from the layout.
                const second = join(stack.folder, "second");
                mkdirSync(second);
                writeFileSync(join(second, "Dockerfile"), "FROM scratch\nCOPY --from=exported /work /\n");
                const context = ["--build-context", `exported=oci-layout://${layout}:latest`];
                await buildx.build([...context, "--output", `type=local,dest=${join(second, "out")}`, second]);
                assert.equal(readFileSync(join(second, "out", "content.txt"), "utf8"), "one");
                assert.equal(readFileSync(join(second, "out", "deep", "new"), "utf8"), "three\n");
            }
            buildx.remove();
        }

        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 9 });

        // Lost on this machine, as on a new runner: written again, and nothing else is.
        const kept = statSync(out("app-linux-amd64.tar")).ino;
        rmSync(out("app-linux-arm64.tar"));
        rmSync(out("files", "linux_arm64", "work", "deep"), { recursive: true });
        writeFileSync(out("oci.tar"), "damaged");
        writeFileSync(out("files", "notes.txt"), "mine");
        writeFileSync(out("files", "linux_arm64", "notes.txt"), "mine");
        const { stdout } = await stack.stack.preview();
        assert.match(stdout, /writes again: out\/app-linux-arm64\.tar is missing/);
        assert.match(stdout, /writes again: out\/oci\.tar is not what was written/);
        assert.match(stdout, /writes again: out\/files\/linux_arm64 lacks work\/deep/);
        const again = await stack.up();
        assert.deepEqual(again.summary.resourceChanges, { same: 6, update: 3 });
        assert.deepEqual(again.outputs["exportedFiles"]?.value, files, "with the same bytes");
        assert.equal(statSync(out("app-linux-amd64.tar")).ino, kept, "what was there was not written");
        assert.equal(readFileSync(out("files", "linux_arm64", "work", "deep", "new"), "utf8"), "three\n");
        for (const notes of [out("files", "notes.txt"), out("files", "linux_arm64", "notes.txt")]) {
            assert.equal(readFileSync(notes, "utf8"), "mine");
        }

        // Another place leaves the old file; taking the stack away leaves all.
        stack.args = { ...stack.args, exports: [{ oci: { dest: "out/layout", tar: false } }] };
        await stack.up();
        assertWhole(out("layout"), digest);
        assert.deepEqual(readdirSync(out()).sort(), [...archives, "files", "layout"].sort());
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 6 });
        await stack.stack.destroy();
        assert.deepEqual(readdirSync(out()).sort(), [...archives, "files", "layout"].sort());
    });

    it("are refused in the context, and say what is in their way; ignored in the context, they are fine", async () => {
        writeContext(stack.folder, "one");
        const folder = join(stack.folder, "app", "out");
        stack.args = { exports: [{ oci: { dest: "app/out/app.tar" } }] };
        assert.match(await stack.upFails(), /exports\[0\]\.oci\.dest.*is in the folder of context\.location/s);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);
        writeFileSync(join(stack.folder, "app", ".dockerignore"), "out\n");

        mkdirSync(join(folder, "app.tar"), { recursive: true });
        const printed = await stack.upFails();
        assert.match(
            printed,
            /app\/out\/app\.tar cannot be written: a folder is in its place \(EISDIR\) \[export-failed\]/,
        );
        assert.match(printed, /property: exports\[0\]\.oci\.dest\s+next: There is a folder of this name/);
        assert.deepEqual(readdirSync(folder), ["app.tar"], "nothing is left over");
        rmSync(join(folder, "app.tar"), { recursive: true });
        assert.equal((await stack.up()).summary.resourceChanges?.create, 1);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 6 });
    });
});

interface Entry {
    readonly digest: string;
    readonly size: number;
    readonly annotations?: Record<string, string>;
}

interface Manifest {
    readonly manifests?: Entry[];
    readonly config?: Entry;
    readonly layers?: Entry[];
}

/** Reads everything under a digest, with its size and digest. Gives what was read. */
function assertWhole(layout: string, digest: string, found = new Set<string>()): Set<string> {
    const bytes = readFileSync(join(layout, "blobs", digest.replace(":", "/")));
    assert.equal(digestOf(bytes), digest);
    found.add(digest);
    const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString("utf8")) as Manifest;
    for (const entry of [...(config === undefined ? [] : [config]), ...layers]) {
        const content = readFileSync(join(layout, "blobs", entry.digest.replace(":", "/")));
        assert.deepEqual([digestOf(content), content.length], [entry.digest, entry.size]);
        found.add(entry.digest);
    }
    manifests.forEach((entry) => assertWhole(layout, entry.digest, found));
    return found;
}

function digestOf(bytes: Buffer): string {
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function readJson(folder: string, name: string): unknown {
    return JSON.parse(readFileSync(join(folder, name), "utf8"));
}
