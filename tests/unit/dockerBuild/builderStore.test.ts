import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sweepPrivateFolders, withPrivateFolder } from "../../../sdk/build/privateFolder";
import type { BuilderNode } from "../../../sdk/builders/node";
import { buildxStoreFolder, openBuilderStore, undoBuilderStore } from "../../../sdk/dockerBuild/builderStore";

const node: BuilderNode = {
    name: "b",
    platform: "linux/arm64",
    address: "tcp://10.0.0.1:1234",
    tls: { ca: "CA", cert: "CERT", key: "KEY" },
    serverName: "builder",
    emulation: "never",
    property: "builders.endpoints[0]",
};

describe("a builder that docker-build is told of", () => {
    let parent: string;
    let base: string;
    let store: string;
    beforeEach(() => {
        parent = mkdtempSync(join(tmpdir(), "store-"));
        base = join(parent, "private");
        store = join(parent, "docker", "buildx");
    });
    afterEach(() => rmSync(parent, { recursive: true, force: true }));

    /** What docker-build leaves in a store. */
    const build = (name: string): void => {
        for (const folder of ["defaults", "activity", `refs/${name}/${name}0`]) {
            mkdirSync(join(store, folder), { recursive: true });
        }
        writeFileSync(join(store, "activity", name), "now");
        writeFileSync(join(store, "refs", name, `${name}0`, "x"), "{}");
        writeFileSync(join(store, ".lock"), "");
        writeFileSync(join(store, ".buildNodeID"), "id");
    };

    it("stands in the store as buildx writes it, its keys in a private folder, and goes without a trace", async () => {
        await withPrivateFolder(
            async (folder) => {
                const builders = await openBuilderStore(folder, store);
                await builders.add("one", node);
                await builders.add("two", { ...node, tls: undefined });
                const entry = join(store, "instances", "one");
                const written = JSON.parse(readFileSync(entry, "utf8")) as {
                    Nodes: { DriverOpts: Record<string, string> }[];
                };
                const options = written.Nodes[0]?.DriverOpts ?? {};
                assert.equal(options["servername"], "builder");
                assert.equal(readFileSync(options["key"] ?? "", "utf8"), "KEY");
                assert.equal(readFileSync(entry, "utf8").includes("KEY"), false);
                assert.equal(statSync(entry).mode & 0o077, 0);
                assert.equal(statSync(options["key"] ?? "").mode & 0o077, 0);
                build("one");
                await builders.remove("one");
                assert.equal(existsSync(options["key"] ?? ""), false);
                assert.deepEqual(readdirSync(join(store, "instances")), ["two"]);
                await builders.remove("two");
                assert.deepEqual(readdirSync(join(parent)), ["private"]);
            },
            { base },
        );
    });

    it("takes nothing away that the user has", async () => {
        mkdirSync(join(store, "instances"), { recursive: true });
        writeFileSync(join(store, "instances", "own"), "{}");
        writeFileSync(join(store, "current"), "{}");
        await withPrivateFolder(
            async (folder) => {
                const builders = await openBuilderStore(folder, store);
                await builders.add("one", node);
                build("one");
                await undoBuilderStore(folder.path);
            },
            { base },
        );
        assert.equal(readFileSync(join(store, "current"), "utf8"), "{}");
        assert.deepEqual(readdirSync(join(store, "instances")), ["own"]);
        // Another buildx may be about to write into the folders themselves.
        assert.deepEqual(readdirSync(join(store, "activity")), []);
        assert.deepEqual(readdirSync(join(store, "refs")), []);
    });

    it("goes with the next start after a kill", async () => {
        await withPrivateFolder(
            async (folder) => {
                await (await openBuilderStore(folder, store)).add("one", node);
                build("one");
                // As if another process had made it, one that is gone.
                const gone = spawnSync("true").pid;
                const name = folder.path.split("/").pop() ?? "";
                renameSync(folder.path, join(base, name.replace(/^\d+-\d+/, `${gone}-1`)));
            },
            { base },
        );
        assert.equal(await sweepPrivateFolders({ base }, undoBuilderStore), 1);
        assert.deepEqual(readdirSync(parent), ["private"]);
    });

    it("is looked for where buildx looks", () => {
        assert.equal(buildxStoreFolder({ BUILDX_CONFIG: "/b", DOCKER_CONFIG: "/d" }), "/b");
        assert.equal(buildxStoreFolder({ BUILDX_CONFIG: "", DOCKER_CONFIG: "/d" }), "/d/buildx");
        assert.equal(buildxStoreFolder({ HOME: "/h" }), "/h/.docker/buildx");
    });
});
