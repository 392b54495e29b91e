import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { findImageCopyProblems } from "../../../sdk/validation/imageCopy";
import { findImageIndexProblems } from "../../../sdk/validation/imageIndex";

const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const privateKey = keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const publicKey = keys.publicKey.export({ format: "pem", type: "spki" }).toString();
const trustedRoot = JSON.stringify({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });
const identity = { certificateIdentity: "me@example.com", certificateIssuer: "https://accounts.example.com" };

const digest = `sha256:${"a".repeat(64)}`;
const platform = { os: "linux", architecture: "amd64" };
const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 7, platform };
const image = { platform: "linux/amd64", digest, manifests: [manifest] };
const index = { repository: "registry.example.com/app", images: [image] };

function problemsOf(inputs: Properties): string[] {
    return findImageIndexProblems({ ...index, ...inputs }).map(({ property, reason }) => `${property}: ${reason}`);
}

describe("how an index is signed", () => {
    const fine: [string, Properties][] = [
        ["not at all", {}],
        ["with a key", { sign: { key: { privateKey } } }],
        ["with a key and a log", { sign: { key: { privateKey, rekorUrl: "https://rekor.example.com" } } }],
        ["with a key that is not known yet", { sign: { key: { privateKey: unknownValue } } }],
        ["with a key, and a public key to check it", { sign: { key: { privateKey } }, verify: { publicKey } }],
        ["without a key", { sign: { keyless: {} }, verify: identity }],
        [
            "without a key, at services of one's own",
            { sign: { keyless: { fulcioUrl: "https://f.example.com" } }, verify: { ...identity, trustedRoot } },
        ],
    ];
    for (const [title, inputs] of fine) {
        it(`may be ${title}`, () => assert.deepEqual(problemsOf(inputs), []));
    }

    const encrypted = privateKey.replaceAll("PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY");
    const wrong: [string, Properties, string, RegExp][] = [
        ["both ways", { sign: { key: { privateKey }, keyless: {} } }, "sign", /exactly one of key and keyless/],
        ["neither way", { sign: {} }, "sign", /exactly one of key and keyless/],
        ["with no key", { sign: { key: {} } }, "sign.key.privateKey", /is required/],
        [
            "with a text",
            { sign: { key: { privateKey: "secret text" } } },
            "sign.key.privateKey",
            /no private key as PEM/,
        ],
        ["with half a key", { sign: { key: { privateKey: encrypted } } }, "sign.key.privateKey", /damaged/],
        [
            "with a log without TLS",
            { sign: { key: { privateKey, rekorUrl: "http://rekor.example.com" } } },
            "sign.key.rekorUrl",
            /no https/,
        ],
        ["for nobody", { sign: { keyless: {} } }, "verify", /anybody can have a certificate/],
        [
            "by an authority that nobody trusts",
            { sign: { keyless: { fulcioUrl: "https://f.example.com" } }, verify: identity },
            "verify.trustedRoot",
            /is required beside/,
        ],
        ["and checked without being signed", { verify: { publicKey } }, "verify", /no use without sign/],
    ];
    for (const [title, inputs, property, reason] of wrong) {
        it(`cannot be ${title}`, () => {
            const found = problemsOf(inputs);
            assert.equal(found.length, 1, found.join("\n"));
            assert.ok(found[0]?.startsWith(`${property}: `), found[0]);
            assert.match(found[0] ?? "", reason);
            assert.equal(found[0]?.includes("secret text"), false);
        });
    }
});

describe("what a signature has to be", () => {
    const source = `registry.example.com/app@sha256:${"a".repeat(64)}`;
    const problems = (verify: Properties): string[] =>
        findImageCopyProblems({ source, repository: "registry.example.com/prod/app", verify }).map(
            ({ property, reason }) => `${property}: ${reason}`,
        );

    it("is one by a key, or one for an identity", () => {
        assert.deepEqual(problems({ publicKey }), []);
        assert.deepEqual(problems({ ...identity, trustedRoot }), []);
        for (const verify of [{}, { certificateIdentity: "me" }, { publicKey, ...identity }, { trustedRoot }]) {
            assert.match(problems(verify).join(), /^verify: must have either publicKey, or certificateIdentity and/);
        }
    });

    it("has texts that can be used", () => {
        assert.match(
            problems({ publicKey: privateKey }).join(),
            /^verify\.publicKey: cannot be used: it is a private key/,
        );
        assert.equal(problems({ publicKey: privateKey }).join().includes(privateKey), false);
        assert.match(
            problems({ publicKey, trustedRoot: "{" }).join(),
            /^verify\.trustedRoot: cannot be used: it is not JSON/,
        );
        assert.match(problems({ publicKey, trustedRoot: "{}" }).join(), /it is no trusted root of sigstore/);
        assert.match(
            problems({ ...identity, certificateIssuer: " " }).join(),
            /certificateIssuer: cannot be used: it is empty/,
        );
    });
});
