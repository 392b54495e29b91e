import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { buildPlatform } from "../../../sdk/build/build";
import type { BuildRequest } from "../../../sdk/build/request";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import { replay, useBuildxDouble } from "./buildxDouble";
import { requestOf } from "./testRequests";

describe("the build of one platform", () => {
    const double = useBuildxDouble();
    const { play, recorded, request, failureOf, assertNothingLeft } = double;

    it("gives the digest and the figures", async () => {
        play(replay("built"));
        const { pushed, build } = await buildPlatform(request(), double.options);
        assert.equal(pushed?.digest, `sha256:${"a".repeat(64)}`);
        assert.equal(pushed.descriptor.digest, pushed.digest);
        const { waitingSeconds, ...figures } = build;
        assert.ok(waitingSeconds >= 0 && waitingSeconds < 10);
        assert.deepEqual(figures, {
            builder: "arm (tcp://10.0.0.7:1234)",
            buildingSeconds: 1.2,
            pushingSeconds: 0,
            steps: 5,
            cachedSteps: 0,
            bytesSent: 2_699_801,
        });
        assert.equal(double.options.progress.filter(({ kind }) => kind === "step").length, 10);
        assertNothingLeft();
    });

    it("keeps secrets out of argv, of the environment, of progress and of errors", async () => {
        play(replay("failing-step"));
        const error = await failureOf({
            secrets: { token: "went wrong" },
            registriesConfig: '{"auths":{"r":{"auth":"cGFzc3dvcmQ="}}}',
            node: { ...requestOf().node, tls: { ca: "CA", cert: "CERT", key: "PRIVATE-KEY-1" } },
            redact: ["line 25"],
        });
        const seen = [
            recorded("argv"),
            recorded("env"),
            recorded("create"),
            error.message,
            JSON.stringify(double.options.progress),
        ];
        for (const secret of ["went wrong", "cGFzc3dvcmQ=", "PRIVATE-KEY-1", "line 25"]) {
            assert.equal(
                seen.some((text) => text.includes(secret)),
                false,
                secret,
            );
        }
        assert.equal(recorded("secret"), "went wrong");
        assert.match(recorded("config.json"), /cGFzc3dvcmQ=/);
        assert.match(recorded("create"), /key=\S+\/tls\/key\.pem/);
        assertNothingLeft();
    });

    it("keeps secrets out of what buildx says beside the progress", async () => {
        play("a hint about hunter22\nERROR: failed to solve: hunter22, PRIVATE-KEY-1 and pin\n");
        const error = await failureOf({
            secrets: { token: "hunter22", pin: "pin\n" },
            node: { ...requestOf().node, tls: { ca: "CA", cert: "CERT", key: "PRIVATE-KEY-1" } },
        });
        assert.deepEqual(error.fields.lines, [
            "a hint about [secret]",
            "ERROR: failed to solve: [secret], [secret] and [secret]",
        ]);
        assert.equal(error.fields.what, "the build failed: [secret], [secret] and [secret]");
    });

    it("gives build arguments by name, with their values in the environment", async () => {
        play(replay("built"));
        await buildPlatform(request({ buildArgs: { VERSION: "1 2", PATH: "/odd" } }), double.options);
        assert.match(recorded("argv"), /--build-arg VERSION --build-arg PATH=\/odd/);
        assert.match(recorded("env"), /^VERSION=1 2$/m);
        assert.match(recorded("env"), /^PATH=\/usr\/bin:\/bin$/m);
        assert.doesNotMatch(recorded("env"), /BUILDX_BUILDER/);
    });

    it("gives the text of a Dockerfile in a folder with nothing else in it", async () => {
        play(replay("built"));
        await buildPlatform(
            request({ dockerfile: { inline: "FROM scratch\n" }, secrets: { a: "b".repeat(9) } }),
            double.options,
        );
        assert.equal(recorded("dockerfile"), "FROM scratch\n");
        assert.match(recorded("argv"), /--file \S+\/dockerfile\/Dockerfile /);
    });

    it("is not tried again when a step failed", async () => {
        play(replay("failing-step"));
        assert.equal((await failureOf()).code, "build-step-failed");
        assert.equal(recorded("tries"), "1\n");
    });

    it("ends when its time is up, and leaves nothing running or lying about", async () => {
        play("hang");
        const error = await failureOf({ timeoutSeconds: 0.5 });
        assert.equal(error.code, "build-timeout");
        assert.equal(existsSync(`/proc/${recorded("pid").trim()}`), false);
        assertNothingLeft();
    });

    it("ends when it is cancelled, and leaves nothing running or lying about", async () => {
        play("hang");
        const begin = Date.now();
        const error = await failureOf({}, { signal: AbortSignal.timeout(500) });
        assert.equal(error.code, "build-cancelled");
        assert.ok(Date.now() - begin < 4_000);
        assert.equal(existsSync(`/proc/${recorded("pid").trim()}`), false);
        assertNothingLeft();
    });

    it("is cancelled between two tries too", async () => {
        play(replay("builder-killed"));
        const error = await failureOf({}, { pauseSeconds: 30, signal: AbortSignal.timeout(700) });
        assert.equal(error.code, "build-cancelled");
    });

    const refusals: [name: string, more: Partial<BuildRequest>, code: ErrorCode][] = [
        [
            "a secret that would show in argv",
            { buildArgs: { GIT_TOKEN: "hunter22" }, redact: ["hunter22"] },
            "build-failed",
        ],
        ["a folder that is not there", { baseDirectory: "/nowhere" }, "context-missing"],
    ];
    for (const [name, more, code] of refusals) {
        it(`is refused with ${name}`, async () => {
            play(replay("built"));
            await assert.rejects(
                buildPlatform(request(more), double.options),
                (error) =>
                    error instanceof MultiArchError && error.code === code && !error.message.includes("hunter22"),
            );
            assert.equal(existsSync(path.join(double.folder, "record", "argv")), false);
        });
    }

    it("fails when buildx gives no digest", async () => {
        play(replay("built"));
        writeFileSync(path.join(double.folder, "record", "metadata"), "{}");
        assert.equal((await failureOf()).code, "build-no-digest");
    });
});
