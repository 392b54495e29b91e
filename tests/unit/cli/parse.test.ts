import assert from "node:assert/strict";

import { readAttributes, readCsv } from "../../../sdk/cli/convert/fields";
import { parseBuildCommand } from "../../../sdk/cli/convert/parse";

function parse(...words: string[]): Record<string, readonly string[]> & { context?: string } {
    const { build, refusals } = parseBuildCommand(["docker", "buildx", "build", ...words]);
    assert.deepEqual(refusals, []);
    const { options = new Map<string, string[]>(), context } = build ?? {};
    return { ...Object.fromEntries(options), ...(context === undefined ? {} : { context }) } as never;
}

function refusals(...words: string[]): string[] {
    return parseBuildCommand(["docker", "buildx", "build", ...words]).refusals.map(({ what }) => what);
}

describe("the words of a build command", () => {
    it("are read with values behind a space or an equals sign, repeated, in any order", () => {
        const read = parse("--tag", "a:1", "--tag=b:2", "app", "--label", "x=y=z", "--build-arg=A=");
        assert.deepEqual(read, { tag: ["a:1", "b:2"], label: ["x=y=z"], "build-arg": ["A="], context: "app" });
    });

    it("are read with letters, alone, together and with their value", () => {
        assert.deepEqual(parse("-q", "-t", "a", "-tb", "-t=c", "-qfx", "."), {
            quiet: ["true", "true"],
            tag: ["a", "b", "c"],
            file: ["x"],
            context: ".",
        });
    });

    it("are read with switches that take a value only behind an equals sign", () => {
        assert.deepEqual(parse("--push", "--pull=false", "--no-cache=1", "."), {
            push: ["true"],
            pull: ["false"],
            "no-cache": ["1"],
            context: ".",
        });
    });

    it("end with the context behind two dashes", () => {
        assert.deepEqual(parse("--push", "--", "-odd"), { push: ["true"], context: "-odd" });
    });

    it("are understood behind each name of the command", () => {
        for (const start of ["docker build", "docker image build", "docker buildx b", "/usr/bin/docker buildx build"]) {
            const { build } = parseBuildCommand([...start.split(" "), "-t", "a", "."]);
            assert.deepEqual([...(build?.options ?? [])], [["tag", ["a"]]], start);
        }
    });

    it("name what is unknown or incomplete, all at once and without a value", () => {
        assert.deepEqual(refusals("--tagg", "x", "--push=maybe", "-x", "a", "b", "--tag"), [
            "--tagg",
            "--push",
            "-x",
            "--tag",
            "argument 3",
        ]);
    });
});

describe("values with fields", () => {
    it("are read as CSV, with commas and quotes in quoted fields", () => {
        assert.deepEqual(readCsv('a,"b,c","d""e",'), ["a", "b,c", 'd"e', ""]);
        assert.deepEqual(readCsv(""), [""]);
        assert.deepEqual(readCsv('type=image,"name=a,b"'), ["type=image", "name=a,b"]);
    });

    it("have names in any case, and values with equals signs", () => {
        assert.deepEqual(
            [...readAttributes("Type=s3,url=a=b,flag")],
            [
                ["type", "s3"],
                ["url", "a=b"],
                ["flag", undefined],
            ],
        );
    });
});
