import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { MultiArchError } from "../../../sdk/errors";
import { listContext } from "../../../sdk/context/list";
import { addTo, createFolders, withoutPrivileges } from "./folders";

describe("listing a context", () => {
    const folders = createFolders();
    after(() => {
        folders.remove();
    });

    async function pathsOf(location: string, more: object = {}): Promise<string[]> {
        const entries = await listContext({ context: { location }, ...more });
        return entries.map(({ path }) => path);
    }

    it("gives every kind of entry, a socket as the file that BuildKit makes of it", async () => {
        const root = folders.make({ Dockerfile: "", "d/empty": null, link: { link: "nowhere" } });
        execFileSync("mkfifo", [join(root, "pipe")]);
        const server = createServer().listen(join(root, "socket"));
        try {
            assert.deepEqual(await listContext({ context: { location: root } }), [
                { path: "Dockerfile", kind: "file" },
                { path: "d", kind: "directory" },
                { path: "d/empty", kind: "directory" },
                { path: "link", kind: "symlink" },
                { path: "pipe", kind: "fifo" },
                { path: "socket", kind: "file" },
            ]);
        } finally {
            server.close();
        }
    });

    it("sorts by the bytes of the names, each folder before what is in it", async () => {
        const root = folders.make({ Dockerfile: "", "b/z": "", "b.txt": "", a: "", "😀": "", "\uff3a": "", é: "" });
        assert.deepEqual(await pathsOf(root), ["Dockerfile", "a", "b", "b/z", "b.txt", "é", "\uff3a", "😀"]);
    });

    it("does not follow links to folders", async () => {
        const root = folders.make({ Dockerfile: "", "a/b": "", link: { link: "a" } });
        assert.deepEqual(await pathsOf(root), ["Dockerfile", "a", "a/b", "link"]);
    });

    it("keeps a folder whose whole content is ignored, but not an ignored folder", async () => {
        const root = folders.make({ Dockerfile: "", ".dockerignore": "a/*\nb\n", "a/x": "", "b/x": "" });
        assert.deepEqual(await pathsOf(root), [".dockerignore", "Dockerfile", "a"]);
    });

    it("gives an ignored folder back when something below it is kept", async () => {
        const root = folders.make({
            Dockerfile: "",
            ".dockerignore": "*\n!a/b/keep\n",
            "a/b/keep": "",
            "a/b/drop": "",
            "a/c/drop": "",
        });
        assert.deepEqual(await pathsOf(root), ["a", "a/b", "a/b/keep"]);
    });

    describe("uses the ignore file", () => {
        it("beside the Dockerfile instead of the one in the root", async () => {
            const root = folders.make({
                ".dockerignore": "a",
                "docker/app.Dockerfile": "",
                "docker/app.Dockerfile.dockerignore": "b\ndocker\n.dockerignore",
                a: "",
                b: "",
            });
            const dockerfile = { location: join(root, "docker/app.Dockerfile") };
            assert.deepEqual(await pathsOf(root, { dockerfile }), ["a"]);
        });

        it("of the default Dockerfile, also when that is empty of patterns", async () => {
            const root = folders.make({ ".dockerignore": "a", Dockerfile: "", "Dockerfile.dockerignore": "#", a: "" });
            assert.ok((await pathsOf(root)).includes("a"));
        });

        it("of a Dockerfile written in lower case", async () => {
            const root = folders.make({ dockerfile: "", "dockerfile.dockerignore": "d*", a: "" });
            assert.deepEqual(await pathsOf(root), ["a"]);
        });

        it("in the root when the Dockerfile is given as text", async () => {
            const root = folders.make({ ".dockerignore": "a", "Dockerfile.dockerignore": "b", a: "", b: "" });
            assert.deepEqual(await pathsOf(root, { dockerfile: { inline: "FROM scratch" } }), [
                ".dockerignore",
                "Dockerfile.dockerignore",
                "b",
            ]);
        });

        it("through a link that stays inside the context", async () => {
            const root = folders.make({
                Dockerfile: "",
                ".dockerignore": { link: "a/link" },
                "a/link": { link: "/b/../a/rules" },
                "a/rules": "x",
                "b/other": "",
                x: "",
            });
            assert.ok(!(await pathsOf(root)).includes("x"));
        });

        it("not through a link that leads out of it, where BuildKit would find nothing", async () => {
            const outside = folders.make({ rules: "x" });
            const root = folders.make({ Dockerfile: "", x: "", ".dockerignore": { link: join(outside, "rules") } });
            assert.ok((await pathsOf(root)).includes("x"));
        });

        it("in the root of each named context, never that of the main one", async () => {
            const root = folders.make({ Dockerfile: "", "Dockerfile.dockerignore": "a", ".dockerignore": "a" });
            const app = folders.make({ ".dockerignore": "b", a: "", b: "", "Dockerfile.dockerignore": "*" });
            const request = { context: { location: root, named: { app: { location: app } } } };
            assert.deepEqual(
                (await listContext(request, "app")).map(({ path }) => path),
                [".dockerignore", "Dockerfile.dockerignore", "a"],
            );
        });
    });

    it("has no entries for a context that is not a folder", async () => {
        assert.deepEqual(await listContext({ context: { location: "https://example.com/app.git" } }), []);
    });

    it("starts a relative location at the base directory", async () => {
        const base = folders.make({ "app/Dockerfile": "", "app/x": "" });
        assert.deepEqual(await pathsOf("./app", { baseDirectory: base }), ["Dockerfile", "x"]);
    });

    it("passes over a folder that may not be read only when it is ignored", async () => {
        const root = folders.make({ Dockerfile: "", "a/b": "", "closed/x": "" });
        chmodSync(join(root, ".."), 0o755);
        chmodSync(join(root, "closed"), 0);
        await withoutPrivileges(async () => {
            await assert.rejects(
                pathsOf(root),
                (error) => error instanceof MultiArchError && error.code === "context-unreadable",
            );
        });
        addTo(root, { ".dockerignore": "closed\n!closed/x\n" });
        await withoutPrivileges(async () => {
            assert.deepEqual(await pathsOf(root), [".dockerignore", "Dockerfile", "a", "a/b"]);
        });
        chmodSync(join(root, "closed"), 0o700);
    });

    it("takes names that are not UTF-8", async () => {
        const root = folders.make({ Dockerfile: "" });
        const folder = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]);
        mkdirSync(folder);
        writeFileSync(Buffer.concat([folder, Buffer.from("/inside")]), "");
        assert.deepEqual(await pathsOf(root), ["Dockerfile", "\ufffd", "\ufffd/inside"]);
    });
});
