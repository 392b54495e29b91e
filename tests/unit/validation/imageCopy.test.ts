import assert from "node:assert/strict";

import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { findImageCopyProblems } from "../../../sdk/validation/imageCopy";

const good: Properties = {
    source: `registry.example.com/team/app@sha256:${"a".repeat(64)}`,
    repository: "other.example.com/team/app",
};

describe("inputs of an ImageCopy", () => {
    const fine: [title: string, change: Properties][] = [
        ["a source with a digest", {}],
        ["a source with a tag", { source: "registry.example.com/team/app:1.4.2" }],
        ["inputs that are not known yet", { source: unknownValue, repository: unknownValue, tags: unknownValue }],
    ];
    for (const [title, change] of fine) {
        it(`finds nothing wrong with ${title}`, () => {
            assert.deepEqual(findImageCopyProblems({ ...good, ...change }), []);
        });
    }

    const wrong: [title: string, change: Properties, property: string, reason: RegExp][] = [
        ["a source without digest and tag", { source: "example.com/app" }, "source", /neither a digest nor a tag/],
        ["a source that is no reference", { source: "https://example.com/app:1" }, "source", /scheme/],
        ["no source", { source: undefined }, "source", /is required/],
        ["a repository with a tag", { repository: "example.com/app:1" }, "repository", /tag/],
        ["no tags at all", { tags: [] }, "tags", /names no tag/],
        ["a word that is not allowed", { deletion: "delete" }, "deletion", /"retain"/],
    ];
    for (const [title, change, property, reason] of wrong) {
        it(`refuses ${title}`, () => {
            const problems = findImageCopyProblems({ ...good, ...change });
            assert.deepEqual(
                problems.map((problem) => problem.property),
                [property],
            );
            assert.match(problems[0]?.reason ?? "", reason);
        });
    }
});
