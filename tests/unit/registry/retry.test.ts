import assert from "node:assert/strict";
import { MultiArchError } from "../../../sdk/errors";
import { defaultRetryPolicy, readRetryAfter, withRetries, type RetryPolicy } from "../../../sdk/registry/retry";
import type { Answer } from "../../../sdk/registry/transport";

const now = Date.parse("2026-01-01T00:00:00Z");

function policyThatNotes(pauses: number[]): RetryPolicy {
    return {
        ...defaultRetryPolicy,
        now: () => now,
        random: () => 0,
        sleep: (ms) => {
            pauses.push(ms);
            return Promise.resolve();
        },
    };
}

function answer(status: number, retryAfter?: string): Answer {
    const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    return { status, headers, body: Buffer.alloc(0), url: new URL("https://registry.example.com/") };
}

/** What comes out when these answers come one after the other, and the pauses between them. */
async function run(outcomes: (Answer | MultiArchError)[]): Promise<{ last: number; pauses: number[]; sent: number }> {
    const pauses: number[] = [];
    let sent = 0;
    const last = await withRetries(() => {
        const outcome = outcomes[sent] ?? new Error("there is no such try");
        sent += 1;
        return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    }, policyThatNotes(pauses));
    return { last: last.status, pauses, sent };
}

describe("a request that failed", () => {
    const lost = new MultiArchError("registry-unreachable", { what: "the connection was lost", transient: true });

    it("is sent up to four times, with pauses that double", async () => {
        assert.deepEqual(await run([answer(500), answer(502), answer(503), answer(504)]), {
            last: 504,
            pauses: [250, 500, 1000],
            sent: 4,
        });
    });

    it("is sent again after a lost connection", async () => {
        assert.deepEqual(await run([lost, answer(200)]), { last: 200, pauses: [250], sent: 2 });
    });

    it("fails with the last error when the connection stays lost", async () => {
        await assert.rejects(run([lost, lost, lost, lost, answer(200)]), lost);
    });

    it("is not sent again when the registry refused it", async () => {
        for (const status of [400, 401, 403, 404, 405, 501]) {
            assert.deepEqual(await run([answer(status), answer(200)]), { last: status, pauses: [], sent: 1 });
        }
    });

    it("waits as long as the registry asks, in seconds or until a date", async () => {
        assert.deepEqual((await run([answer(429, "7"), answer(200)])).pauses, [7000]);
        assert.deepEqual((await run([answer(503, "Thu, 01 Jan 2026 00:00:09 GMT"), answer(200)])).pauses, [9000]);
    });

    it("is not sent again when the registry asks for a very long pause", async () => {
        assert.deepEqual(await run([answer(429, "3600"), answer(200)]), { last: 429, pauses: [], sent: 1 });
    });

    it("spreads its pauses by chance", async () => {
        const pauses: number[] = [];
        const policy = { ...policyThatNotes(pauses), random: () => 0.5, tries: 2 };
        await withRetries(() => Promise.resolve(answer(500)), policy);
        assert.deepEqual(pauses, [375]);
    });
});

describe("the header Retry-After", () => {
    it("is ignored when it cannot be read or lies in the past", () => {
        assert.equal(readRetryAfter(undefined, now), undefined);
        assert.equal(readRetryAfter("soon", now), undefined);
        assert.equal(readRetryAfter("", now), undefined);
        assert.equal(readRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
        assert.equal(readRetryAfter("0", now), 0);
    });
});
