import assert from "node:assert/strict";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { checkContext } from "../../../sdk/validation/context";
import { findShownSecrets } from "../../../sdk/validation/shownSecrets";

describe("contexts", () => {
    const cases: { title: string; change: Properties; property: string; reason: RegExp }[] = [
        ...[
            "https://ghp_t0ken@github.com/a/b.git",
            "https://me:pa/ss@example.com/app.git",
            "https://me:pa#ss@example.com/app.git#main",
            "git+https://t0ken@example.com/app.git",
            "HTTPS://t0ken@example.com/app.git",
            "ssh://git:hunter2@example.com/app.git",
        ].map((location) => ({
            title: `an account in the address ${location}`,
            change: { context: { location } },
            property: "context.location",
            reason: /holds a password or a token.*GIT_AUTH_TOKEN/,
        })),
        {
            title: "an account in the address of a tarball",
            change: { context: { location: "https://t0ken@example.com/app.tar.gz" } },
            property: "context.location",
            reason: /holds a password or a token.*cannot be used/,
        },
        {
            title: "an account in the address of a named context",
            change: { context: { location: ".", named: { lib: { location: "https://t0ken@example.com/lib.git" } } } },
            property: "context.named.lib.location",
            reason: /GIT_AUTH_TOKEN/,
        },
        {
            title: "an account in the address of a Dockerfile",
            change: { dockerfile: { location: "https://me:hunter2@example.com/Dockerfile" } },
            property: "dockerfile.location",
            reason: /holds a password or a token/,
        },
        {
            title: "a context without an address",
            change: { context: { location: "" } },
            property: "context.location",
            reason: /is empty/,
        },
        ...["A", "a=b", "a b", ""].map((name) => ({
            title: `"${name}" as the name of a context`,
            change: { context: { location: ".", named: { [name]: { location: "docker-image://alpine" } } } },
            property: `context.named["${name}"]`,
            reason: /is not a name that FROM can use/,
        })),
        {
            title: "two names of contexts for one image",
            change: {
                context: {
                    location: ".",
                    named: {
                        alpine: { location: "docker-image://alpine:3" },
                        "docker.io/library/alpine:latest": { location: "docker-image://alpine:4" },
                    },
                },
            },
            property: 'context.named["docker.io/library/alpine:latest"]',
            reason: /same image as context.named\["alpine"\]/,
        },
    ];
    for (const { title, change, property, reason } of cases) {
        it(`are refused with ${title}, and ${property} is named`, () => {
            const problems = checkContext(change);
            assert.deepEqual(
                problems.map((problem) => problem.property),
                [property],
            );
            assert.match(problems[0]?.reason ?? "", reason);
            assert.doesNotMatch(problems[0]?.reason ?? "", /t0ken|hunter2|ss@/);
        });
    }

    it("have any address without an account, and any name of an image", () => {
        for (const location of [
            ".",
            "../@scope/a:b@c",
            "https://example.com:8443/@scope/app.tar.gz",
            "http://[::1]:8080/@scope/app.git#main:sub",
            "git@github.com:a/b.git#main",
            "ssh://git@example.com:22/a/b.git",
            unknownValue,
        ]) {
            assert.deepEqual(checkContext({ context: { location } }), [], location);
        }
        const digest = `sha256:${"a".repeat(64)}`;
        const location = `docker-image://alpine:3@${digest}`;
        const names = ["app", "alpine:3.20", "ghcr.io/a/b_c", `alpine@${digest}`];
        const named = Object.fromEntries(names.map((name) => [name, { location }]));
        assert.deepEqual(checkContext({ context: { location: ".", named } }), []);
        for (const named of [unknownValue, { a: unknownValue }, { a: { location: unknownValue } }]) {
            assert.deepEqual(checkContext({ context: { location: ".", named } }), []);
        }
    });
});

describe("secrets where they would be seen", () => {
    const inputs: Properties = {
        context: {
            location: "https://example.com/hunter2-hunter2/app.git",
            named: {
                lib: { location: "https://example.com/lib.tgz?token=hunter2-hunter2" },
                other: { location: "ok" },
            },
        },
        dockerfile: { location: "hunter2-hunter2/Dockerfile" },
        target: "hunter2-hunter2",
        cache: { registry: { ref: "r.example.com/hunter2-hunter2" }, inline: { from: ["ok", "hunter2-hunter2"] } },
    };

    it("are found, each with its property, and are not repeated", () => {
        const problems = findShownSecrets(inputs, ["hunter2-hunter2"]);
        assert.deepEqual(
            problems.map(({ property }) => property),
            [
                "context.location",
                "context.named.lib.location",
                "dockerfile.location",
                "target",
                "cache.registry.ref",
                "cache.inline.from[1]",
            ],
        );
        assert.doesNotMatch(JSON.stringify(problems), /hunter2-hunter2/);
    });

    it("are not the keys of a cache, which are shown nowhere", () => {
        const s3 = { bucket: "hunter2-hunter2", accessKeyId: "hunter2-hunter2", secretAccessKey: "hunter2-hunter2" };
        const problems = findShownSecrets({ cache: { s3, from: [{ gha: { token: "hunter2-hunter2" } }] } }, [
            "hunter2-hunter2",
        ]);
        assert.deepEqual(
            problems.map(({ property }) => property),
            ["cache.s3.bucket"],
        );
    });

    it("are none where nothing is secret, or too short to be told from other text", () => {
        assert.deepEqual(findShownSecrets(inputs, []), []);
        assert.deepEqual(findShownSecrets(inputs, ["", "h", "ok", "app"]), []);
    });
});
