import assert from "node:assert/strict";

import { imageIndexLifecycle } from "../../../sdk/resources/imageIndexLifecycle";
import type { OperationContext, ResourceLifecycle } from "../../../sdk/resources/lifecycle";
import { createLifecycles } from "../../../sdk/resources/lifecycles";
import { withOwnTags } from "../../../sdk/resources/tagOwners";
import { unknownValue, type Properties } from "../../../sdk/resources/values";

const digest = `sha256:${"a".repeat(64)}`;
const amd64 = { os: "linux", architecture: "amd64" };
const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 7, platform: amd64 };
const images = [{ platform: "linux/amd64", digest, manifests: [manifest] }];
const reporter = { info: () => undefined, status: () => undefined, warn: () => undefined };

/** Two resources of one program that would move the same tag: neither notices the other by itself. */
describe("a tag in one program", () => {
    let lifecycles: ReturnType<typeof createLifecycles>;
    beforeEach(() => {
        lifecycles = createLifecycles();
    });

    const check = async (kind: "ImageIndex" | "ImageCopy", name: string, inputs: Properties) => {
        const type = `multiarch:index:${kind}`;
        const urn = `urn:pulumi:dev::p::multiarch:index:MultiArchImage$${type}::${name}`;
        const context: OperationContext = { urn, reporter, signal: new AbortController().signal, secrets: [] };
        const own = kind === "ImageIndex" ? { images } : { source: `registry.example.com/app@${digest}` };
        const answer = await lifecycles[type]?.check({ ...own, ...inputs }, undefined, context);
        assert.ok(answer);
        return answer.problems;
    };

    it("belongs to one resource, and the other is told both names", async () => {
        assert.deepEqual(await check("ImageIndex", "one-index", { repository: "r.io/app", tags: ["1", "2"] }), []);
        const [problem, ...more] = await check("ImageIndex", "two-index", { repository: "r.io/app", tags: ["3", "2"] });
        assert.deepEqual(more, []);
        assert.equal(problem?.property, "tags[1]");
        assert.equal(problem.code, "tag-conflict");
        assert.match(problem.reason, /r\.io\/app:2 is a tag of both ImageIndex one-index and ImageIndex two-index/);
    });

    it("is shared with copies, and is latest where none is named", async () => {
        assert.deepEqual(await check("ImageIndex", "one-index", { repository: "r.io/app" }), []);
        const [problem] = await check("ImageCopy", "copy", { repository: "r.io/app", tags: ["latest"] });
        assert.match(problem?.reason ?? "", /ImageIndex one-index and ImageCopy copy/);
        // Docker Hub has two spellings.
        assert.deepEqual(await check("ImageIndex", "hub", { repository: "docker.io/library/app" }), []);
        assert.equal((await check("ImageCopy", "hub-copy", { repository: "app" })).length, 1);
    });

    it("is no conflict with itself, with another repository, with another run, and while it is unknown", async () => {
        const inputs = { repository: "r.io/app", tags: ["1"] };
        assert.deepEqual(await check("ImageIndex", "one-index", inputs), []);
        assert.deepEqual(await check("ImageIndex", "one-index", inputs), [], "a replacement is checked twice");
        assert.deepEqual(await check("ImageIndex", "two-index", { ...inputs, repository: "r.io/other" }), []);
        assert.deepEqual(await check("ImageIndex", "three-index", { ...inputs, tags: [unknownValue] }), []);
        assert.deepEqual(await check("ImageIndex", "four-index", { ...inputs, repository: unknownValue }), []);
        lifecycles = createLifecycles();
        assert.deepEqual(await check("ImageIndex", "renamed-index", inputs), []);
    });

    it("is not removed with a resource, or by a change of it, while the program wants it", async () => {
        const given: unknown[] = [];
        const said: string[] = [];
        const noted: ResourceLifecycle = {
            ...imageIndexLifecycle,
            update: (old) => Promise.resolve({ given: given.push(old.inputs["tags"]) }),
            delete: ({ inputs }) => Promise.resolve(void given.push(inputs["tags"])),
        };
        const guarded = withOwnTags(noted, new Map());
        const contextOf = (name: string): OperationContext => ({
            urn: `urn:pulumi:dev::p::multiarch:index:ImageIndex::${name}`,
            reporter: { ...reporter, info: (text) => said.push(text) },
            signal: new AbortController().signal,
            secrets: [],
        });
        const inputs = { repository: "r.io/app", deletion: "untag", images };
        const old = { inputs: { ...inputs, tags: ["1", "2", "3"] }, outputs: { digest } };

        await guarded.delete(old, contextOf("one"));
        await guarded.check({ ...inputs, tags: ["3"] }, undefined, contextOf("one"));
        await guarded.check({ ...inputs, tags: ["1"] }, undefined, contextOf("two"));
        await guarded.update(old, { ...inputs, tags: ["3"] }, contextOf("one"));
        await guarded.delete(old, contextOf("zero"));

        assert.deepEqual(given, [["1", "2", "3"], ["2"], ["2"]]);
        assert.deepEqual(said, [
            "the tag 1 belongs to ImageIndex two now, and stays",
            "the tag 1 belongs to ImageIndex two now, and stays",
            "the tag 3 belongs to ImageIndex one now, and stays",
        ]);
    });
});
