import assert from "node:assert/strict";
import { chmodSync, cpSync, linkSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MultiArchError } from "../../../sdk/errors";
import { hashContext } from "../../../sdk/context/hash";
import type { HashRequest } from "../../../sdk/context/request";
import type { Tree } from "./folders";
import { addTo, createFolders, withoutPrivileges } from "./folders";

describe("hashing a context", () => {
    const folders = createFolders();
    after(() => {
        folders.remove();
    });

    const sample: Tree = {
        Dockerfile: "FROM scratch\nCOPY . /\n",
        ".dockerignore": "ignored\n",
        "src/main.go": "package main\n",
        "src/run.sh": "#!/bin/sh\n",
        "empty/folder": null,
        link: { link: "src/main.go" },
        "ignored/secret": "1",
    };

    async function digestOf(location: string, more: Partial<HashRequest> = {}): Promise<string> {
        return (await hashContext({ context: { location }, ...more })).digest;
    }

    it("gives a digest and what it covers", async () => {
        const hash = await hashContext({ context: { location: folders.make(sample) } });
        assert.match(hash.digest, /^sha256:[0-9a-f]{64}$/);
        assert.deepEqual({ files: hash.files, bytes: hash.bytes }, { files: 4, bytes: 22 + 8 + 13 + 10 });
    });

    it("does not change between releases of this package unless the format is changed on purpose", async () => {
        const root = folders.make({ Dockerfile: "FROM scratch\n", "a/b": "b", link: { link: "a" } });
        chmodSync(join(root, "a/b"), 0o755);
        assert.equal(await digestOf(root), "sha256:111853b71da23f7396c7da13d55a38de70edefe14c23ee85c1d78d8e0f43e827");
    });

    describe("is the same", () => {
        it("in another place", async () => {
            assert.equal(await digestOf(folders.make(sample)), await digestOf(folders.make(sample)));
        });

        it("for a clone made under another umask", async () => {
            const before = await digestOf(folders.make(sample));
            const umask = process.umask(0o077);
            try {
                assert.equal(await digestOf(folders.make(sample)), before);
            } finally {
                process.umask(umask);
            }
        });

        it("when only times, owners and other permissions differ", async () => {
            const root = folders.make(sample);
            const before = await digestOf(root);
            for (const path of ["src", "src/main.go", "empty/folder"]) {
                utimesSync(join(root, path), 1, 1);
            }
            chmodSync(join(root, "src/main.go"), 0o666);
            chmodSync(join(root, "src"), 0o700);
            assert.equal(await digestOf(root), before);
        });

        it("when an executable file may or may not be executed by others too", async () => {
            const root = folders.make(sample);
            chmodSync(join(root, "src/run.sh"), 0o755);
            const before = await digestOf(root);
            chmodSync(join(root, "src/run.sh"), 0o700);
            assert.equal(await digestOf(root), before);
        });

        it("whatever the order in which files were made", async () => {
            const reversed = Object.fromEntries(Object.entries(sample).reverse());
            assert.equal(await digestOf(folders.make(reversed)), await digestOf(folders.make(sample)));
        });

        it("when an ignored file changes, appears or goes", async () => {
            const root = folders.make(sample);
            const before = await digestOf(root);
            addTo(root, { "ignored/secret": "2", "ignored/more": "" });
            assert.equal(await digestOf(root), before);
            rmSync(join(root, "ignored"), { recursive: true });
            assert.equal(await digestOf(root), before);
        });

        it("for a copy and a hard link", async () => {
            const root = folders.make({ Dockerfile: "", a: "x" });
            linkSync(join(root, "a"), join(root, "b"));
            assert.equal(await digestOf(root), await digestOf(folders.make({ Dockerfile: "", a: "x", b: "x" })));
        });

        it("when the context is reached through a link or by a relative path", async () => {
            const base = folders.make({ link: { link: "app" } });
            cpSync(folders.make(sample), join(base, "app"), { recursive: true, verbatimSymlinks: true });
            const before = await digestOf(join(base, "app"));
            assert.equal(await digestOf(join(base, "link")), before);
            assert.equal(await digestOf("./app", { baseDirectory: base }), before);
        });

        it("for a Dockerfile given as text and one in a file outside of the context", async () => {
            const root = folders.make({ a: "" });
            const other = folders.make({ "my.Dockerfile": "FROM scratch" });
            assert.equal(
                await digestOf(root, { dockerfile: { inline: "FROM scratch" } }),
                await digestOf(root, { dockerfile: { location: join(other, "my.Dockerfile") } }),
            );
        });

        it("when what a link points at changes outside of the context", async () => {
            const outside = folders.make({ target: "1" });
            const root = folders.make({ Dockerfile: "", link: { link: join(outside, "target") } });
            const before = await digestOf(root);
            addTo(outside, { target: "2" });
            assert.equal(await digestOf(root), before);
        });
    });

    describe("differs", () => {
        const changes: Record<string, (root: string) => void> = {
            "when a byte changes": (root) => {
                writeFileSync(join(root, "src/main.go"), "package mine\n");
            },
            "when a file is renamed": (root) => {
                renameSync(join(root, "src/main.go"), join(root, "src/other.go"));
            },
            "when a file is moved": (root) => {
                renameSync(join(root, "src/main.go"), join(root, "main.go"));
            },
            "when a file goes": (root) => {
                unlinkSync(join(root, "src/main.go"));
            },
            "when a file becomes executable": (root) => {
                chmodSync(join(root, "src/run.sh"), 0o755);
            },
            "when a link points elsewhere": (root) => {
                unlinkSync(join(root, "link"));
                addTo(root, { link: { link: "src/run.sh" } });
            },
            "when a link becomes a file with the same text": (root) => {
                unlinkSync(join(root, "link"));
                addTo(root, { link: "src/main.go" });
            },
            "when an empty folder goes": (root) => {
                rmSync(join(root, "empty/folder"), { recursive: true });
            },
            "when an empty folder becomes an empty file": (root) => {
                rmSync(join(root, "empty/folder"), { recursive: true });
                addTo(root, { "empty/folder": "" });
            },
            "when an ignored file is no longer ignored": (root) => {
                writeFileSync(join(root, ".dockerignore"), "ignored\n!ignored/secret\n");
            },
            "when a file is ignored": (root) => {
                writeFileSync(join(root, ".dockerignore"), "ignored\nsrc/run.sh\n");
            },
            "when the Dockerfile changes": (root) => {
                writeFileSync(join(root, "Dockerfile"), "FROM scratch\n");
            },
        };
        for (const [title, change] of Object.entries(changes)) {
            it(title, async () => {
                const root = folders.make(sample);
                const before = await digestOf(root);
                change(root);
                assert.notEqual(await digestOf(root), before);
            });
        }

        it("when a Dockerfile changes that the context ignores", async () => {
            const root = folders.make({ Dockerfile: "FROM a", ".dockerignore": "*" });
            const before = await digestOf(root);
            addTo(root, { Dockerfile: "FROM b" });
            assert.notEqual(await digestOf(root), before);
        });

        it("when bytes move from one file to the next", async () => {
            const one = folders.make({ Dockerfile: "", a: "12", b: "3" });
            const other = folders.make({ Dockerfile: "", a: "1", b: "23" });
            assert.notEqual(await digestOf(one), await digestOf(other));
        });

        it("when a large file changes at its end", async () => {
            const bytes = Buffer.alloc(3 * 1024 * 1024 + 5, 7);
            const one = folders.make({ Dockerfile: "", large: bytes });
            bytes[bytes.length - 1] = 8;
            const other = folders.make({ Dockerfile: "", large: bytes });
            assert.notEqual(await digestOf(one), await digestOf(other));
        });

        it("between names that are not UTF-8", async () => {
            const make = (byte: number): string => {
                const root = folders.make({ Dockerfile: "" });
                writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([byte])]), "");
                return root;
            };
            assert.notEqual(await digestOf(make(0xfe)), await digestOf(make(0xff)));
        });
    });

    it("fails for a file that may not be read, which BuildKit would send empty", async () => {
        const root = folders.make({ Dockerfile: "", closed: "x" });
        chmodSync(join(root, ".."), 0o755);
        chmodSync(join(root, "closed"), 0);
        await withoutPrivileges(() =>
            assert.rejects(
                digestOf(root),
                (error) =>
                    error instanceof MultiArchError &&
                    error.code === "context-unreadable" &&
                    error.message.includes("closed in the context cannot be read (EACCES)"),
            ),
        );
    });

    it("fails with the first problem when something is missing", async () => {
        await assert.rejects(
            digestOf("./nowhere", { baseDirectory: folders.make({}) }),
            (error) =>
                error instanceof MultiArchError &&
                error.code === "context-missing" &&
                error.fields.property === "context.location",
        );
    });

    it("stops with the reason of the signal, before and while it reads", async () => {
        const reason = new Error("stop");
        const root = folders.make({ Dockerfile: "", large: Buffer.alloc(64 * 1024 * 1024) });
        await assert.rejects(digestOf(root, { signal: AbortSignal.abort(reason) }), reason);
        const controller = new AbortController();
        const running = digestOf(root, { signal: controller.signal });
        setTimeout(() => {
            controller.abort(reason);
        }, 5);
        await assert.rejects(running, reason);
    });

    it("sees a change that comes after an earlier call", async () => {
        const root = folders.make({ Dockerfile: "", a: "1" });
        const [one, two] = await Promise.all([digestOf(root), digestOf(root)]);
        assert.equal(one, two);
        addTo(root, { a: "2" });
        assert.notEqual(await digestOf(root), one);
    });
});
