import assert from "node:assert/strict";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { findComponentProblems } from "../../../sdk/validation/component";

const tls = { ca: "CA", cert: "CERT", key: "KEY" };

const good: Properties = {
    platforms: ["linux/amd64", "linux/arm64"],
    repository: "registry.example.com/team/app",
    tags: ["1.0", "latest"],
    registries: [{ address: "registry.example.com", username: "u", password: "p" }],
    cache: { registry: {} },
    builders: {
        endpoints: [
            { platform: "linux/amd64", address: "tcp://10.0.0.1:1234", tls },
            { platform: "linux/arm64", address: "tcp://10.0.0.2:1234", tls },
        ],
    },
};

const endpoints = (...list: Properties[]): Properties => ({ builders: { endpoints: list } });

describe("inputs of a MultiArchImage", () => {
    it("finds nothing wrong with a whole declaration", () => {
        assert.deepEqual(findComponentProblems(good), []);
    });

    const cases: { title: string; change: Properties; property: string; reason: RegExp }[] = [
        { title: "no platforms", change: { platforms: [] }, property: "platforms", reason: /names no platform/ },
        {
            title: "an unknown platform",
            change: { platforms: ["linux/amd64", "linux/armm64"] },
            property: "platforms[1]",
            reason: /linux\/arm64/,
        },
        {
            title: "a platform in two spellings",
            change: { platforms: ["linux/amd64", "linux/x86_64"] },
            property: "platforms[1]",
            reason: /same platform as platforms\[0\]/,
        },
        {
            title: "a platform without a builder",
            change: endpoints({ platform: "linux/amd64", address: "tcp://10.0.0.1:1", tls }),
            property: "builders.endpoints",
            reason: /no builder for linux\/arm64/,
        },
        {
            title: "a generator without a list",
            change: { attestations: { provenance: "min", sbomGenerator: "registry.example.com/scan:1" } },
            property: "attestations.sbomGenerator",
            reason: /no use unless sbom is true/,
        },
        {
            title: "a generator that is no image",
            change: { attestations: { sbom: true, sbomGenerator: "https://registry.example.com/scan" } },
            property: "attestations.sbomGenerator",
            reason: /scheme/,
        },
        {
            title: "an unknown provenance",
            change: { attestations: { provenance: "full" } },
            property: "attestations.provenance",
            reason: /must be one of "min", "max", "none"/,
        },
        {
            title: "two cache backends",
            change: { cache: { registry: {}, inline: {} } },
            property: "cache",
            reason: /registry and inline.*exactly one/,
        },
        { title: "a cache without a backend", change: { cache: {} }, property: "cache", reason: /exactly one of/ },
        {
            title: "a repository with a tag",
            change: { repository: "registry.example.com/app:1" },
            property: "repository",
            reason: /tag/,
        },
        {
            title: "an additional repository with a tag",
            change: { additionalRepositories: ["other.example.com/app", "third.example.com/app:1"] },
            property: "additionalRepositories[1]",
            reason: /tag/,
        },
        {
            title: "an additional repository that is the first one",
            change: { repository: "docker.io/library/app", additionalRepositories: ["app"] },
            property: "additionalRepositories[0]",
            reason: /same repository as repository/,
        },
        {
            title: "an additional repository twice",
            change: { additionalRepositories: ["other.example.com/app", unknownValue, "other.example.com/app"] },
            property: "additionalRepositories[2]",
            reason: /same repository as additionalRepositories\[0\]/,
        },
        { title: "a tag that is none", change: { tags: ["a b"] }, property: "tags[0]", reason: /is not a tag/ },
        { title: "a tag twice", change: { tags: ["a", "a"] }, property: "tags[1]", reason: /tags\[0\]/ },
        { title: "an empty list of tags", change: { tags: [] }, property: "tags", reason: /latest/ },
        {
            title: "a password in the address of a repository",
            change: { context: { location: "https://me:hunter2@example.com/app.git" } },
            property: "context.location",
            reason: /GIT_AUTH_TOKEN/,
        },
        {
            title: "a Dockerfile twice",
            change: { dockerfile: { location: "a", inline: "FROM scratch" } },
            property: "dockerfile",
            reason: /both location and inline/,
        },
        {
            title: "a password without a name",
            change: { registries: [{ address: "r.example.com", password: "p" }] },
            property: "registries[0].username",
            reason: /required/,
        },
        {
            title: "a builder without TLS",
            change: endpoints(
                { platform: "linux/amd64", address: "tcp://10.0.0.1:1", tls },
                { platform: "linux/arm64", address: "tcp://10.0.0.2:1" },
            ),
            property: "builders.endpoints[1].tls",
            reason: /insecure/,
        },
        {
            title: "an address without a port",
            change: endpoints(
                { platform: "linux/amd64", address: "tcp://10.0.0.1", tls },
                { platform: "linux/arm64", address: "tcp://10.0.0.2:1", tls },
            ),
            property: "builders.endpoints[0].address",
            reason: /no port/,
        },
        { title: "a name that is no input", change: { platfroms: [] }, property: "platfroms", reason: /not an input/ },
        { title: "a text for a number", change: { retries: "3" }, property: "retries", reason: /whole number/ },
        {
            title: "a word that is not allowed",
            change: { emulation: "maybe" },
            property: "emulation",
            reason: /"never"/,
        },
        {
            title: "two accounts for one registry",
            change: {
                registries: [
                    { address: "r.example.com/team1", username: "u", password: "p" },
                    { address: "https://R.example.com", username: "v", password: "q" },
                ],
            },
            property: "registries[1].address",
            reason: /same registry as registries\[0\]\.address/,
        },
        {
            title: "more time than a timer can wait",
            change: { timeoutSeconds: 2_147_484 },
            property: "timeoutSeconds",
            reason: /24 days/,
        },
        { title: "no time at all", change: { timeoutSeconds: 0 }, property: "timeoutSeconds", reason: /more than 0/ },
    ];
    for (const { title, change, property, reason } of cases) {
        it(`refuses ${title}, and names ${property}`, () => {
            const problems = findComponentProblems({ ...good, ...change });
            assert.deepEqual(
                problems.map((problem) => problem.property),
                [property],
            );
            assert.match(problems[0]?.reason ?? "", reason);
        });
    }

    it("says everything at once", () => {
        const problems = findComponentProblems({ platforms: ["linux/bad"], tags: ["a b"], cache: {} });
        assert.deepEqual(problems.map(({ property }) => property).sort(), [
            "builders",
            "cache",
            "platforms[0]",
            "repository",
            "tags[0]",
        ]);
    });

    it("counts what is not known yet as right", () => {
        const registries = [unknownValue, { address: unknownValue }, { address: unknownValue }];
        assert.deepEqual(findComponentProblems({ ...good, registries }), []);
        assert.deepEqual(findComponentProblems({ ...good, timeoutSeconds: 2_147_483 }), []);
        const later = { ...good, repository: unknownValue, builders: unknownValue, tags: [unknownValue] };
        assert.deepEqual(findComponentProblems(later), []);
    });

    it("never repeats a value that may be a secret", () => {
        const problems = findComponentProblems({ ...good, secrets: { token: 12345 }, registries: "hunter2" });
        assert.doesNotMatch(JSON.stringify(problems), /12345|hunter2/);
        assert.equal(problems.length, 2);
    });
});
