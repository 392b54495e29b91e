import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { findContextProblems } from "../../../sdk/context/problems";
import type { ContextSource, DockerfileSource } from "../../../sdk/context/request";
import type { Tree } from "./folders";
import { createFolders, withoutPrivileges } from "./folders";

describe("problems of a context", () => {
    const folders = createFolders();
    after(() => {
        folders.remove();
    });

    interface Case {
        readonly tree?: Tree;
        readonly context: ContextSource;
        readonly dockerfile?: DockerfileSource;
        readonly expected: readonly (readonly [property: string, reason: string])[];
    }

    const digest = `sha256:${"0".repeat(64)}`;
    const cases: Record<string, Case> = {
        "are none for a folder with a Dockerfile": {
            tree: { "app/Dockerfile": "" },
            context: { location: "app" },
            expected: [],
        },
        "are none for an empty location, which is the base directory": {
            tree: { Dockerfile: "" },
            context: { location: "" },
            expected: [],
        },
        "are none for addresses, which are not asked": {
            context: {
                location: "https://nowhere.invalid/app.git#main",
                named: {
                    a: { location: "http://nowhere.invalid/a.tar" },
                    b: { location: "docker-image://alpine" },
                    c: { location: `oci-layout://nowhere@${digest}` },
                    d: { location: "git@nowhere.invalid:d" },
                    e: { location: "target:base" },
                },
            },
            expected: [],
        },
        "are none for a folder that looks like an address": {
            tree: { "github.com/a/b/Dockerfile": "" },
            context: { location: "github.com/a/b" },
            expected: [],
        },
        "are all told at once": {
            tree: { "app/.dockerignore": "a\n[\n" },
            context: { location: "app", named: { x: { location: "nope" }, y: { location: "oci-layout://nope" } } },
            expected: [
                ["dockerfile.location", "there is no Dockerfile at app/Dockerfile (BASE/app/Dockerfile)"],
                ["context.location", "line 2 of .dockerignore is not a pattern that BuildKit can use: ["],
                ["context.named.x.location", "there is no folder nope (BASE/nope)"],
                ["context.named.y.location", "there is no OCI layout at nope (BASE/nope/index.json)"],
            ],
        },
        "name a folder that is missing": {
            context: { location: "./nope" },
            expected: [["context.location", "there is no folder ./nope (BASE/nope)"]],
        },
        "name a file given as folder": {
            tree: { app: "", Dockerfile: "" },
            context: { location: ".", named: { x: { location: "app" } } },
            expected: [["context.named.x.location", "app (BASE/app) is a file, not a folder"]],
        },
        "name an address that BuildKit does not know": {
            context: { location: "file:///srv/app.git" },
            expected: [["context.location", "there is no folder file:///srv/app.git"]],
        },
        "name options of a git address that BuildKit refuses": {
            context: { location: "https://example.com/app.git?depth=1" },
            expected: [
                ["context.location", "the git address cannot be used: BuildKit does not know its option depth=1"],
            ],
        },
        "name a Dockerfile that is missing where the base directory has it looked for": {
            tree: { "app/sub/Dockerfile": "" },
            context: { location: "app" },
            dockerfile: { location: "sub/Dockerfile" },
            expected: [["dockerfile.location", "there is no Dockerfile at sub/Dockerfile (BASE/sub/Dockerfile)"]],
        },
        "name a Dockerfile that is a folder": {
            tree: { "Dockerfile/x": "" },
            context: { location: "." },
            expected: [["dockerfile.location", "Dockerfile (BASE/Dockerfile) is not a file"]],
        },
        "name a Dockerfile that is a link out of its folder, where BuildKit cannot follow": {
            tree: { "app/Dockerfile": { link: "../Dockerfile" }, Dockerfile: "" },
            context: { location: "app" },
            expected: [["dockerfile.location", "there is no Dockerfile at app/Dockerfile (BASE/app/Dockerfile)"]],
        },
        "name a Dockerfile given twice": {
            tree: { Dockerfile: "" },
            context: { location: "." },
            dockerfile: { location: "Dockerfile", inline: "FROM scratch" },
            expected: [["dockerfile", "the Dockerfile is given twice, as location and as inline text"]],
        },
        "name a bad pattern in the ignore file beside the Dockerfile": {
            tree: { Dockerfile: "", "Dockerfile.dockerignore": "!" },
            context: { location: "." },
            expected: [
                ["dockerfile.location", "line 1 of Dockerfile.dockerignore is not a pattern that BuildKit can use: !"],
            ],
        },
    };

    for (const [title, { tree = {}, context, dockerfile, expected }] of Object.entries(cases)) {
        it(title, async () => {
            const baseDirectory = folders.make(tree);
            const problems = await findContextProblems({ context, dockerfile, baseDirectory });
            assert.deepEqual(
                problems.map(({ property, reason }) => [property, reason.replaceAll(baseDirectory, "BASE")]),
                expected,
            );
        });
    }

    it("name a folder and a Dockerfile that may not be read", async () => {
        const base = folders.make({ "closed/Dockerfile": "", "app/Dockerfile": "" });
        chmodSync(join(base, ".."), 0o755);
        chmodSync(join(base, "closed"), 0);
        chmodSync(join(base, "app/Dockerfile"), 0);
        const find = async (location: string): Promise<string[]> => {
            const problems = await findContextProblems({ context: { location }, baseDirectory: base });
            return problems.map(({ property, reason }) => `${property}: ${reason}`);
        };
        await withoutPrivileges(async () => {
            assert.deepEqual(await find("closed"), ["context.location: closed cannot be read (EACCES)"]);
            assert.deepEqual(await find("app"), ["dockerfile.location: app/Dockerfile cannot be read (EACCES)"]);
        });
        chmodSync(join(base, "closed"), 0o700);
    });
});
