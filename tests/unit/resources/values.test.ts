import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import * as values from "../../../sdk/resources/values";
import { findSecrets, hasUnknown, protectPaths, reveal, unknownValue, wrapSecret } from "../../../sdk/resources/values";

const secretOf = (value: unknown) => ({ [pulumi.runtime.specialSigKey]: pulumi.runtime.specialSecretSig, value });

describe("values from the engine", () => {
    it("are written as the SDK writes them", () => {
        const { specialSecretSig, specialSigKey, unknownValue } = pulumi.runtime;
        assert.deepEqual(
            [values.specialSecretSig, values.specialSigKey, values.unknownValue],
            [specialSecretSig, specialSigKey, unknownValue],
        );
    });

    it("gives secrets in clear, however deep they are", () => {
        const wire = { a: secretOf("x"), b: [{ c: secretOf({ d: secretOf("y") }) }], e: 1 };
        assert.deepEqual(reveal(wire), { a: "x", b: [{ c: { d: "y" } }], e: 1 });
    });

    it("finds a value that is not known yet at any depth", () => {
        assert.equal(hasUnknown({ a: [{ b: unknownValue }] }), true);
        assert.equal(hasUnknown({ a: [{ b: "known" }] }), false);
    });

    it("marks values at a path as secrets, for each item and each key", () => {
        const inputs = { registries: [{ address: "a", password: "p" }, { address: "b" }], secrets: { one: "1" } };
        assert.deepEqual(protectPaths(inputs, ["registries.*.password", "secrets"]), {
            registries: [{ address: "a", password: secretOf("p") }, { address: "b" }],
            secrets: secretOf({ one: "1" }),
        });
    });

    it("leaves a value alone that is a secret already or is not known yet", () => {
        const inputs = { secrets: secretOf({ one: "1" }), password: unknownValue };
        assert.deepEqual(protectPaths(inputs, ["secrets", "password"]), inputs);
        assert.equal(wrapSecret(unknownValue), unknownValue);
    });

    it("lists what must not be printed: marked texts, and those at known paths of a list that is secret as a whole", () => {
        const inputs = {
            buildArgs: { TOKEN: secretOf("token"), MODE: "fast" },
            secrets: { npm: "npm-token" },
            nodes: secretOf([{ platform: "linux/arm64", tls: { ca: "CA", key: "KEY" } }]),
        };
        assert.deepEqual(findSecrets(inputs, ["secrets", "nodes.*.tls.key"]).sort(), ["KEY", "npm-token", "token"]);
    });

    it("lists a text of such an input that was marked by itself", () => {
        const inputs = {
            cache: { registry: { ref: secretOf("hidden") }, s3: { bucket: "b", secretAccessKey: "KEY" } },
        };
        assert.deepEqual(findSecrets(inputs, ["cache.s3.secretAccessKey"]).sort(), ["KEY", "hidden"]);
    });
});
