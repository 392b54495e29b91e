import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import * as prettier from "prettier";
import * as ts from "typescript";

import { readBake, type BakeDocument } from "../../../sdk/cli/convert/bake";
import type { Build } from "../../../sdk/cli/convert/build";
import { convertBuilds } from "../../../sdk/cli/convert/convert";
import type { Program } from "../../../sdk/cli/convert/program";
import { readScript } from "../../../sdk/cli/convert/script";
import { writeTypeScript } from "../../../sdk/cli/convert/writeTypeScript";
import { writeYaml } from "../../../sdk/cli/convert/writeYaml";
import { runIn } from "./runConvert";

const fixtures = resolve("tests/fixtures/convert");
const example = resolve("examples/migrate/buildx-script");
const folders = { from: fixtures, to: fixtures };

function readFixture(name: string): string {
    return readFileSync(join(fixtures, name), "utf8");
}

function convert(builds: readonly Build[], settings: Program["settings"] = []): Program {
    const { program, refusals } = convertBuilds(builds, { folders, settings });
    assert.deepEqual(refusals, []);
    return program;
}

const programs: Readonly<Record<string, () => Program>> = {
    everything() {
        const { builds, settings } = readScript(readFixture("everything.sh"));
        return convert(builds, settings);
    },
    bake: () => convert(readBake(JSON.parse(readFixture("bake.json")) as BakeDocument)),
};

describe("a program that was converted", () => {
    for (const [name, build] of Object.entries(programs)) {
        it(`is written in TypeScript as ${name}.ts`, () => {
            assert.equal(writeTypeScript(build()), readFixture(`${name}.ts`));
        });

        it(`is written in YAML as ${name}.yaml`, () => {
            assert.equal(writeYaml(build()), readFixture(`${name}.yaml`));
        });
    }

    it("is the example of docs/migrate, by its script", async () => {
        const before = join(example, "before");
        const { status, stdout, stderr } = await runIn(before, ["convert", "--file", "build.sh"]);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, readFileSync(join(example, "after", "index.ts"), "utf8"));
    });

    it("compiles, with the inputs of this version and all checks of the compiler", function () {
        this.timeout(120_000);
        const files = [...Object.keys(programs).map((name) => join(fixtures, `${name}.ts`))];
        const { config } = ts.readConfigFile("tsconfig.json", (path) => ts.sys.readFile(path)) as { config: object };
        const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files }, ts.sys, resolve("."));
        const paths = { "pulumi-multiarch": [resolve("sdk/index.ts")] };
        const program = ts.createProgram(files, { ...options, paths, noUnusedLocals: true });
        const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
        assert.deepEqual(
            found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
            [],
        );
    });

    it("is formatted as Prettier would", async () => {
        const options = await prettier.resolveConfig(resolve("index.ts"));
        for (const name of Object.keys(programs)) {
            const text = readFixture(`${name}.ts`);
            assert.equal(await prettier.format(text, { ...options, parser: "typescript" }), text);
            const yaml = readFixture(`${name}.yaml`);
            assert.equal(await prettier.format(yaml, { ...options, parser: "yaml", tabWidth: 2 }), yaml);
        }
    });

    it("does not hold what looks like a secret in the command", async () => {
        const command =
            "docker build --platform linux/amd64 -t r.example.com/a --build-arg NPM_TOKEN=hunter2 " +
            "--cache-to type=s3,region=x,bucket=y,secret_access_key=hunter2,access_key_id=hunter2 .";
        for (const language of ["typescript", "yaml"]) {
            const { stdout, stderr } = await runIn("/", ["convert", "--language", language], command);
            assert.equal(`${stdout}${stderr}`.includes("hunter2"), false);
        }
    });
});

describe("a build of a bake file", () => {
    it("that cannot be carried over is named by its target and attribute, all at once", () => {
        const target = {
            ...{ context: ".", dockerfile: "Dockerfile", platforms: ["linux/amd64"], tags: ["r.example.com/a"] },
            output: [{ type: "registry" }],
        };
        const document = {
            target: {
                one: { ...target, contexts: { base: "target:two" }, policy: [{ filename: "x.rego" }] },
                two: { ...target, call: "check", novelty: "x" },
            },
        };
        const { refusals } = convertBuilds(readBake(document), { folders });
        assert.deepEqual(
            refusals.map(({ what }) => what),
            ['target "one": build-context', 'target "one": policy', 'target "two": call', 'target "two": novelty'],
        );
    });
});
