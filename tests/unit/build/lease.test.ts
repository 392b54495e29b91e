import assert from "node:assert/strict";
import { checkNodes, leaseNode } from "../../../sdk/build/lease";
import { MultiArchError } from "../../../sdk/errors";
import { findClosedPort, nodeOn, startBuilder, type TestServer } from "../builders/testBuilders";

const image = { platform: "linux/amd64", repository: "registry.example.com/app", isPushed: true };

describe("the lease of a builder", () => {
    let builders: TestServer[] = [];
    before(async () => {
        builders = await Promise.all([startBuilder({}), startBuilder({}), startBuilder({ version: "v0.10.0" })]);
    });
    after(async () => {
        await Promise.all(builders.map((builder) => builder.close()));
    });
    const portOf = (index: number): number => builders[index]?.port ?? 0;

    it("prefers the same one whatever the order, and says why others are not fit", async () => {
        const closed = nodeOn(await findClosedPort());
        const nodes = [closed, nodeOn(portOf(2)), nodeOn(portOf(0)), nodeOn(portOf(1))];
        const checked = await checkNodes(image, nodes);
        assert.deepEqual(new Set(checked.choices.map(({ node }) => node)), new Set(nodes.slice(2)));
        assert.equal(checked.choices[0].facts.version, "v0.31.1");
        assert.deepEqual(
            checked.skipped.map(({ node, error }) => [nodes.indexOf(node), error.code]),
            [
                [0, "builder-refused"],
                [1, "builder-too-old"],
            ],
        );
        const turned = await checkNodes(image, [...nodes].reverse());
        assert.equal(turned.choices[0].node, checked.choices[0].node);
    });

    it("prefers one that is native to one that is not", async () => {
        const emulating = await startBuilder({ platforms: ["linux/arm64", "linux/amd64"] });
        builders.push(emulating);
        const slow = Array.from({ length: 5 }, (_, index) => {
            return nodeOn(emulating.port, { emulation: "allow", name: `slow ${index}` });
        });
        const native = nodeOn(portOf(0), { emulation: "allow" });
        const { choices } = await checkNodes(image, [...slow, native]);
        assert.deepEqual(
            choices.map(({ node }) => node),
            [native],
        );
        assert.equal((await checkNodes(image, slow)).choices.length, slow.length);
    });

    it("looks at builders of the platform only, however it is spelt", async () => {
        const nodes = [nodeOn(portOf(2), { platform: "linux/arm64" }), nodeOn(portOf(0), { platform: "linux/x86_64" })];
        const checked = await checkNodes({ ...image, platform: "linux/amd64/v1" }, nodes);
        assert.equal(checked.choices[0].node, nodes[1]);
        assert.deepEqual(checked.skipped, []);
    });

    it("fails when there is no builder for the platform", async () => {
        await assert.rejects(
            leaseNode({ ...image, platform: "linux/arm64" }, [nodeOn(portOf(0))]),
            (error) => error instanceof MultiArchError && error.code === "builder-none",
        );
    });

    it("fails with the very error of an only builder", async () => {
        await assert.rejects(leaseNode(image, [nodeOn(portOf(2))]), /the builder runs BuildKit v0\.10\.0/);
    });

    it("fails with what is wrong with each of several", async () => {
        const nodes = [nodeOn(portOf(2)), nodeOn(await findClosedPort(), { name: "spare" })];
        await assert.rejects(leaseNode(image, nodes), (error) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-too-old");
            assert.match(error.fields.what, /none of 2 builders can be used; the first one: the builder runs/);
            assert.match(error.fields.lines?.[0] ?? "", /^spare .*refuses connections \[builder-refused\]$/);
            assert.equal(error.transient, true);
            return true;
        });
    });
});
