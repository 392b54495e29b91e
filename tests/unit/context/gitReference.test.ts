import assert from "node:assert/strict";
import { parseGitReference } from "../../../sdk/context/gitReference";

const plain = { ref: "", folder: "", commit: undefined, fetchByCommit: false, options: {} };

// The same addresses as in BuildKit's own test of this decision, and some more:
// https://github.com/moby/buildkit/blob/v0.31.1/frontend/dockerfile/dfgitutil/git_ref_test.go
describe("a git address", () => {
    const addresses: Record<string, object> = {
        "https://example.com/foo.git": { remote: "https://example.com/foo.git" },
        "HTTPS://example.com/foo.git": { remote: "https://example.com/foo.git" },
        "https://example.com/foo.git#deadbeef": { remote: "https://example.com/foo.git", ref: "deadbeef" },
        "https://example.com/foo.git#release/1.2": { remote: "https://example.com/foo.git", ref: "release/1.2" },
        "https://example.com/foo.git#a/b:c/d": { remote: "https://example.com/foo.git", ref: "a/b", folder: "c/d" },
        "https://example.com/foo.git#:../c/./d/": { remote: "https://example.com/foo.git", folder: "c/d" },
        "https://u:p@example.com/foo.git": { remote: "https://u:p@example.com/foo.git" },
        "git://example.com/foo": { remote: "git://example.com/foo" },
        "ssh://git@example.com/foo#x": { remote: "ssh://git@example.com/foo", ref: "x" },
        "github.com/moby/buildkit#master": { remote: "https://github.com/moby/buildkit", ref: "master" },
        "github.com/moby/buildkit?tag=v1": { remote: "https://github.com/moby/buildkit", ref: "refs/tags/v1" },
        "git@github.com:moby/buildkit": { remote: "git@github.com:moby/buildkit" },
        "git@github.com:moby/buildkit.git#v1:sub": {
            remote: "git@github.com:moby/buildkit.git",
            ref: "v1",
            folder: "sub",
        },
        "git@github.com:moby/buildkit.git?subdir=/sub#v1": {
            remote: "git@github.com:moby/buildkit.git",
            ref: "v1",
            folder: "sub",
        },
        "https://example.com/foo.git?ref=v1&subdir=/sub": {
            remote: "https://example.com/foo.git",
            ref: "v1",
            folder: "sub",
        },
        "https://example.com/foo.git?branch=v1": { remote: "https://example.com/foo.git", ref: "refs/heads/v1" },
        "https://example.com/foo.git?commit=abc&keep-git-dir=1&submodules=false": {
            remote: "https://example.com/foo.git",
            commit: "abc",
            options: { "keep-git-dir": "true", submodules: "false" },
        },
        "https://example.com/foo.git?fetch-by-commit&checksum=abc": {
            remote: "https://example.com/foo.git",
            commit: "abc",
            fetchByCommit: true,
        },
    };
    for (const [address, expected] of Object.entries(addresses)) {
        it(`is ${address}`, () => {
            assert.deepEqual(parseGitReference(address), { ...plain, ...expected });
        });
    }

    for (const other of [
        "https://example.com/",
        "https://example.com/foo",
        "https://example.com/foo.git/",
        "https://example.com/foo.git.bar",
        "https://foo.git",
        "http://example.com/docker.git:#branch",
        "custom.xyz/moby/buildkit.git",
        "file:///srv/foo.git",
        "./.git",
        "../foo.git",
        ".git",
        "app",
    ]) {
        it(`is not ${other}`, () => {
            assert.equal(parseGitReference(other), undefined);
        });
    }

    for (const [query, reason] of [
        ["ref=v1#v2", /two values for ref/],
        ["ref=v1&tag=v2", /two values for ref/],
        ["tag=v1&branch=v1", /two values for ref/],
        ["subdir=a#:b", /two values for folder/],
        ["submodules=maybe", /neither true nor false/],
        ["mtime=now", /does not know/],
        ["depth=1", /does not know/],
        ["ref=", /no value/],
        ["ref=a&ref=b", /several values/],
    ] as const) {
        it(`is refused with the options ${query}`, () => {
            assert.throws(() => parseGitReference(`https://example.com/foo.git?${query}`), reason);
        });
    }
});
