import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { createBuilderCertificatesLifecycle } from "../../../sdk/resources/builderCertificatesLifecycle";
import type { OperationContext } from "../../../sdk/resources/lifecycle";
import { reveal, type Properties } from "../../../sdk/resources/values";
import { findBuilderCertificatesProblems } from "../../../sdk/validation/builderCertificates";

const dayMs = 24 * 60 * 60 * 1_000;

describe("the certificates of builders", () => {
    let now: Date;
    let printed: string[];
    const inputs = { serverNames: ["buildkit.internal", "10.0.0.7"] };
    const lifecycle = createBuilderCertificatesLifecycle(() => now);
    const print = (text: string): unknown => printed.push(text);
    const context = (): OperationContext => ({
        urn: "urn",
        reporter: { status: print, info: print, warn: print },
        signal: new AbortController().signal,
        secrets: [],
    });
    const create = async (): Promise<Properties> => (await lifecycle.create(inputs, context())).outputs;
    const clear = (outputs: Properties) => reveal(outputs) as Record<string, { ca: string; cert: string; key: string }>;

    beforeEach(() => {
        now = new Date();
        printed = [];
    });

    it("prove builders by all their names, and clients, by one authority", async () => {
        const { server, client } = clear(await create());
        const authority = new X509Certificate(server?.ca ?? "");
        const shown = new X509Certificate(server?.cert ?? "");
        assert.equal(shown.checkHost("buildkit.internal"), "buildkit.internal");
        assert.equal(shown.checkIP("10.0.0.7"), "10.0.0.7");
        for (const cert of [shown, new X509Certificate(client?.cert ?? "")]) {
            assert.equal(cert.verify(authority.publicKey), true);
            assert.equal(cert.checkIssued(authority), true);
        }
        assert.notEqual(client?.key, server?.key);
    });

    it("keep every key secret", async () => {
        const text = JSON.stringify(await create(), (_, value: unknown) => {
            return typeof value === "object" && value !== null && "value" in value ? "a secret" : value;
        });
        assert.equal(text.includes("PRIVATE KEY"), false);
        assert.equal(text.split("a secret").length, 4, "server, client and authorities");
    });

    it("stay as they are outside the window, and are renewed inside it with the same authority", async () => {
        const outputs = await create();
        const old = { inputs, outputs: reveal(outputs) as Properties };
        now = new Date(Date.now() + 59 * dayMs);
        assert.equal((await lifecycle.diff(old, inputs, context())).changed, false);
        assert.deepEqual(printed, []);
        now = new Date(Date.now() + 61 * dayMs);
        const answer = await lifecycle.diff(old, inputs, context());
        assert.deepEqual([answer.changes, answer.replaces], [{ expiresAt: "update" }, []]);
        assert.match(printed.join(), /end in 2[89] days/);
        const renewed = clear(await lifecycle.update(old, inputs, context()));
        assert.equal(renewed["server"]?.ca, clear(outputs)["server"]?.ca);
        assert.notEqual(renewed["server"]?.cert, clear(outputs)["server"]?.cert);
    });

    it("are issued anew, by the same authority, when a name joins", async () => {
        const outputs = await create();
        const next = { serverNames: [...inputs.serverNames, "other.internal"] };
        const old = { inputs, outputs: reveal(outputs) as Properties };
        assert.equal((await lifecycle.diff(old, next, context())).changed, true);
        const { server } = clear(await lifecycle.update(old, next, context()));
        assert.equal(new X509Certificate(server?.cert ?? "").checkHost("other.internal"), "other.internal");
        assert.equal(server?.ca, clear(outputs)["server"]?.ca);
    });

    const wrong: [title: string, inputs: Properties, property: string][] = [
        ["no name", { serverNames: [] }, "serverNames"],
        ["an address with a scheme", { serverNames: ["tcp://a:1234"] }, "serverNames[0]"],
        ["a window as long as the lifetime", { validityDays: 30 }, "renewBeforeDays"],
        ["a lifetime that TLS stacks refuse", { validityDays: 900, caValidityDays: 2_000 }, "validityDays"],
        ["an authority that ends too early", { caValidityDays: 100 }, "caValidityDays"],
        ["no lifetime", { renewBeforeDays: 0 }, "renewBeforeDays"],
    ];
    for (const [title, given, property] of wrong) {
        it(`refuse ${title}`, () => {
            const problems = findBuilderCertificatesProblems({ ...inputs, ...given });
            assert.deepEqual(
                problems.map((problem) => problem.property),
                [property],
            );
        });
    }
});
