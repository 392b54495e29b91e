import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { ControlAnswer } from "../../../sdk/builders/preflightControl";
import { judgeBuilder } from "../../../sdk/builders/preflightFacts";
import { readGreeting } from "../../../sdk/builders/preflightGreeting";
import { parseInspection } from "../../../sdk/builders/preflightInspect";
import { MultiArchError } from "../../../sdk/errors";
import { nodeOn } from "./testBuilders";

function answerOf(version: string | undefined, labels: Record<string, string> = {}): ControlAnswer {
    const platforms = [{ os: "linux", architecture: "amd64", variant: "" }];
    return { version, workers: [{ id: "w", labels, platforms }] };
}

function codeOf(run: () => unknown): string {
    try {
        run();
        return "fit";
    } catch (error) {
        assert.ok(error instanceof MultiArchError);
        return error.code;
    }
}

describe("the version of a builder", () => {
    const versions: [string | undefined, string][] = [
        ["v0.31.1", "fit"],
        ["0.28.1", "fit"],
        ["v0.28.1-12-gabcdef", "fit"],
        ["v0.29.0-rc1", "fit"],
        ["v1.0.0", "fit"],
        ["v0.28.0", "builder-too-old"],
        ["v0.12.5+dfsg", "builder-too-old"],
        [undefined, "builder-too-old"],
        ["0.0.0+unknown", "fit"],
        ["", "fit"],
    ];
    for (const [version, result] of versions) {
        it(`${String(version)} is ${result}`, () => {
            assert.equal(
                codeOf(() => judgeBuilder(nodeOn(1), answerOf(version))),
                result,
            );
        });
    }

    it("is noted when there is none", () => {
        assert.match(judgeBuilder(nodeOn(1), answerOf("0.0.0+unknown")).notes[0] ?? "", /without a version/);
    });

    it("is refused with the reason and the version to upgrade to", () => {
        assert.throws(() => judgeBuilder(nodeOn(1), answerOf("v0.20.0")), /0\.28\.1 or newer: .*CVE-2026-33747/);
    });
});

describe("a machine that is emulated as a whole", () => {
    const labels = { "dev.pulumi-multiarch.emulated": "true" };

    it("says so in a label, and is refused", () => {
        assert.equal(
            codeOf(() => judgeBuilder(nodeOn(1), answerOf("v0.31.1", labels))),
            "builder-emulated",
        );
    });

    it("is taken with a note where emulation is allowed", () => {
        const facts = judgeBuilder(nodeOn(1, { emulation: "allow" }), answerOf("v0.31.1", labels));
        assert.equal(facts.native, false);
        assert.deepEqual(facts.notes, ["builds linux/amd64 by emulation, which can be many times slower"]);
    });
});

describe("the text of buildx inspect", () => {
    const read = (name: string): string => readFileSync(path.join(__dirname, "fixtures", name), "utf8");

    it("gives version, labels and platforms of a builder", () => {
        assert.deepEqual(parseInspection(read("inspect-running.txt")), {
            version: "v0.31.1",
            workers: [
                {
                    id: "",
                    labels: {
                        "dev.pulumi-multiarch.test": "yes",
                        "org.mobyproject.buildkit.worker.executor": "oci",
                        "org.mobyproject.buildkit.worker.hostname": "builder",
                        "org.mobyproject.buildkit.worker.network": "host",
                        "org.mobyproject.buildkit.worker.oci.process-mode": "sandbox",
                        "org.mobyproject.buildkit.worker.selinux.enabled": "false",
                        "org.mobyproject.buildkit.worker.snapshotter": "overlayfs",
                    },
                    platforms: [
                        { os: "linux", architecture: "amd64", variant: "" },
                        { os: "linux", architecture: "amd64", variant: "v2" },
                        { os: "linux", architecture: "amd64", variant: "v3" },
                        { os: "linux", architecture: "amd64", variant: "v4" },
                    ],
                },
            ],
        });
    });

    it("gives the platform of the machine first", () => {
        const [worker] = parseInspection(read("inspect-unix.txt"))?.workers ?? [];
        assert.ok(worker);
        assert.deepEqual(worker.platforms[0], { os: "linux", architecture: "amd64", variant: "" });
        assert.deepEqual(worker.platforms.at(-1), { os: "linux", architecture: "386", variant: "" });
    });

    it("gives nothing for a builder that does not run", () => {
        assert.equal(parseInspection(read("inspect-stopped.txt")), undefined);
        assert.equal(parseInspection("multiarch\n"), undefined);
    });
});

describe("the first bytes of a server", () => {
    it("tell HTTP/2, an alert of TLS, and anything else", () => {
        assert.equal(readGreeting(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0])), "http2");
        assert.equal(readGreeting(Buffer.from([0x15, 3, 1, 0, 2, 2, 22])), "tls");
        assert.equal(readGreeting(Buffer.from("HTTP/1.1 400 Bad Request")), "other");
    });
});
