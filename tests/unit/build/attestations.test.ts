import assert from "node:assert/strict";

import { buildArgv } from "../../../sdk/build/argv";
import { findBuildArgProblems } from "../../../sdk/build/buildArgs";
import type { BuildAttestations, BuildRequest } from "../../../sdk/build/request";
import { requestOf } from "./testRequests";

const files = { metadata: "/private/metadata.json", secrets: {} };

describe("the attestations of a build", () => {
    it("always say which attestations are made", () => {
        const given = (attestations: BuildAttestations): string[] =>
            buildArgv(requestOf({ attestations }), files).args.filter((arg) => /^--(provenance|sbom)/.test(arg));
        assert.deepEqual(given({}), ["--provenance=false", "--sbom=false"]);
        assert.deepEqual(given({ provenance: "none", sbom: false }), ["--provenance=false", "--sbom=false"]);
        assert.deepEqual(given({ provenance: "min" }), ["--provenance=mode=min", "--sbom=false"]);
        assert.deepEqual(given({ provenance: "max", sbom: true }), ["--provenance=mode=max", "--sbom=true"]);
        const generator = { sbom: true, sbomGenerator: "registry.example.com/scan:1" };
        assert.deepEqual(given(generator), ["--provenance=false", "--sbom=generator=registry.example.com/scan:1"]);
    });
});

describe("a provenance", () => {
    const buildArgs = { KEY: "hunter22", MODE: "release" };
    const problems = (more: Partial<BuildRequest>): string[] =>
        findBuildArgProblems(requestOf({ buildArgs, redact: ["hunter22"], ...more })).map(
            ({ property, reason }) => `${property}: ${reason}`,
        );

    it("that would hold a secret is refused, and one that leaves it out is not", () => {
        const advice = "Use min, or give the value in secrets";
        const property = "attestations.provenance: max would publish the secret";
        assert.deepEqual(problems({ attestations: { provenance: "max" } }), [
            `${property} build argument KEY. ${advice}`,
        ]);
        const dockerfile = { inline: "FROM scratch\nLABEL key=hunter22\n" };
        assert.deepEqual(problems({ attestations: { provenance: "max" }, buildArgs: {}, dockerfile }), [
            `${property} in dockerfile.inline. ${advice}`,
        ]);
        assert.deepEqual(problems({ attestations: { provenance: "min", sbom: true }, dockerfile }), []);
        assert.deepEqual(problems({}), []);
    });

    it("is not made behind the back of the input", () => {
        const [problem = ""] = problems({ buildArgs: { BUILDKIT_ATTEST_PROVENANCE: "mode=max" } });
        assert.match(problem, /^buildArgs\.BUILDKIT_ATTEST_PROVENANCE: .*use attestations$/);
    });
});
