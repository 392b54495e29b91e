import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { compareFileLists } from "../../../sdk/context/fileChanges";
import { encodeFileList, longestList, type FileList } from "../../../sdk/context/fileList";
import { hashContext } from "../../../sdk/context/hash";
import { MultiArchError } from "../../../sdk/errors";
import type { Tree } from "./folders";
import { addTo, createFolders, withoutPrivileges } from "./folders";

describe("the hash of a context says what it covers", () => {
    const folders = createFolders();
    after(function () {
        // Tens of thousands of files, on a disk that others use as well.
        this.timeout(60_000);
        folders.remove();
    });

    const none: FileList = new Map();
    const start = (content: string | Uint8Array): string =>
        createHash("sha256").update(content).digest("hex").slice(0, 8);

    const sample: Tree = {
        Dockerfile: "FROM scratch\nCOPY . /\n",
        ".dockerignore": "ignored\n",
        "src/main.go": "package main\n",
        "src/run.sh": "#!/bin/sh\n",
        "empty/folder": null,
        link: { link: "src/main.go" },
        "ignored/secret": "1",
    };

    it("with what each entry is, and a folder only when nothing is in it", async () => {
        const root = folders.make(sample);
        chmodSync(join(root, "src/run.sh"), 0o755);
        const { entries = none } = await hashContext({ context: { location: root } });
        const link = entries.get("link") ?? "";
        assert.match(link, /^l[0-9a-f]{8}$/);
        assert.deepEqual(
            [...entries],
            [
                [".dockerignore", `f${start("ignored\n")}`],
                ["Dockerfile", `f${start("FROM scratch\nCOPY . /\n")}`],
                ["empty/folder/", "d"],
                ["link", link],
                ["src/main.go", `f${start("package main\n")}`],
                ["src/run.sh", `x${start("#!/bin/sh\n")}`],
            ],
        );
    });

    it("with the Dockerfile once, also when the context is reached through a link", async () => {
        const base = folders.make({ "app/Dockerfile": "", "app/.dockerignore": "", link: { link: "app" } });
        for (const location of ["./app", "./link"]) {
            const { entries = none } = await hashContext({ context: { location }, baseDirectory: base });
            assert.deepEqual([...entries.keys()], [".dockerignore", "Dockerfile"]);
        }
    });

    it("with a Dockerfile that is not in the context, and with named contexts", async () => {
        const root = folders.make({ ".dockerignore": "*", Dockerfile: "FROM a" });
        const app = folders.make({ "a/b": "" });
        const named = { app: { location: app }, base: { location: "docker-image://alpine" } };
        const hash = async () => (await hashContext({ context: { location: root, named } })).entries ?? none;
        const before = await hash();
        assert.deepEqual([...before.keys()], ["(Dockerfile)", "app:a/b", "base:(context)"]);
        addTo(root, { Dockerfile: "FROM b" });
        addTo(app, { "a/b": "x" });
        const { changed } = compareFileLists(before, await hash());
        assert.deepEqual(changed, ["(Dockerfile)", "app:a/b"]);
    });

    /** More than is read before threads are started. */
    function manyFiles(): Record<string, string> {
        return Object.fromEntries(
            Array.from({ length: 4500 }, (_, index) => [`${index % 7}/é${index}`, `content of ${index}`]),
        );
    }

    it("also when it takes threads to read it all", async () => {
        const tree: Record<string, string | Uint8Array> = { Dockerfile: "", ...manyFiles() };
        // One, and its neighbours, of the size that is read in one go.
        for (const size of [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1]) {
            tree[`6/${size}`] = Buffer.alloc(size, size % 251);
        }
        const root = folders.make({ ...tree, "3/empty": null, "6/link": { link: "é6" } });
        chmodSync(join(root, "6/é6"), 0o755);
        const { entries = none, files, bytes } = await hashContext({ context: { location: root } });
        const expected = Object.entries(tree).map(([path, content]): [string, string] => [
            path,
            `${path === "6/é6" ? "x" : "f"}${start(content)}`,
        ]);
        expected.push(["3/empty/", "d"], ["6/link", entries.get("6/link") ?? ""]);
        assert.deepEqual([...entries].sort(), expected.sort());
        assert.equal(files, Object.keys(tree).length);
        assert.equal(
            bytes,
            Object.values(tree).reduce((sum, content) => sum + Buffer.byteLength(content), 0),
        );
    });

    it("unless there is more than a state can keep", async () => {
        const names = Array.from({ length: longestList }, (_, index) => [`${index % 50}/${index}`, ""] as const);
        const root = folders.make({ Dockerfile: "", ...Object.fromEntries(names.slice(1)) });
        const most = await hashContext({ context: { location: root } });
        assert.equal(most.entries?.size, longestList);
        addTo(root, { one: "more" });
        const { entries, files, digest } = await hashContext({ context: { location: root } });
        assert.deepEqual([entries, files], [undefined, longestList + 1]);
        assert.notEqual(digest, most.digest);
        assert.equal(
            encodeFileList(new Map(Array.from({ length: longestList + 1 }, (_, index) => [`${index}`, "d"]))),
            undefined,
        );
    });

    it("or which file a thread could not read", async () => {
        const root = folders.make({ Dockerfile: "", ...manyFiles(), "3/closed": "x" });
        chmodSync(join(root, ".."), 0o755);
        chmodSync(join(root, "3/closed"), 0);
        await withoutPrivileges(() =>
            assert.rejects(
                hashContext({ context: { location: root } }),
                (error) =>
                    error instanceof MultiArchError &&
                    error.code === "context-unreadable" &&
                    error.fields.property === "context.location" &&
                    error.message.includes("3/closed in the context cannot be read (EACCES)"),
            ),
        );
    });

    it("and leaves nothing open when it is stopped meanwhile", async () => {
        const root = folders.make({ Dockerfile: "", ...manyFiles(), "0/large": Buffer.alloc(64 * 2 ** 20) });
        const reason = new Error("stop");
        const controller = new AbortController();
        const running = hashContext({ context: { location: root }, signal: controller.signal });
        // By then the threads have started, and are not done.
        setTimeout(() => {
            controller.abort(reason);
        }, 20);
        await assert.rejects(running, reason);
        const open = readdirSync("/proc/self/fd").map((name) => {
            try {
                return readlinkSync(`/proc/self/fd/${name}`);
            } catch {
                return "";
            }
        });
        assert.deepEqual(
            open.filter((path) => path.startsWith(root)),
            [],
        );
    });
});
