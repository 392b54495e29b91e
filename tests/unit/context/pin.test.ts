import assert from "node:assert/strict";
import { parseGitReference } from "../../../sdk/context/gitReference";
import { hashContext } from "../../../sdk/context/hash";
import { pinContext, pinLocation } from "../../../sdk/context/pin";
import { createFolders } from "./folders";
import { startGitServer, type GitServer } from "./gitServer";

const commit = "c".repeat(40);

function pin(location: string): string {
    const reference = parseGitReference(location);
    return reference ? pinLocation(location, reference, commit) : assert.fail("it is no git repository");
}

describe("an address with its commit", () => {
    const url = "https://example.com/app.git";
    for (const [location, pinned] of [
        [url, `${url}#${commit}`],
        [`${url}#main`, `${url}#${commit}`],
        [`${url}#main:a/b`, `${url}#${commit}:a/b`],
        [`${url}#:a%20b/c`, `${url}#${commit}:a%20b/c`],
        [`${url}?branch=main&subdir=a&submodules=0`, `${url}?submodules=0#${commit}:a`],
        [`${url}?checksum=cccc#main`, `${url}#${commit}`],
        [`${url}?keep-git-dir=1#v1:a`, `${url}?keep-git-dir=1&checksum=${commit}#v1:a`],
        [`${url}?keep-git-dir=1&commit=cccc&tag=v1`, `${url}?keep-git-dir=1&tag=v1&checksum=${commit}`],
        ["github.com/a/b#main:sub", `github.com/a/b#${commit}:sub`],
        ["git@example.com:a/b.git#main:s p", `git@example.com:a/b.git#${commit}:s p`],
        ["ssh://git@example.com/a/b#main", `ssh://git@example.com/a/b#${commit}`],
    ] as const) {
        it(`stays the same but for the ref: ${location}`, () => {
            assert.equal(pin(location), pinned);
            const [before, after] = [parseGitReference(location), parseGitReference(pinned)];
            assert.deepEqual(
                [after?.remote, after?.folder, after?.options],
                [before?.remote, before?.folder, before?.options],
            );
        });
    }

    it("is left alone where it names the commit already", () => {
        for (const location of [
            `${url}#${"a".repeat(40)}:sub`,
            `${url}?fetch-by-commit=1&checksum=${"a".repeat(40)}#main`,
        ]) {
            assert.equal(pin(location), location);
        }
    });
});

describe("contexts with their commits", () => {
    const folders = createFolders();
    let server: GitServer;
    beforeEach(async () => {
        server = await startGitServer();
    });
    afterEach(() => {
        server.close();
    });
    after(() => {
        folders.remove();
    });

    it("are the same for all platforms, though the branch moves between them", async () => {
        const context = {
            location: `${server.remote}#main:app`,
            named: { lib: { location: `${server.remote}?branch=main` }, base: { location: "docker-image://alpine" } },
        };
        const [one, two] = await Promise.all([
            pinContext({ context }),
            pinContext({ context: { ...context, location: `${server.remote}#main` } }),
        ]);
        const first = server.commit;
        server.commit = "b".repeat(40);
        const three = await pinContext({ context });
        assert.deepEqual(one, {
            location: `${server.remote}#${first}:app`,
            named: {
                lib: { location: `${server.remote}#${first}` },
                base: { location: "docker-image://alpine" },
            },
        });
        assert.equal(two.location, `${server.remote}#${first}`);
        assert.deepEqual(three, one);
        // One for `main` and one for `refs/heads/main`.
        assert.equal(server.seen.length, 2);
    });

    it("have the hash that they have without", async () => {
        for (const location of [`${server.remote}#main:app`, `${server.remote}?keep-git-dir=1#main`]) {
            const context = { location };
            const pinned = await pinContext({ context });
            assert.notEqual(pinned.location, location);
            assert.equal((await hashContext({ context: pinned })).digest, (await hashContext({ context })).digest);
        }
    });

    it("are those given where none is a git repository, or its ref has to stay", async () => {
        const context = { location: folders.make({ Dockerfile: "" }) };
        assert.equal(await pinContext({ context }), context);
        const location = `${server.remote}#main`;
        assert.deepEqual(await pinContext({ context: { location } }, { keepsRef: true }), { location });
    });
});
