import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { MultiArchError } from "../../../sdk/errors";
import { hideCredentials } from "../../../sdk/context/gitAccess";
import { lookupArguments, resolveCommit, selectCommit } from "../../../sdk/context/gitCommit";
import { hashContext } from "../../../sdk/context/hash";
import { addTo, createFolders } from "./folders";

const property = "context.location";
const reference = { ref: "", folder: "", fetchByCommit: false, options: {} };

function fails(code: string, text: RegExp): (error: unknown) => boolean {
    return (error) =>
        error instanceof MultiArchError &&
        error.code === code &&
        error.fields.property === property &&
        text.test(error.message);
}

describe("the commit of a git context", () => {
    const folders = createFolders();
    let remote = "";
    let folder = "";
    const commits: Record<string, string> = {};

    function git(...args: string[]): string {
        const settings = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        return execFileSync("git", ["-C", folder, ...settings, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
    }

    function commit(text: string): string {
        addTo(folder, { Dockerfile: `FROM ${text}` });
        git("add", ".");
        git("commit", "-m", text);
        return git("rev-parse", "HEAD");
    }

    before(() => {
        folder = folders.make({});
        remote = `file://${folder}`;
        git("init", "-b", "main");
        commits.tagged = commit("tagged");
        git("tag", "light");
        git("tag", "-a", "annotated", "-m", "annotated");
        commits.branch = commit("branch");
        git("branch", "both");
        commits.main = commit("main");
        git("tag", "both");
        git("update-ref", "refs/changes/1", commits.tagged);
    });
    after(() => {
        folders.remove();
    });

    for (const [ref, expected] of [
        ["", "main"],
        ["main", "main"],
        ["refs/heads/main", "main"],
        ["light", "tagged"],
        ["annotated", "tagged"],
        ["refs/tags/annotated", "tagged"],
        ["both", "branch"],
        ["refs/tags/both", "main"],
        ["refs/changes/1", "tagged"],
    ] as const) {
        it(`is found for ${ref || "no ref: the default branch"}`, async () => {
            assert.equal(await resolveCommit({ ...reference, remote, ref }, { property }), commits[expected]);
        });
    }

    it("needs no repository when it is named in full", async () => {
        const ref = "a".repeat(40);
        const runGit = (): never => assert.fail("git was run");
        assert.equal(await resolveCommit({ ...reference, remote, ref }, { property, runGit }), ref);
        const byCommit = { ...reference, remote, ref: "main", commit: ref, fetchByCommit: true };
        assert.equal(await resolveCommit(byCommit, { property, runGit }), ref);
    });

    it("has to be the one that the address expects", async () => {
        const expecting = (commit: string): Promise<string> =>
            resolveCommit({ ...reference, remote, ref: "main", commit }, { property });
        assert.equal(await expecting(commits.main?.slice(0, 8) ?? ""), commits.main);
        await assert.rejects(expecting(commits.tagged ?? ""), fails("context-unresolved", /not at commit/));
        await assert.rejects(expecting("main"), fails("context-unresolved", /not at commit main/));
    });

    it("is an error for a ref that does not exist", async () => {
        await assert.rejects(
            resolveCommit({ ...reference, remote, ref: "nope" }, { property }),
            fails("context-unresolved", /has no branch or tag nope/),
        );
    });

    it("is an error with the last lines of git when the repository cannot be read", async () => {
        await assert.rejects(
            resolveCommit({ ...reference, remote: `${remote}-nope` }, { property }),
            fails("context-unresolved", /git cannot read file:.*\n.*\n.*\| .*repository/),
        );
    });

    it("is asked for without taking a ref or address for an option", () => {
        assert.deepEqual(lookupArguments("-u", "-x"), ["ls-remote", "--", "-u", "-x", "-x^{}"]);
        assert.deepEqual(lookupArguments("-u", ""), ["ls-remote", "--symref", "--", "-u", "HEAD"]);
    });

    it("is not taken from a branch whose name only ends the same", () => {
        assert.equal(selectCommit(`${"a".repeat(40)}\trefs/heads/x/main\n`, "main"), undefined);
    });

    it("keeps a password out of arguments and errors, and still gives it to git", async () => {
        const seen: (string | undefined)[] = [];
        const server = createServer((request, response) => {
            seen.push(request.headers.authorization);
            if (!request.headers.authorization) {
                response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
            } else {
                response.writeHead(403).end();
            }
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        try {
            const address = `http://user:pa%40ss@127.0.0.1:${(server.address() as AddressInfo).port}/app.git`;
            const failure = await resolveCommit({ ...reference, remote: address }, { property }).then(
                () => assert.fail("it was resolved"),
                (error: unknown) => error as MultiArchError,
            );
            assert.ok(!failure.message.includes("pa%40ss") && !failure.message.includes("pa@ss"), failure.message);
            assert.equal(seen.at(-1), `Basic ${Buffer.from("user:pa@ss").toString("base64")}`);
            assert.ok(!hideCredentials(address).remote.includes("pa%40ss"));
        } finally {
            server.close();
        }
    });

    it("is what the hash of such a context depends on, with the folder, and not the address", async () => {
        const answer = (commit: string) => () =>
            Promise.resolve({ stdout: `${commit}\trefs/heads/main\n`, stderrTail: "", exitCode: 0 });
        const hash = async (location: string, commit: string): Promise<string> =>
            (await hashContext({ context: { location }, runGit: answer(commit) })).digest;
        const [one, other] = ["a".repeat(40), "b".repeat(40)];
        const before = await hash("https://example.com/app.git#main", one);
        assert.equal(await hash("git@example.com:app#main", one), before);
        assert.equal(await hash(`https://example.com/app.git#${one}`, other), before);
        assert.notEqual(await hash("https://example.com/app.git#main", other), before);
        assert.notEqual(await hash("https://example.com/app.git#main:sub", one), before);
        assert.notEqual(await hash("https://example.com/app.git?submodules=false#main", one), before);
        const kept = await hash("https://example.com/app.git?keep-git-dir=1#main", one);
        assert.notEqual(await hash("https://example.com/fork.git?keep-git-dir=1#main", one), kept);
        assert.equal(await hash("https://u:p@example.com/app.git?keep-git-dir=1#main", one), kept);
    });
});
