import assert from "node:assert/strict";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { checkCache } from "../../../sdk/validation/cache";

const s3 = { bucket: "b" };
const digest = `sha256:${"1".repeat(64)}`;

const wrong: [title: string, cache: Properties, properties: string[], inputs?: Properties][] = [
    ["no backend", {}, ["cache"]],
    ["two backends", { s3, gha: {} }, ["cache"]],
    ["two backends beside others to read", { s3, gha: {}, from: [{ gha: {} }] }, ["cache"]],
    ["an empty list to read from", { from: [] }, ["cache"]],
    [
        "a place to read without a backend, and one with two",
        { from: [{}, { s3, gha: {} }] },
        ["cache.from[0]", "cache.from[1]"],
    ],
    ["a reference that is none", { registry: { ref: "https://host/app" } }, ["cache.registry.ref"]],
    ["a digest to write to", { registry: { ref: `host/app@${digest}` } }, ["cache.registry.ref"]],
    ["an empty bucket", { s3: { bucket: "" } }, ["cache.s3.bucket"]],
    ["a name that is two", { s3: { ...s3, name: "a;b" } }, ["cache.s3.name"]],
    ["a name that leads elsewhere", { azblob: { name: "../other" } }, ["cache.azblob.name"]],
    ["a scope with a comma", { gha: { scope: "a,b" } }, ["cache.gha.scope"]],
    ["an address without a scheme", { s3: { ...s3, endpointUrl: "s3.example.com" } }, ["cache.s3.endpointUrl"]],
    ["an address with an account", { gha: { url: "https://user:pw@example.com" } }, ["cache.gha.url"]],
    ["an address of something else", { azblob: { accountUrl: "ftp://a" } }, ["cache.azblob.accountUrl"]],
    ["an id without its secret", { s3: { ...s3, accessKeyId: "i" } }, ["cache.s3.secretAccessKey"]],
    ["a secret without its id", { s3: { ...s3, secretAccessKey: "s" } }, ["cache.s3.accessKeyId"]],
    ["a token without a key", { s3: { ...s3, sessionToken: "t" } }, ["cache.s3.accessKeyId"]],
    ["no uploads at once", { s3: { ...s3, uploadParallelism: 0 } }, ["cache.s3.uploadParallelism"]],
    ["no time", { gha: { timeoutSeconds: -1 } }, ["cache.gha.timeoutSeconds"]],
    ["a version that does not exist", { gha: { version: 3 } }, ["cache.gha.version"]],
    ["an empty folder", { local: { directory: "" } }, ["cache.local.directory"]],
    ["wrong places to read", { registry: {}, from: [{ s3: { bucket: "" } }] }, ["cache.from[0].s3.bucket"]],
    ["a key beside a parent of cgroups", { azblob: { secretAccessKey: "k" } }, ["cgroupParent"], { cgroupParent: "x" }],
];

const right: [title: string, cache: Properties][] = [
    ["a cache of the image itself", { registry: {} }],
    ["only places to read", { from: [{ registry: { ref: `host/app@${digest}` } }] }],
    ["a digest that is only read", { registry: { ref: `host/app@${digest}` }, readOnly: true }],
    ["a whole account", { s3: { ...s3, accessKeyId: "i", secretAccessKey: "s", sessionToken: "t" } }],
    ["a server with a port", { azblob: { accountUrl: "http://10.0.0.1:10000/account" } }],
    ["what is not known yet", { registry: { ref: unknownValue }, from: unknownValue }],
    ["a place that is not known yet", { from: [unknownValue] }],
    ["a key that is not known yet", { s3: { bucket: unknownValue, accessKeyId: "i", secretAccessKey: unknownValue } }],
];

describe("a cache", () => {
    for (const [title, cache, properties, inputs] of wrong) {
        it(`with ${title} is refused by ${properties.join(" and ")}`, () => {
            const problems = checkCache({ cache, ...inputs });
            assert.deepEqual(
                problems.map(({ property }) => property),
                properties,
            );
        });
    }

    for (const [title, cache] of right) {
        it(`with ${title} is right`, () => {
            assert.deepEqual(checkCache({ cache, cgroupParent: undefined }), []);
        });
    }
});
