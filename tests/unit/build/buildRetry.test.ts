import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { buildPlatform, type BuildOptions } from "../../../sdk/build/build";
import { MultiArchError } from "../../../sdk/errors";
import { replay, useBuildxDouble } from "./buildxDouble";
import { requestOf } from "./testRequests";

describe("the build of one platform, after a fault,", () => {
    const double = useBuildxDouble();
    const { play, recorded, request, failureOf, assertNothingLeft } = double;

    it("is tried again after a transient fault, on the builder it is told to use then", async () => {
        play(replay("builder-killed"), "play1");
        play(replay("built"));
        const other = { ...requestOf().node, name: "spare", address: "tcp://10.0.0.8:1234" };
        const nextTry: BuildOptions["nextTry"] = (failures) => {
            assert.deepEqual(
                failures.map(({ node, error }) => [node.name, error.code]),
                [["arm", "build-lost-connection"]],
            );
            return Promise.resolve({ node: other, registriesConfig: '{"auths":{"fresh":{}}}' });
        };
        const { build } = await buildPlatform(request(), { ...double.options, nextTry });
        assert.equal(build.builder, "spare (tcp://10.0.0.8:1234)");
        assert.match(recorded("create"), /tcp:\/\/10\.0\.0\.8:1234/);
        assert.match(recorded("config.json"), /fresh/, "a token may have run out");
        const reason = "the connection to the builder was lost";
        const [retry, ...others] = double.options.progress.filter(({ kind }) => kind.startsWith("retry"));
        assert.ok(retry?.kind === "retry" && retry.waitSeconds > 0 && retry.waitSeconds <= 0.01);
        assert.deepEqual({ ...retry, waitSeconds: 0 }, { kind: "retry", tries: 1, waitSeconds: 0, reason });
        assert.deepEqual(others, [{ kind: "retrying", tries: 2, builder: "spare (tcp://10.0.0.8:1234)", reason }]);
    });

    const unfit = (): Promise<never> => {
        return Promise.reject(
            new MultiArchError("builder-refused", {
                what: "nothing listens there",
                platform: "linux/arm64",
                transient: true,
            }),
        );
    };

    it("counts a search without a builder as a try, and goes on once there is one", async () => {
        play(replay("push-503"), "play1");
        play(replay("built"));
        let searches = 0;
        const nextTry: BuildOptions["nextTry"] = () => {
            searches += 1;
            return searches === 1 ? unfit() : Promise.resolve({ node: requestOf().node });
        };
        await buildPlatform(request(), { ...double.options, nextTry });
        assert.equal(recorded("tries"), "2\n");
    });

    it("fails with all that was tried when there is no builder any more", async () => {
        play(replay("push-503"));
        const error = await failureOf({ retries: 1 }, { nextTry: unfit });
        assert.equal(error.code, "builder-refused");
        assert.equal(error.fields.what, "nothing listens there (failed after 2 tries)");
        assert.match(error.fields.lines?.join() ?? "", /^try 1 on arm \(tcp:\/\/10\.0\.0\.7:1234\): the push .*503/);
        assert.equal(recorded("tries"), "1\n");
    });

    it("is not tried again where the search for a builder fails for good", async () => {
        play(replay("push-503"));
        const cancelled = new MultiArchError("build-cancelled", { what: "cancelled", platform: "linux/arm64" });
        const error = await failureOf({}, { nextTry: () => Promise.reject(cancelled) });
        assert.equal(error.code, "build-cancelled");
        assert.equal(recorded("tries"), "1\n");
    });

    it("fails with the last fault when all tries are used, and says how many there were", async () => {
        play(replay("push-429"));
        const error = await failureOf({ retries: 1 });
        assert.equal(error.code, "registry-rate-limited");
        assert.match(error.message, /429 Too Many Requests \(failed after 2 tries\) \[registry-rate-limited\]/);
        assert.equal(recorded("tries"), "2\n");
        assertNothingLeft();
    });

    it("is ended and tried again when its builder is gone, though buildx hangs", async () => {
        play("hang", "play1");
        play(replay("built"));
        const gone = new MultiArchError("build-lost-connection", { what: "the builder is gone", transient: true });
        const controller = new AbortController();
        setTimeout(() => controller.abort(gone), 500);
        await buildPlatform(request(), { ...double.options, lost: controller.signal });
        assert.equal(recorded("tries"), "2\n");
        assert.equal(existsSync(`/proc/${recorded("pid").trim()}`), false);
        assert.equal(
            double.options.progress.some(
                (progress) => progress.kind === "retry" && progress.reason === "the builder is gone",
            ),
            true,
        );
    });

    it("asks the builder when buildx is silent, and is tried again when it does not answer", async () => {
        play("hang", "play1");
        play(replay("built"));
        // Nothing listens there, and an address of its own gives the next try another one.
        const node = { ...requestOf().node, address: "tcp://127.0.0.1:1", tls: undefined, insecure: true };
        const watch = { silentMs: 200, answerMs: 200, againMs: 100 };
        await buildPlatform(request({ node }), { ...double.options, watch });
        assert.equal(recorded("tries"), "2\n");
        const retry = double.options.progress.find(({ kind }) => kind === "retry");
        assert.match(retry?.kind === "retry" ? retry.reason : "", /has said nothing for \d+ s, and does not answer/);
    });
});
