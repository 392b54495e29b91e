import assert from "node:assert/strict";
import fc from "fast-check";
import { parseChallenges } from "../../../sdk/registry/challenges";

describe("the header WWW-Authenticate", () => {
    it("keeps commas and quotes inside quoted values", () => {
        assert.deepEqual(
            parseChallenges(
                'Bearer realm="https://auth.example.com/token",service="a, \\"b\\"",scope="repository:x:pull,push"',
            ),
            [
                {
                    scheme: "bearer",
                    params: {
                        realm: "https://auth.example.com/token",
                        service: 'a, "b"',
                        scope: "repository:x:pull,push",
                    },
                },
            ],
        );
    });

    it("may hold several challenges", () => {
        const both = [
            { scheme: "negotiate", params: {} },
            { scheme: "basic", params: { realm: "x" } },
            { scheme: "bearer", params: { realm: "y", service: "z" } },
        ];
        assert.deepEqual(parseChallenges('Negotiate, Basic realm="x", Bearer realm="y", service="z"'), both);
        assert.deepEqual(parseChallenges(["Negotiate", 'Basic realm="x"', 'bearer Realm=y,service = "z"']), both);
    });

    it("may hold a bare value instead of parameters", () => {
        assert.deepEqual(parseChallenges('NTLM TlRMTVNTUAAB==, Basic realm="x"'), [
            { scheme: "ntlm", params: {} },
            { scheme: "basic", params: { realm: "x" } },
        ]);
    });

    it("may leave the quotes off an address", () => {
        assert.deepEqual(parseChallenges("Bearer realm=https://a.example.com/token?x=1,service=s"), [
            { scheme: "bearer", params: { realm: "https://a.example.com/token?x=1", service: "s" } },
        ]);
    });

    it("may be missing", () => {
        assert.deepEqual(parseChallenges(undefined), []);
    });

    it("is read to its end whatever it holds", () => {
        fc.assert(
            fc.property(fc.string({ unit: fc.constantFrom(...'a B = , " \\ \t {'.split(" "), " ") }), (text) => {
                parseChallenges(text);
            }),
        );
    });
});
