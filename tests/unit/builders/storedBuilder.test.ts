import assert from "node:assert/strict";

import { declaredPlatforms, findMembers, parseStoredBuilder, withOneMember } from "../../../sdk/builders/storedBuilder";

describe("a builder as buildx writes it down", () => {
    const amd64 = { os: "linux", architecture: "amd64" };
    const arm64 = { os: "linux", architecture: "arm64" };
    const nodes = [
        { Name: "a", Endpoint: "tcp://a:1", Platforms: [amd64] },
        { Name: "b", Endpoint: "tcp://b:1", Platforms: null },
        { Name: "c", Endpoint: "tcp://c:1", Platforms: [arm64, amd64], Files: { "x.toml": "YQ==" } },
    ];
    const text = JSON.stringify({ Name: "team", Driver: "remote", Nodes: nodes, Dynamic: false });
    const builder = parseStoredBuilder(text);
    assert.ok(builder);

    it("is read, and what is something else is not", () => {
        assert.equal(builder.Driver, "remote");
        for (const wrong of ["", "[]", "null", "{}", '{"Name":"a","Driver":"remote","Nodes":[]}']) {
            assert.equal(parseStoredBuilder(wrong), undefined, wrong);
        }
    });

    it("offers the nodes that name a platform, and those that name none", () => {
        assert.deepEqual(
            findMembers(builder, "linux/arm64").map(({ Name }) => Name),
            ["b", "c"],
        );
        assert.deepEqual(declaredPlatforms(builder), ["linux/amd64", "linux/arm64", "linux/amd64"]);
    });

    it("is copied with one node and one platform, and everything else as it is", () => {
        const copy = withOneMember(builder, "c", "linux/arm64");
        const expected = { ...builder, Nodes: [{ ...nodes[2], Platforms: [arm64] }] };
        assert.deepEqual(JSON.parse(JSON.stringify(copy)), expected);
        assert.deepEqual(withOneMember(builder, "a").Nodes, [{ ...nodes[0], Platforms: [] }]);
    });
});
