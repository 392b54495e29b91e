import assert from "node:assert/strict";
import { describeNode, expectedServerName, parseAddress, type BuilderNode } from "../../../sdk/builders/node";
import { MultiArchError } from "../../../sdk/errors";

const node: BuilderNode = {
    name: "arm",
    platform: "linux/arm64",
    address: "tcp://builder.example.com:1234",
    emulation: "never",
    property: "builders.endpoints[0]",
};

describe("the address of a builder", () => {
    const taken: [string, unknown][] = [
        ["tcp://10.0.0.7:1234", { scheme: "tcp", host: "10.0.0.7", port: 1234 }],
        ["TCP://builder.example.com:1234/", { scheme: "tcp", host: "builder.example.com", port: 1234 }],
        ["tcp://[fd00::7]:1234", { scheme: "tcp", host: "fd00::7", port: 1234 }],
        ["unix:///run/buildkit/buildkitd.sock", { scheme: "unix", path: "/run/buildkit/buildkitd.sock" }],
        ["ssh://me@host:2222", { scheme: "ssh", target: "host" }],
        ["kube-pod://pod-0?namespace=ci", { scheme: "kube-pod", target: "pod-0" }],
        ["docker-container://buildkitd", { scheme: "docker-container", target: "buildkitd" }],
    ];
    for (const [address, parts] of taken) {
        it(`${address} is taken apart`, () => {
            assert.deepEqual(parseAddress(address), parts);
        });
    }

    const refused: [string, RegExp][] = [
        ["10.0.0.7:1234", /has no scheme; write tcp:\/\/10\.0\.0\.7:1234 /],
        ["/run/buildkit/buildkitd.sock", /has no scheme; write unix:\/\/\/run\/buildkit\/buildkitd\.sock /],
        ["buildkitd", /has no scheme; write tcp:\/\/host:port /],
        ["", /has no scheme/],
        ["http://host:1234", /scheme http:\/\//],
        ["tcp://host", /has no port/],
        ["tcp://host:0", /has no port/],
        ["tcp://host:99999", /is not an address/],
        ["tcp://", /names no host|not an address/],
        ["tcp://me:pw@host:1", /user name or password/],
        ["tcp://host:1/path", /something after the port/],
        ["tcp://host :1", /has a space/],
        ["unix://run/b.sock", /three slashes/],
        ["unix:///", /three slashes/],
        ["ssh://-oProxyCommand=x", /begins with a dash|not an address/],
        ["ssh://-l@host", /begins with a dash/],
        ["kube-pod://-n", /begins with a dash/],
        ["docker-container://", /names no host/],
    ];
    for (const [address, reason] of refused) {
        it(`${JSON.stringify(address)} is refused, and the error says why`, () => {
            assert.throws(
                () => parseAddress(address),
                (error) =>
                    error instanceof MultiArchError && error.code === "builder-address" && reason.test(error.message),
            );
        });
    }

    it("never shows a password that should not be there", () => {
        assert.throws(
            () => parseAddress("ssh://me:hunter22@host"),
            (error) => error instanceof MultiArchError && !error.message.includes("hunter22"),
        );
        assert.equal(describeNode({ ...node, address: "tcp://me:hunter22@host:1" }).includes("hunter22"), false);
    });
});

describe("a builder", () => {
    it("is named with its address", () => {
        assert.equal(describeNode(node), "arm (tcp://builder.example.com:1234)");
    });

    it("is named by its address alone when it has no other name", () => {
        assert.equal(describeNode({ ...node, name: node.address }), node.address);
    });

    it("has a certificate for the host of its address, unless told otherwise", () => {
        assert.equal(expectedServerName(node), "builder.example.com");
        assert.equal(expectedServerName({ ...node, serverName: "buildkit.internal" }), "buildkit.internal");
    });
});
