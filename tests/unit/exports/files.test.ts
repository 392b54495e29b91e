import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { mergeFolder } from "../../../sdk/exports/mergeFolder";
import { finishFolders, writeRootFolder } from "../../../sdk/exports/rootFolder";
import { writeRootTar } from "../../../sdk/exports/rootTar";
import { encodeEntry, type TarEntry } from "../../../sdk/exports/tarHeader";
import { readTar } from "../../../sdk/exports/tarReader";
import type { ExportKind } from "../../../sdk/exports/targets";
import { withWorkFolder } from "../../../sdk/exports/workFolder";
import { writeExport } from "../../../sdk/exports/write";
import {
    inspectTarget,
    noteTree,
    packContents,
    unpackContents,
    type WrittenTarget,
} from "../../../sdk/exports/written";
import { digestOf, mediaTypes, parseManifest } from "../../../sdk/registry/manifests";
import { openLayers, packLayer, serve, type LayerEntry } from "./layers";

describe("files of an image", () => {
    let folder: string;

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "multiarch-files-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    async function withFiles<T>(
        entries: LayerEntry[],
        use: (files: Awaited<ReturnType<typeof openLayers>>) => Promise<T>,
    ) {
        const files = await openLayers([{ tar: packLayer(entries) }]);
        try {
            return await use(files);
        } finally {
            await files.remove();
        }
    }

    /** Writes files beside a folder and moves them into it. */
    const merge = (entries: LayerEntry[], target: string): Promise<unknown> =>
        withFiles(entries, async (files) => {
            const staged = mkdtempSync(join(folder, "staged-"));
            const { items } = await writeRootFolder(files, staged);
            await mergeFolder(items, staged, target);
            await finishFolders(items, target);
        });

    it("keep owners, devices, capabilities and odd names in a tar, which other programs read", async () => {
        const capability = "\x01\x00\x00\x02\x80\x20\xff\x00";
        const path = join(folder, "root.tar");
        const entries: LayerEntry[] = [
            { path: "bin/", mode: 0o2750, uid: 7, gid: 8 },
            {
                path: "bin/ping",
                text: "ping",
                mode: 0o4755,
                records: { "SCHILY.xattr.security.capability": capability },
            },
            { path: "bin/ping2", kind: "hardlink", link: "bin/ping" },
            { path: "caf\xe9", text: "latin" },
            { path: "null", kind: "character", deviceMajor: 1, deviceMinor: 3 },
            { path: "x".repeat(150), text: "long", uid: 3_000_000, mtime: -5 },
        ];
        await withFiles(entries, (files) => writeRootTar(files, path));
        const file = await open(path);
        const found: TarEntry[] = [];
        for await (const { entry } of readTar(file)) {
            found.push(entry);
        }
        await file.close();
        const ping = found.find((entry) => entry.path === "bin/ping");
        assert.equal(ping?.records["SCHILY.xattr.security.capability"], capability);
        assert.deepEqual(
            found.map((entry) => [entry.path, entry.kind, entry.mode.toString(8), entry.uid, entry.mtime, entry.link]),
            [
                ["bin/", "directory", "2750", 7, 1_000_000, ""],
                ["bin/ping", "file", "4755", 0, 1_000_000, ""],
                ["bin/ping2", "hardlink", "4755", 0, 1_000_000, "bin/ping"],
                ["caf\xe9", "file", "644", 0, 1_000_000, ""],
                ["null", "character", "644", 0, 1_000_000, ""],
                ["x".repeat(150), "file", "644", 3_000_000, -5, ""],
            ],
        );
        const listed = execFileSync("tar", ["--list", "--verbose", "--numeric-owner", "--file", path]).toString(
            "latin1",
        );
        assert.match(listed, /^drwxr-s--- 7\/8 .* bin\/$/m);
        assert.match(listed, /^crw-r--r-- 0\/0\s+1,3 .* null$/m);
        assert.match(listed, /^hrwsr-xr-x .* bin\/ping2 link to bin\/ping$/m);
        assert.match(listed, new RegExp(`3000000/0 .* ${"x".repeat(150)}$`, "m"));
    });

    it("never follow a link that is in the way, and leave what else is there", async () => {
        const [target, elsewhere] = [join(folder, "target"), join(folder, "elsewhere")];
        [target, elsewhere].forEach((path) => mkdirSync(path));
        writeFileSync(join(elsewhere, "passwd"), "real");
        symlinkSync(elsewhere, join(target, "etc"));
        symlinkSync(join(elsewhere, "passwd"), join(target, "file"));
        writeFileSync(join(target, "mine"), "mine");
        mkdirSync(join(target, "kept"), { mode: 0o500 });
        writeFileSync(join(target, "kept", "mine"), "mine");
        await merge(
            [
                { path: "etc/" },
                { path: "etc/passwd", text: "new" },
                { path: "file", text: "f" },
                { path: "kept/x", text: "x" },
            ],
            target,
        );
        assert.equal(readFileSync(join(elsewhere, "passwd"), "utf8"), "real");
        assert.deepEqual(readdirSync(elsewhere), ["passwd"]);
        assert.ok(lstatSync(join(target, "etc")).isDirectory());
        assert.equal(readFileSync(join(target, "etc", "passwd"), "utf8"), "new");
        assert.ok(lstatSync(join(target, "file")).isFile());
        for (const path of ["mine", "kept/mine"]) {
            assert.equal(readFileSync(join(target, path), "utf8"), "mine");
        }
    });

    it("change nothing where a folder with files in it is in the place of a file", async () => {
        const target = join(folder, "target");
        mkdirSync(join(target, "data"), { recursive: true });
        writeFileSync(join(target, "data", "mine"), "mine");
        await assert.rejects(
            merge(
                [
                    { path: "a", text: "a" },
                    { path: "data", text: "d" },
                ],
                target,
            ),
            /data would be replaced by a file.*\[export-failed\]/s,
        );
        assert.deepEqual(readdirSync(target), ["data"]);
        assert.equal(readFileSync(join(target, "data", "mine"), "utf8"), "mine");
    });

    it("are looked at on the disk: what is missing or another is told", async () => {
        const entries = [
            { path: "d/" },
            { path: "d/f", text: "f" },
            { path: "l", kind: "symlink" as const, link: "d" },
        ];
        const target: WrittenTarget = await withFiles(entries, async (files) => {
            mkdirSync(join(folder, "out"));
            const { items, digest, size } = await writeRootFolder(files, join(folder, "out"));
            return { path: "out", digest, size, contents: noteTree(items) };
        });
        const stored = { ...target, contents: unpackContents(packContents([target]))["out"] ?? target.contents };
        assert.deepEqual(stored, target);
        assert.equal(await inspectTarget(stored, folder), undefined);
        writeFileSync(join(folder, "out", "d", "mine"), "mine");
        assert.equal(await inspectTarget(stored, folder), undefined, "other files count for nothing");
        writeFileSync(join(folder, "out", "d", "f"), "changed");
        assert.equal(await inspectTarget(stored, folder), "has another d/f");
        rmSync(join(folder, "out", "d"), { recursive: true });
        assert.equal(await inspectTarget(stored, folder), "lacks d");
        assert.equal(await inspectTarget(stored, join(folder, "elsewhere")), "is missing");
    });

    it("take their place only when they are whole: a lost connection or a cancelled run leaves what was there", async () => {
        const tar = packLayer([{ path: "a", text: "a".repeat(5000) }]);
        const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(tar), size: tar.length };
        const config = { mediaType: "c", digest: digestOf(Buffer.from("c")), size: 1 };
        const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
        const bytes = Buffer.from(JSON.stringify(document));
        const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
        const root = { bytes, descriptor, manifest: parseManifest(bytes, mediaTypes.ociManifest) };
        const json = { os: "linux", architecture: "arm64", rootfs: { type: "layers", diff_ids: [layer.digest] } };
        const write = (kind: ExportKind, failures: number, stop?: AbortController) => {
            const { client, ...source } = serve([tar, Buffer.from("c")], failures);
            const reader = {
                ...client,
                getManifest: () => Promise.resolve(root),
                getBlobJson: () => Promise.resolve(json),
            };
            const signal = stop?.signal;
            const onStatus = (): void => stop?.abort();
            return writeExport(
                { ...source, client: reader, root, signal, onStatus, onWarning: () => undefined },
                { kind, dest: "out/app.tar", tar: true, names: [], property: "p", base: folder, old: [], kept: [] },
            );
        };
        mkdirSync(join(folder, "out"));
        const before = ["app.tar", "app-linux-arm64.tar"];
        before.forEach((name) => {
            writeFileSync(join(folder, "out", name), "before");
        });
        const unharmed = (): void => {
            assert.deepEqual(readdirSync(join(folder, "out")).sort(), [...before].sort());
            before.forEach((name) => {
                assert.equal(readFileSync(join(folder, "out", name), "utf8"), "before");
            });
        };
        for (const kind of ["oci", "docker", "tar"] as const) {
            await assert.rejects(write(kind, 99), /\[registry-unreachable\]/);
            unharmed();
        }
        await assert.rejects(write("tar", 0, new AbortController()), /out\/app-linux-arm64\.tar .*\[build-cancelled\]/);
        unharmed();
        const [written] = await write("tar", 2);
        assert.equal(written?.size, statSync(join(folder, "out", "app-linux-arm64.tar")).size);
        await write("oci", 1);
        const { stdout } = spawnSync("tar", ["--list", "--file", join(folder, "out", "app.tar")], { encoding: "utf8" });
        assert.match(stdout, /^blobs\/\nblobs\/sha256\/\nindex\.json\noci-layout\nblobs\/sha256\//);
    });

    it("of very many, a state holds the first ones", () => {
        const items = Array.from(
            { length: 30_000 },
            (_, index) => [`f${(index * 7919) % 99_991}`, "f", index] as const,
        );
        const target = { path: "out", digest: "", size: 0, contents: { kind: "tree", items } } as const;
        const packed = packContents([target]);
        assert.ok(packed.length <= 48 * 1024);
        const contents = unpackContents(packed)["out"];
        assert.ok(contents?.kind === "tree" && contents.items.length > 1000);
    });

    it("that a killed process has left are removed by the next one, and those of a running one are not", async () => {
        const dead = execFileSync(process.execPath, ["-p", "process.pid"]).toString().trim();
        const names = [dead, process.pid].map((pid) => `.app.tar.${pid}-0123456789ab.multiarch-part`);
        names.forEach((name) => mkdirSync(join(folder, name)));
        const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
        names.forEach((name) => {
            utimesSync(join(folder, name), old, old);
        });
        const failing = withWorkFolder(folder, "app.tar", () => Promise.reject(new Error("stop")));
        await assert.rejects(failing, /stop/);
        assert.deepEqual(readdirSync(folder), [names[1]], "and its own is gone");
    });

    it("have headers that end where they say", () => {
        const header = encodeEntry({
            ...{ path: "p".repeat(96), kind: "file", mode: 0, uid: 0, gid: 0, mtime: 0, size: 9 * 2 ** 30, link: "" },
            ...{ uname: "", gname: "", deviceMajor: 0, deviceMinor: 0, records: { comment: "c".repeat(985) } },
        });
        assert.equal(header.length % 512, 0);
    });
});
