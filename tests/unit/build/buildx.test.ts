import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { findBuildx, listBuildxPlaces, parseBuildxVersion } from "../../../sdk/build/buildx";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";

const failsWith =
    (code: ErrorCode) =>
    (error: unknown): boolean =>
        error instanceof MultiArchError && error.code === code;

describe("the version of buildx", () => {
    const answers: [answer: string, version: string | undefined][] = [
        ["github.com/docker/buildx v0.35.0 ", "0.35.0"],
        ["github.com/docker/buildx v0.19.3 48d6a39\n", "0.19.3"],
        ["github.com/docker/buildx v0.20.0-rc1-desktop.2 abc", "0.20.0"],
        ["github.com/docker/buildx 0.13.1+ds1 ", "0.13.1"],
        ["github.com/docker/buildx (devel) abc", ""],
        ["Docker version 27.0", undefined],
        ["", undefined],
    ];
    for (const [answer, version] of answers) {
        it(`in ${JSON.stringify(answer)} is ${String(version)}`, () => {
            assert.equal(parseBuildxVersion(answer), version);
        });
    }
});

describe("buildx", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), "buildx-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    function install(name: string, version: string): string {
        const file = path.join(folder, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, `#!/bin/sh\necho "github.com/docker/buildx ${version} abc"\n`, { mode: 0o755 });
        return file;
    }

    it("is searched among docker's plugins first, then on PATH", () => {
        const places = listBuildxPlaces({ PATH: "/usr/bin:relative", DOCKER_CONFIG: "/cfg" }, "/home/me", ":");
        assert.equal(places[0], "/cfg/cli-plugins/docker-buildx");
        assert.equal(places[1], "/home/me/.docker/cli-plugins/docker-buildx");
        assert.deepEqual(places.slice(-2), ["/usr/bin/docker-buildx", "/usr/bin/buildx"]);
        assert.equal(
            places.some((place) => place.startsWith("relative")),
            false,
        );
    });

    it("is found in the user's own plugin folder", async () => {
        const file = install("cli-plugins/docker-buildx", "v0.30.0");
        assert.deepEqual(await findBuildx({ DOCKER_CONFIG: folder, PATH: "/usr/bin:/bin" }), {
            file,
            version: "0.30.0",
        });
    });

    it("is the one that the variable names, before any other", async () => {
        install("cli-plugins/docker-buildx", "v0.30.0");
        const file = install("mine", "v0.31.0");
        const env = { DOCKER_CONFIG: folder, MULTIARCH_BUILDX: file, PATH: "/usr/bin:/bin" };
        assert.deepEqual(await findBuildx(env), { file, version: "0.31.0" });
    });

    it("is refused when it is too old, and taken once it was replaced", async () => {
        const file = install("old", "v0.18.0");
        const env = { MULTIARCH_BUILDX: file, PATH: "/usr/bin:/bin" };
        await assert.rejects(findBuildx(env), failsWith("buildx-too-old"));
        install("old", "v0.19.0");
        assert.equal((await findBuildx(env)).version, "0.19.0");
    });

    it("is missed when the variable names nothing that can be run, or something else", async () => {
        const env = { MULTIARCH_BUILDX: path.join(folder, "nothing"), PATH: "/usr/bin:/bin" };
        await assert.rejects(findBuildx(env), failsWith("buildx-missing"));
        await assert.rejects(findBuildx({ ...env, MULTIARCH_BUILDX: "/bin/true" }), failsWith("buildx-missing"));
    });
});
