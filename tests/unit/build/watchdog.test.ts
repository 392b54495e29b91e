import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { watchBuild, type Pulse, type Watchdog } from "../../../sdk/build/watchdog";
import { MultiArchError } from "../../../sdk/errors";

const times = { silentMs: 60, answerMs: 1_000, againMs: 20 };
/** Long enough for many questions. */
const aWhile = 600;

describe("the watch over a build", () => {
    let dog: Watchdog;
    const dogs: Watchdog[] = [];
    let asked = 0;

    /** Watches a build whose builder gives these answers, one after the other, and the last one from then on. */
    function watch(...answers: (Pulse | "none")[]): void {
        dogs.at(-1)?.stop();
        asked = 0;
        dog = watchBuild(() => {
            const answer = answers[Math.min(asked, answers.length - 1)];
            asked += 1;
            return answer === "none" || answer === undefined ? Promise.reject(new Error()) : Promise.resolve(answer);
        }, times);
        dogs.push(dog);
    }

    async function reasonOf(): Promise<MultiArchError> {
        for (const deadline = Date.now() + 8_000; !dog.lost.aborted;) {
            assert.ok(Date.now() < deadline, "the build is not lost");
            await sleep(10);
        }
        const reason: unknown = dog.lost.reason;
        assert.ok(reason instanceof MultiArchError);
        assert.deepEqual([reason.code, reason.transient], ["build-lost-connection", true]);
        return reason;
    }

    afterEach(() => {
        dog.stop();
    });

    it("leaves one alone that is silent on a builder that answers", async () => {
        watch("working");
        await sleep(aWhile);
        assert.equal(dog.lost.aborted, false);
        assert.ok(asked > 2);
        watch("unknown");
        await sleep(aWhile);
        assert.equal(dog.lost.aborted, false);
    });

    it("asks nothing while the build says something", async () => {
        watch("none");
        const talking = setInterval(dog.heard, 5);
        await sleep(aWhile);
        clearInterval(talking);
        assert.deepEqual([asked, dog.lost.aborted], [0, false]);
    });

    it("gives one up whose builder twice does not answer", async () => {
        watch("working", "none");
        assert.match((await reasonOf()).fields.what, /has said nothing for \d+ s, and does not answer/);
        assert.equal(asked, 3);
    });

    it("forgives one question without an answer", async () => {
        watch("none", "working", "none", "working", "none", "unknown");
        await sleep(aWhile);
        assert.ok(asked > 5);
        assert.equal(dog.lost.aborted, false);
    });

    it("gives one up that its builder does not work on any more", async () => {
        watch("working", "idle");
        assert.match((await reasonOf()).fields.what, /does not work on the build any more/);
        assert.equal(asked, 3);
    });

    it("leaves one alone that its builder does not work on yet", async () => {
        watch("idle");
        await sleep(aWhile);
        assert.equal(dog.lost.aborted, false);
    });

    it("does not count an answer that comes too late to matter", async () => {
        asked = 0;
        dog = watchBuild(async () => {
            asked += 1;
            await sleep(50);
            dog.heard();
            throw new Error("no answer, but the build went on meanwhile");
        }, times);
        await sleep(aWhile);
        assert.ok(asked > 1);
        assert.equal(dog.lost.aborted, false);
    });

    it("is silent once it is stopped", async () => {
        watch("none");
        dog.stop();
        await sleep(aWhile / 2);
        assert.deepEqual([asked, dog.lost.aborted], [0, false]);
    });
});
