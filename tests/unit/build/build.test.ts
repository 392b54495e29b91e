import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { buildPlatform, type BuildOptions } from "../../../sdk/build/build";
import type { BuildProgress } from "../../../sdk/build/progress";
import type { BuildRequest } from "../../../sdk/build/request";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import { captured, metadata, requestOf } from "./testRequests";

// A program of a few lines stands in for buildx: it plays back what the real one wrote, and notes what it was given.
// That the arguments mean to buildx what they are meant to is for the integration tests to show.
const buildxDouble = `#!/bin/sh
set -e
case "$1" in
version) echo "github.com/docker/buildx v0.35.0 abc"; exit ;;
create) { echo "$@"; env; find "$DOCKER_CONFIG/.." -type f; } > "$RECORD/create"; exit ;;
esac
tries=$(($(cat "$RECORD/tries" 2> /dev/null || echo 0) + 1))
echo "$tries" > "$RECORD/tries"
{ echo "$@"; } > "$RECORD/argv"; env > "$RECORD/env"
while [ $# -gt 0 ]; do
    case "$1" in
    --metadata-file) file="$2" ;;
    --secret) cat "\${2##*src=}" > "$RECORD/secret" ;;
    --file) cp "$2" "$RECORD/dockerfile" ;;
    esac
    shift
done
cp "$DOCKER_CONFIG/config.json" "$RECORD/config.json"
play="$RECORD/play$tries"; [ -f "$play" ] || play="$RECORD/play"
if [ "$(cat "$play")" = hang ]; then echo $$ > "$RECORD/pid"; exec sleep 60; fi
cat "$play" >&2
if grep -q ^ERROR "$play"; then exit 1; fi
cp "$RECORD/metadata" "$file"
`;

describe("the build of one platform", () => {
    let folder: string;
    let record: string;
    let options: BuildOptions & { progress: BuildProgress[] };

    beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), "build-"));
        record = path.join(folder, "record");
        mkdirSync(record);
        const buildx = path.join(folder, "buildx");
        writeFileSync(buildx, buildxDouble.replaceAll("$RECORD", record), { mode: 0o755 });
        writeFileSync(path.join(record, "metadata"), metadata);
        const progress: BuildProgress[] = [];
        options = {
            env: { PATH: "/usr/bin:/bin", MULTIARCH_BUILDX: buildx, BUILDX_BUILDER: "mine" },
            place: { base: path.join(folder, "private") },
            pauseSeconds: 0.01,
            onProgress: (event) => progress.push(event),
            progress,
        };
    });
    afterEach(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    const play = (text: string, name = "play"): void => {
        writeFileSync(path.join(record, name), text);
    };
    const recorded = (name: string): string => readFileSync(path.join(record, name), "utf8");
    const request = (more: Partial<BuildRequest> = {}): BuildRequest => requestOf({ baseDirectory: folder, ...more });
    const replay = (name: string): string => `${captured(name).join("\n")}\n`;

    async function failureOf(more: Partial<BuildRequest> = {}, extra: BuildOptions = {}): Promise<MultiArchError> {
        try {
            await buildPlatform(request(more), { ...options, ...extra });
        } catch (error) {
            assert.ok(error instanceof MultiArchError, String(error));
            assert.equal(error.fields.platform, "linux/arm64");
            return error;
        }
        return assert.fail("the build succeeded");
    }

    function assertNothingLeft(): void {
        assert.deepEqual(readdirSync(path.join(folder, "private")), []);
    }

    it("gives the digest and the figures", async () => {
        play(replay("built"));
        const { pushed, build } = await buildPlatform(request(), options);
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
        assert.equal(options.progress.filter(({ kind }) => kind === "step").length, 10);
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
            JSON.stringify(options.progress),
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
        await buildPlatform(request({ buildArgs: { VERSION: "1 2", PATH: "/odd" } }), options);
        assert.match(recorded("argv"), /--build-arg VERSION --build-arg PATH=\/odd/);
        assert.match(recorded("env"), /^VERSION=1 2$/m);
        assert.match(recorded("env"), /^PATH=\/usr\/bin:\/bin$/m);
        assert.doesNotMatch(recorded("env"), /BUILDX_BUILDER/);
    });

    it("gives the text of a Dockerfile in a folder with nothing else in it", async () => {
        play(replay("built"));
        await buildPlatform(
            request({ dockerfile: { inline: "FROM scratch\n" }, secrets: { a: "b".repeat(9) } }),
            options,
        );
        assert.equal(recorded("dockerfile"), "FROM scratch\n");
        assert.match(recorded("argv"), /--file \S+\/dockerfile\/Dockerfile /);
    });

    it("is not tried again when a step failed", async () => {
        play(replay("failing-step"));
        assert.equal((await failureOf()).code, "build-step-failed");
        assert.equal(recorded("tries"), "1\n");
    });

    it("is tried again after a transient fault, on the builder it is told to use then", async () => {
        play(replay("builder-killed"), "play1");
        play(replay("built"));
        const other = { ...requestOf().node, name: "spare", address: "tcp://10.0.0.8:1234" };
        const nextNode: BuildOptions["nextNode"] = (failed, error) => {
            assert.equal(failed.name, "arm");
            assert.equal(error.code, "build-lost-connection");
            return Promise.resolve(other);
        };
        const { build } = await buildPlatform(request(), { ...options, nextNode });
        assert.equal(build.builder, "spare (tcp://10.0.0.8:1234)");
        assert.match(recorded("create"), /tcp:\/\/10\.0\.0\.8:1234/);
        assert.deepEqual(
            options.progress.filter(({ kind }) => kind === "retry"),
            [{ kind: "retry", tries: 1, waitSeconds: 0.01, reason: "the connection to the builder was lost" }],
        );
    });

    it("stays on its builder when no other one is to be had", async () => {
        play(replay("push-503"), "play1");
        play(replay("built"));
        const { build } = await buildPlatform(request(), {
            ...options,
            nextNode: () => Promise.reject(new Error("none")),
        });
        assert.equal(build.builder, "arm (tcp://10.0.0.7:1234)");
    });

    it("fails with the last fault when all tries are used", async () => {
        play(replay("push-429"));
        assert.equal((await failureOf({ retries: 1 })).code, "registry-rate-limited");
        assert.equal(recorded("tries"), "2\n");
        assertNothingLeft();
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
                buildPlatform(request(more), options),
                (error) =>
                    error instanceof MultiArchError && error.code === code && !error.message.includes("hunter22"),
            );
            assert.equal(existsSync(path.join(record, "argv")), false);
        });
    }

    it("fails when buildx gives no digest", async () => {
        play(replay("built"));
        writeFileSync(path.join(record, "metadata"), "{}");
        assert.equal((await failureOf()).code, "build-no-digest");
    });
});
