import assert from "node:assert/strict";
import { classifyFailure, type Classified } from "../../../sdk/build/classify";
import { createProgressReader } from "../../../sdk/build/progress";
import type { ErrorCode } from "../../../sdk/errors";
import { captured } from "./testRequests";

/** Classifies what a real run of buildx wrote. */
function classifyRun(name: string): Classified {
    const reader = createProgressReader();
    const lines = captured(name).filter((line) => reader.push(line) === undefined);
    return classifyFailure({ failure: reader.failure(), lines });
}

function classifyText(text: string): Classified {
    return classifyFailure({ failure: undefined, lines: [`ERROR: ${text}`] });
}

describe("a failed build", () => {
    const runs: [name: string, code: ErrorCode, transient: boolean, what: RegExp][] = [
        ["failing-step", "build-step-failed", false, /^step \[2\/2\] RUN for i .* failed with exit code 7$/],
        ["missing-file", "build-failed", false, /"\/nothere": not found/],
        ["syntax-error", "build-failed", false, /unknown instruction: RUNN \(did you mean RUN\?\)/],
        ["missing-secret", "build-failed", false, /secret missing: not found/],
        ["pull-unresolvable", "registry-unreachable", true, /cannot pull alpine\.invalid\/foo:1/],
        ["push-refused", "registry-unreachable", true, /the push to localhost:21999\/team\/hello failed/],
        ["push-401", "registry-unauthorized", false, /401 Unauthorized/],
        ["push-403", "registry-forbidden", false, /403 Forbidden/],
        ["push-404", "build-failed", false, /the push to localhost:21502\/team\/hello failed: unknown: fake/],
        ["push-429", "registry-rate-limited", true, /429 Too Many Requests/],
        ["push-500", "registry-broken", true, /500 Internal Server Error/],
        ["push-503", "registry-broken", true, /503 Service Unavailable/],
        ["builder-killed", "build-lost-connection", true, /the connection to the builder was lost/],
        ["builder-down", "build-lost-connection", true, /the connection to the builder was lost/],
        ["cancelled", "build-lost-connection", true, /the builder gave the build up/],
    ];
    for (const [name, code, transient, what] of runs) {
        it(`(${name}) is ${code}, ${transient ? "and worth another try" : "and no other try helps"}`, () => {
            const classified = classifyRun(name);
            assert.equal(classified.code, code);
            assert.equal(classified.fields.transient === true, transient);
            assert.match(classified.fields.what, what);
        });
    }

    it("shows the last lines of the failing step", () => {
        const { fields } = classifyRun("failing-step");
        assert.equal(fields.lines?.at(-1), "went wrong");
        assert.equal(fields.lines.length, 20);
    });

    const texts: [text: string, code: ErrorCode, transient: boolean][] = [
        [
            "failed to receive status: rpc error: code = Unavailable desc = closing transport due to: EOF",
            "build-lost-connection",
            true,
        ],
        ["failed to solve: no active session for abc: context deadline exceeded", "build-lost-connection", true],
        ["failed to solve: ref layer-sha256:1 locked for 3s: unavailable", "build-lost-connection", true],
        [
            "failed to solve: failed to create cache container x: RESPONSE 409\nERROR CODE: ContainerAlreadyExists",
            "build-failed",
            true,
        ],
        ["failed to solve: write /var/lib/buildkit/x: no space left on device", "builder-unhealthy", false],
        [
            'failed to solve: failed to push h/a: failed to do request: Head "https://h/v2/a/blobs/x": dial tcp 10.0.0.2:443: connect: permission denied',
            "registry-unreachable",
            true,
        ],
        [
            'failed to solve: failed to push h/a: failed to do request: Head "https://h/v2/a/blobs/x": dial tcp: lookup h on 10.0.0.2:53: server misbehaving',
            "registry-unreachable",
            true,
        ],
        [
            "failed to solve: failed to push h/a: errors:\nunknown: provided digest did not match uploaded content\nunknown: blob unknown to registry - sha256:1",
            "registry-broken",
            true,
        ],
        [
            "failed to solve: failed to push h/a: failed to authorize: 403: insufficient_scope",
            "registry-forbidden",
            false,
        ],
        [
            "failed to solve: failed to push h/a: tls: failed to verify certificate: x509: unknown",
            "registry-untrusted",
            false,
        ],
        ["failed to solve: failed to push h/a: name unknown: repository does not exist", "registry-not-found", false],
        // What BuildKit makes of NAME_UNKNOWN and BLOB_UPLOAD_UNKNOWN in the words of distribution.
        [
            "failed to solve: failed to push h/a: unknown: repository name not known to registry",
            "registry-not-found",
            false,
        ],
        ["failed to solve: failed to push h/a: unknown: blob upload unknown to registry", "registry-not-found", false],
        [
            "failed to solve: alpine:9: failed to resolve source metadata for docker.io/library/alpine:9: docker.io/library/alpine:9: not found",
            "registry-not-found",
            false,
        ],
        [
            "failed to solve: failed to resolve source metadata for registry.io/unavailable/app:1: registry.io/unavailable/app:1: not found",
            "registry-not-found",
            false,
        ],
        [
            'failed to solve: failed to resolve source metadata for r.io/denied/429:1: failed to do request: Head "https://r.io/v2/denied/429/manifests/1": x509: unknown',
            "registry-untrusted",
            false,
        ],
        [
            "failed to solve: failed to push r.io/denied/a: unexpected status from POST request to https://r.io/v2/denied/a/blobs/uploads/: 404 Not Found",
            "registry-not-found",
            false,
        ],
        [
            "failed to solve: failed to resolve source metadata for r.io/a/b:1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope",
            "registry-forbidden",
            false,
        ],
        ["failed to solve: something new", "build-failed", false],
    ];
    for (const [text, code, transient] of texts) {
        it(`with "${text.slice(0, 70)}" is ${code}`, () => {
            const classified = classifyText(text);
            assert.equal(classified.code, code);
            assert.equal(classified.fields.transient === true, transient);
        });
    }

    it("is never transient when a step failed, whatever its output or its command says", () => {
        const error =
            'process "/bin/sh -c curl # connection refused, code = Unavailable" did not complete successfully: exit code: 1';
        const failure = { name: "[2/2] RUN curl", error, lines: ["connection reset by peer", "429 Too Many Requests"] };
        const { code, fields } = classifyFailure({ failure, lines: [`ERROR: failed to solve: ${error}`] });
        assert.equal(code, "build-step-failed");
        assert.equal(fields.transient, undefined);
    });

    it("is not lost because a step was given up for what failed beside it", () => {
        const failure = { name: "[1/2] COPY a b", error: "context canceled", lines: [] };
        const lines = ["ERROR: failed to solve: operation error S3: HeadObject, api error Forbidden: Forbidden"];
        const { code, fields } = classifyFailure({ failure, lines });
        assert.equal(code, "build-failed");
        assert.match(fields.what, /S3: HeadObject/);
    });

    it("takes exit code 137 for no proof that the builder ran out of memory, and says what it may mean", () => {
        const error = 'process "/bin/sh -c exit 137" did not complete successfully: exit code: 137';
        const failure = { name: "[1/1] RUN exit 137", error, lines: [] };
        const { code, fields } = classifyFailure({ failure, lines: [] });
        assert.equal(code, "build-step-failed");
        assert.equal(fields.transient, undefined);
        assert.equal(
            fields.what,
            "step [1/1] RUN exit 137 failed with exit code 137: unless a command gave that code itself, it was killed, " +
                "most likely because the builder ran out of memory",
        );
        assert.match(fields.next ?? "", /^If it was killed: Give the builder more memory/);
    });

    it("says nothing of memory for any other exit code", () => {
        for (const exitCode of [1, 9, 136, 138, 143]) {
            const error = `process "/bin/sh -c make" did not complete successfully: exit code: ${exitCode}`;
            const { fields } = classifyFailure({ failure: { name: "[1/1] RUN make", error, lines: [] }, lines: [] });
            assert.equal(fields.what, `step [1/1] RUN make failed with exit code ${exitCode}`);
            assert.equal(fields.next, undefined);
        }
    });

    it("says that the builder ran out of memory where BuildKit knows it, and that is no reason to try again", () => {
        const error = 'process "/bin/sh -c make" did not complete successfully: cannot allocate memory';
        const failure = { name: "[1/1] RUN make", error, lines: ["cc: killed"] };
        const { code, fields } = classifyFailure({ failure, lines: [`ERROR: failed to solve: ${error}`] });
        assert.equal(code, "build-step-failed");
        assert.equal(fields.what, "step [1/1] RUN make was killed because the builder ran out of memory");
        assert.equal(fields.transient, undefined);
        assert.deepEqual(fields.lines, ["cc: killed"]);
        assert.match(fields.next ?? "", /more memory/);
    });

    it("has a text even when buildx gave none", () => {
        assert.equal(
            classifyFailure({ failure: undefined, lines: [] }).fields.what,
            "the build failed: buildx gave no reason",
        );
    });
});
