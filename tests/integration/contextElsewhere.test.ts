import assert from "node:assert/strict";
import { chmodSync, lchownSync, lutimesSync, mkdtempSync, opendirSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { hashContext } from "../../sdk/context/hash";
import { runTool } from "../support/tools";
import { addTo, type Tree } from "../unit/context/folders";

/** Equal content has an equal hash on every machine: here another file system stands for another machine. */
describe("the hash of a context", () => {
    let disk: string;
    let memory: string;

    before(() => {
        disk = mkdtempSync(join(tmpdir(), "multiarch-elsewhere-"));
        memory = mkdtempSync("/dev/shm/multiarch-elsewhere-");
        assert.notEqual(statSync(disk).dev, statSync(memory).dev, "the temporary folder is in memory too");
    });
    after(() => {
        rmSync(disk, { recursive: true });
        rmSync(memory, { recursive: true });
    });

    const tree: Tree = {
        Dockerfile: "FROM scratch\nCOPY . /\n",
        ".dockerignore": ".git\n*.log\n!keep.log\n",
        "keep.log": "",
        "drop.log": "",
        "bin/run.sh": "#!/bin/sh\n",
        "caf\u00e9/\u{1f600}": "",
        link: { link: "bin/run.sh" },
        ...Object.fromEntries(
            Array.from({ length: 300 }, (_, index) => [`src/${(index * 7919) % 1009}.txt`, `text ${index}`]),
        ),
    };

    async function digestOf(location: string): Promise<string> {
        return (await hashContext({ context: { location } })).digest;
    }

    it("is the same for a git clone by somebody else, elsewhere, later and under another umask", async () => {
        const origin = join(disk, "origin");
        addTo(disk, { origin: null });
        addTo(origin, tree);
        chmodSync(join(origin, "bin/run.sh"), 0o755);
        const git = async (...args: string[]): Promise<void> => {
            const account = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
            await runTool("git", [...account, ...args], { cwd: origin });
        };
        await git("init", "--quiet");
        await git("add", ".");
        await git("commit", "--quiet", "--message", "all");

        const clone = join(memory, "clone");
        const umask = process.umask(0o077);
        try {
            await git("clone", "--quiet", origin, clone);
        } finally {
            process.umask(umask);
        }
        const account = process.getuid?.() === 0 ? 1234 : undefined;
        for (const path of readdirSync(clone, { recursive: true, encoding: "utf8" })) {
            lutimesSync(join(clone, path), 1, 1);
            if (account !== undefined) {
                lchownSync(join(clone, path), account, account);
            }
        }
        assert.notEqual(statSync(join(clone, "src")).mode, statSync(join(origin, "src")).mode);
        assert.equal(await digestOf(clone), await digestOf(origin));

        chmodSync(join(clone, "bin/run.sh"), 0o600);
        assert.notEqual(await digestOf(clone), await digestOf(origin));
    });

    it("is the same when the file system lists files in another order", async () => {
        const one = join(disk, "order");
        const other = join(memory, "order");
        addTo(disk, { order: null });
        addTo(memory, { order: null });
        addTo(one, tree);
        addTo(other, Object.fromEntries(Object.entries(tree).reverse()));
        assert.notDeepEqual(orderOf(join(one, "src")), orderOf(join(other, "src")));
        assert.deepEqual(orderOf(join(one, "src")).sort(), orderOf(join(other, "src")).sort());
        assert.equal(await digestOf(one), await digestOf(other));
    });
});

/** As the file system has it: other functions of Node sort. */
function orderOf(path: string): string[] {
    const names: string[] = [];
    const folder = opendirSync(path);
    for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        names.push(entry.name);
    }
    folder.closeSync();
    return names;
}
