import assert from "node:assert/strict";
import { leaseNode } from "../../../sdk/build/lease";
import { MultiArchError } from "../../../sdk/errors";
import { findClosedPort, nodeOn, startBuilder, type TestServer } from "../builders/testBuilders";

describe("the lease of a builder", () => {
    let builders: TestServer[] = [];
    before(async () => {
        builders = await Promise.all([startBuilder({}), startBuilder({}), startBuilder({ version: "v0.10.0" })]);
    });
    after(async () => {
        await Promise.all(builders.map((builder) => builder.close()));
    });
    const portOf = (index: number): number => builders[index]?.port ?? 0;

    it("takes the first one that is fit, and says why others are not", async () => {
        const closed = nodeOn(await findClosedPort());
        const nodes = [closed, nodeOn(portOf(2)), nodeOn(portOf(0)), nodeOn(portOf(1))];
        const lease = await leaseNode("linux/amd64", nodes);
        assert.equal(lease.node, nodes[2]);
        assert.equal(lease.facts.version, "v0.31.1");
        assert.deepEqual(
            lease.skipped.map(({ node, error }) => [nodes.indexOf(node), error.code]),
            [
                [0, "builder-refused"],
                [1, "builder-too-old"],
            ],
        );
    });

    it("looks at builders of the platform only, however it is spelt", async () => {
        const nodes = [nodeOn(portOf(2), { platform: "linux/arm64" }), nodeOn(portOf(0), { platform: "linux/x86_64" })];
        const lease = await leaseNode("linux/amd64/v1", nodes);
        assert.equal(lease.node, nodes[1]);
        assert.deepEqual(lease.skipped, []);
    });

    it("fails when there is no builder for the platform", async () => {
        await assert.rejects(
            leaseNode("linux/arm64", [nodeOn(portOf(0))]),
            (error) => error instanceof MultiArchError && error.code === "builder-none",
        );
    });

    it("fails with the very error of an only builder", async () => {
        await assert.rejects(leaseNode("linux/amd64", [nodeOn(portOf(2))]), /the builder runs BuildKit v0\.10\.0/);
    });

    it("fails with what is wrong with each of several", async () => {
        const nodes = [nodeOn(portOf(2)), nodeOn(await findClosedPort(), { name: "spare" })];
        await assert.rejects(leaseNode("linux/amd64", nodes), (error) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-too-old");
            assert.match(error.fields.what, /none of 2 builders can be used; the first one: the builder runs/);
            assert.match(error.fields.lines?.[0] ?? "", /^spare .*refuses connections \[builder-refused\]$/);
            assert.equal(error.transient, true);
            return true;
        });
    });
});
