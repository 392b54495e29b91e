import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { defaultFolderBase, sweepPrivateFolders, withPrivateFolder } from "../../../sdk/build/privateFolder";
import { MultiArchError } from "../../../sdk/errors";

const modeOf = (file: string): number => statSync(file).mode & 0o777;
const isUnsafe = (error: unknown): boolean => error instanceof MultiArchError && error.code === "private-folder-unsafe";

describe("a private folder", () => {
    let parent: string;
    let base: string;

    beforeEach(() => {
        parent = mkdtempSync(path.join(tmpdir(), "private-"));
        base = path.join(parent, "base");
    });
    afterEach(() => {
        rmSync(parent, { recursive: true, force: true });
    });

    it("lets only its user in, whatever the umask", async () => {
        const umask = process.umask(0);
        try {
            await withPrivateFolder(
                async (folder) => {
                    const file = await folder.write("tls/key.pem", "secret");
                    assert.equal(readFileSync(file, "utf8"), "secret");
                    assert.deepEqual(
                        [base, folder.path, path.dirname(file), file].map(modeOf),
                        [0o700, 0o700, 0o700, 0o600],
                    );
                },
                { base },
            );
        } finally {
            process.umask(umask);
        }
    });

    it("is gone afterwards, also when the work failed", async () => {
        let seen = "";
        const work = withPrivateFolder(
            async (folder) => {
                seen = await folder.write("file", "x");
                throw new Error("work failed");
            },
            { base },
        );
        await assert.rejects(work, /work failed/);
        assert.equal(existsSync(seen), false);
        assert.deepEqual(readdirSync(base), []);
    });

    it("takes no file outside of itself, and overwrites none", async () => {
        await withPrivateFolder(
            async (folder) => {
                await assert.rejects(folder.write("../escape", "x"), /not inside/);
                await folder.write("once", "x");
                await assert.rejects(folder.write("once", "y"), /EEXIST/);
            },
            { base },
        );
    });

    it("is refused in a place that is a link, or not a folder", async () => {
        mkdirSync(path.join(parent, "real"));
        symlinkSync(path.join(parent, "real"), base);
        await assert.rejects(
            withPrivateFolder(() => Promise.resolve(), { base }),
            isUnsafe,
        );
    });

    it("is refused in a place of another user", async function () {
        if (process.getuid?.() !== 0) {
            return;
        }
        mkdirSync(base);
        execFileSync("chown", ["65534", base]);
        await assert.rejects(
            withPrivateFolder(() => Promise.resolve(), { base }),
            isUnsafe,
        );
    });

    it("closes a place that was open to others", async () => {
        mkdirSync(base);
        chmodSync(base, 0o755);
        await withPrivateFolder(() => Promise.resolve(), { base });
        assert.equal(modeOf(base), 0o700);
    });

    it("lies where the system has room for this user's running programs, if there is such a place", () => {
        assert.equal(path.dirname(defaultFolderBase({ XDG_RUNTIME_DIR: parent })), parent);
        assert.equal(path.dirname(defaultFolderBase({ XDG_RUNTIME_DIR: path.join(parent, "no") })), tmpdir());
        assert.equal(path.dirname(defaultFolderBase({})), tmpdir());
    });
});

describe("the sweep of private folders", () => {
    let base: string;

    beforeEach(() => {
        base = mkdtempSync(path.join(tmpdir(), "sweep-"));
    });
    afterEach(() => {
        rmSync(base, { recursive: true, force: true });
    });

    it("removes those of processes that were killed, and no other", async () => {
        const script = `
            require("ts-node/register/transpile-only");
            const { withPrivateFolder } = require("./sdk/build/privateFolder");
            withPrivateFolder(async (folder) => {
                await folder.write("key.pem", "left over");
                console.log(folder.path);
                await new Promise((resolve) => setTimeout(resolve, 60000));
            }, { base: ${JSON.stringify(base)}, swept: true });`;
        const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
        const leftOver = (await new Promise<Buffer>((resolve) => child.stdout.once("data", resolve))).toString().trim();
        await withPrivateFolder(
            async (own) => {
                assert.equal(await sweepPrivateFolders({ base }), 0);
                assert.ok(existsSync(leftOver));
                child.kill("SIGKILL");
                await new Promise((resolve) => child.once("close", resolve));
                assert.ok(existsSync(path.join(leftOver, "key.pem")));
                assert.equal(await sweepPrivateFolders({ base }), 1);
                assert.equal(existsSync(leftOver), false);
                assert.ok(existsSync(own.path));
            },
            { base },
        );
    });

    it("is not fooled by another process with the same number", async () => {
        await withPrivateFolder(
            async (own) => {
                const [pid, start, ...rest] = path.basename(own.path).split("-");
                mkdirSync(path.join(base, [pid, Number(start) - 1, ...rest].join("-")));
                assert.equal(await sweepPrivateFolders({ base }), 1);
            },
            { base },
        );
    });

    it("leaves what it does not know, and young folders of other containers", async () => {
        mkdirSync(path.join(base, "something"));
        mkdirSync(path.join(base, "1-1-1-abcdef"));
        assert.equal(await sweepPrivateFolders({ base }), 0);
    });
});
