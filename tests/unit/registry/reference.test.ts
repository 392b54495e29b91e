import assert from "node:assert/strict";
import fc from "fast-check";
import { MultiArchError } from "../../../sdk/errors";
import {
    formatReference,
    isDigest,
    isTag,
    parseReference,
    parseRepository,
    type Reference,
} from "../../../sdk/registry/reference";

const digest = `sha256:${"a1".repeat(32)}`;

describe("a reference", () => {
    const readings: [string, Reference][] = [
        ["alpine", { registry: "docker.io", repository: "library/alpine" }],
        ["alpine:3.20", { registry: "docker.io", repository: "library/alpine", tag: "3.20" }],
        ["team/app", { registry: "docker.io", repository: "team/app" }],
        ["docker.io/alpine", { registry: "docker.io", repository: "library/alpine" }],
        ["index.docker.io/team/app", { registry: "docker.io", repository: "team/app" }],
        ["localhost/app", { registry: "localhost", repository: "app" }],
        ["localhost:5000/app:v1", { registry: "localhost:5000", repository: "app", tag: "v1" }],
        ["[::1]:5000/app", { registry: "[::1]:5000", repository: "app" }],
        ["registry.example.com/a/b__c/d--e", { registry: "registry.example.com", repository: "a/b__c/d--e" }],
        ["Registry/app", { registry: "Registry", repository: "app" }],
        [`ghcr.io/team/app:1@${digest}`, { registry: "ghcr.io", repository: "team/app", tag: "1", digest }],
        [`alpine@${digest}`, { registry: "docker.io", repository: "library/alpine", digest }],
    ];
    for (const [text, parts] of readings) {
        it(`is read from ${text}`, () => {
            assert.deepEqual(parseReference(text), parts);
        });
    }

    const refusals: [string, RegExp][] = [
        ["", /is empty/],
        [" alpine", /white space/],
        ["https://ghcr.io/team/app", /starts with a scheme/],
        ["ghcr.io/Team/app", /"Team\/app" has upper-case letters/],
        ["ghcr.io/", /name of the repository is missing/],
        ["ghcr.io/team//app", /single slashes/],
        ["ghcr.io/team/app-", /may hold lower-case letters/],
        ["a..b", /may hold lower-case letters/],
        ["ghcr.io/app:", /tag after the colon is missing/],
        ["ghcr.io/app:-v1", /tag "-v1" may hold/],
        [`ghcr.io/app:${"x".repeat(129)}`, /tag has 129 characters, and 128/],
        [`ghcr.io/${"x".repeat(256)}`, /256 characters, and 255/],
        ["ghcr.io/app@sha256:abc", /digest "sha256:abc" is not/],
        [`ghcr.io/app@sha512:${"a".repeat(128)}`, /is not sha256/],
        [`ghcr.io/app@${digest.toUpperCase()}`, /lower case/],
        ["a".repeat(64), /look like a digest/],
        ["-bad.example.com/app", /registry "-bad.example.com" is not a host/],
        ["ghcr.io:99999/app", /port 99999 does not exist/],
        ["[::zz]/app", /registry "\[::zz\]" is not a host/],
        ["[1:2]/app", /not an IPv6 address/],
    ];
    for (const [text, reason] of refusals) {
        it(`is refused for ${JSON.stringify(text.slice(0, 40))}, and the reason names the part`, () => {
            assert.throws(
                () => parseReference(text),
                (error) => {
                    assert.ok(error instanceof MultiArchError);
                    assert.equal(error.code, "registry-reference");
                    assert.match(error.message, reason);
                    return true;
                },
            );
        });
    }

    it("has at most 255 characters in its path and 128 in its tag", () => {
        const text = `ghcr.io/${"x".repeat(255)}:${"t".repeat(128)}`;
        assert.equal(formatReference(parseReference(text)), text);
    });

    it("gives the same parts when it is written and read again", () => {
        const label = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?$/);
        const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
        const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
        const registry = fc
            .tuple(fc.oneof(host, fc.constantFrom("localhost", "[::1]")), port)
            .filter(([name]) => name !== "index.docker.io")
            .map(([name, number]) => (number === undefined ? name : `${name}:${number}`));
        const part = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}$/);
        const path = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/"));
        const tag = fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined });
        const hash = fc.option(fc.stringMatching(/^[a-f0-9]{64}$/), { nil: undefined });
        fc.assert(
            fc.property(registry, path, tag, hash, (where, repository, name, hex) => {
                const reference: Reference = {
                    registry: where,
                    repository,
                    ...(name === undefined ? {} : { tag: name }),
                    ...(hex === undefined ? {} : { digest: `sha256:${hex}` }),
                };
                assert.deepEqual(parseReference(formatReference(reference)), reference);
            }),
        );
    });

    it("is read or refused for any text, and what is read is written in its final form", () => {
        fc.assert(
            fc.property(fc.string({ unit: fc.constantFrom(..."a Z 0 . / : @ - _ [ ]".split(" "), " ") }), (text) => {
                let reference: Reference;
                try {
                    reference = parseReference(text);
                } catch (error) {
                    assert.ok(error instanceof MultiArchError);
                    return;
                }
                assert.deepEqual(parseReference(formatReference(reference)), reference);
            }),
            { numRuns: 2000 },
        );
    });
});

describe("the name of a repository", () => {
    it("has neither tag nor digest", () => {
        assert.deepEqual(parseRepository("ghcr.io/team/app"), { registry: "ghcr.io", repository: "team/app" });
        assert.throws(() => parseRepository("ghcr.io/team/app:v1"), /ends with the tag v1; move it to tags/);
        assert.throws(() => parseRepository(`ghcr.io/team/app@${digest}`), /ends with a digest; take it off/);
    });
});

describe("a tag and a digest", () => {
    it("are told from other texts", () => {
        assert.equal(isTag("1.4.2"), true);
        assert.equal(isTag("_x"), true);
        assert.equal(isTag(".x"), false);
        assert.equal(isTag("a/b"), false);
        assert.equal(isTag(""), false);
        assert.equal(isDigest(digest), true);
        assert.equal(isDigest(digest.slice(0, -1)), false);
    });
});
