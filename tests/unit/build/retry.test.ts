import assert from "node:assert/strict";
import { pauseAfter, preferSteady, summarize, type FailedTry } from "../../../sdk/build/retry";
import { MultiArchError, type ErrorCode } from "../../../sdk/errors";
import { requestOf } from "./testRequests";

function failed(name: string, code: ErrorCode = "build-lost-connection", step?: string): FailedTry {
    const node = { ...requestOf().node, name, address: `tcp://${name}:1` };
    return { node, step, error: new MultiArchError(code, { what: `${name} failed`, transient: true }) };
}

describe("the pause before the next try", () => {
    const pauses = (code: ErrorCode, random: number): number[] => {
        return [1, 2, 3, 9].map((tries) => pauseAfter(tries, { code }, 2, () => random));
    };

    it("doubles, has a limit, and leaves half of it to chance", () => {
        assert.deepEqual(pauses("build-lost-connection", 1), [2, 4, 8, 120]);
        assert.deepEqual(pauses("build-lost-connection", 0), [1, 2, 4, 60]);
    });

    it("is longer where a registry has a limit", () => {
        assert.deepEqual(pauses("registry-rate-limited", 1), [10, 20, 40, 120]);
    });
});

describe("the error after several tries", () => {
    it("is the only one, as it is", () => {
        const only = failed("one");
        assert.equal(summarize([only]), only.error);
    });

    it("is the last one, with their number and what the others were", () => {
        const error = summarize([failed("one"), failed("two", "registry-broken"), failed("one")]);
        assert.equal(
            error?.message,
            [
                "one failed (failed after 3 tries) [build-lost-connection]",
                "  | try 1 on one (tcp://one:1): one failed [build-lost-connection]",
                "  | try 2 on two (tcp://two:1): two failed [registry-broken]",
                "  next: Look at the builder's log, then run up again: steps it finished are cached there.",
            ].join("\n"),
        );
    });

    it("asks for the memory of a builder that went away during the same step again", () => {
        const steps = ["[1/2] RUN a", "[2/2] RUN b", "[2/2] RUN b"];
        const error = summarize(steps.map((step) => failed("one", "build-lost-connection", step)));
        assert.match(error?.next ?? "", /more than once during \[2\/2\] RUN b: look whether its memory is enough/);
        const others = summarize([failed("one", "build-lost-connection", "a"), failed("one")]);
        assert.doesNotMatch(others?.next ?? "", /memory/);
    });
});

describe("builders for the next try", () => {
    const order = (...failures: FailedTry[]): string => {
        const facts = { version: "0.31.1", workerId: "w", platforms: [], labels: {}, native: true, notes: [] };
        const [one, ...others] = ["one", "two", "three"].map((name) => ({
            node: { ...requestOf().node, name },
            facts,
        }));
        assert.ok(one);
        return preferSteady({ choices: [one, ...others], skipped: [] }, failures)
            .choices.map(({ node }) => node.name)
            .join(" ");
    };

    it("keep their order while each was lost at most once, for they have a cache", () => {
        assert.equal(order(failed("one")), "one two three");
        assert.equal(order(failed("one"), failed("one", "registry-broken")), "one two three");
    });

    it("come last once they were lost twice", () => {
        assert.equal(order(failed("one"), failed("two"), failed("one")), "two three one");
    });
});
