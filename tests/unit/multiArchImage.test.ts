import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import * as sdk from "../../sdk";

interface Registered {
    readonly type: string;
    readonly name: string;
    readonly inputs: Record<string, unknown>;
}

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

/**
 * The resource tree, with a monitor of the SDK that builds nothing. What the resources do is shown against the real
 * engine in tests/integration.
 */
describe("MultiArchImage", () => {
    let registered: Registered[] = [];

    before(async () => {
        await pulumi.runtime.setMocks({
            newResource({ type, name, inputs }) {
                registered.push({ type, name, inputs: inputs as Record<string, unknown> });
                const platform = String((inputs as Record<string, unknown>)["platform"]);
                const letter = platform === "linux/amd64" ? "a" : "b";
                const [os, architecture] = platform.split("/");
                const manifest = { mediaType: "m", digest: digest(letter), size: 1, platform: { os, architecture } };
                const state =
                    type === "multiarch:index:PlatformImage"
                        ? {
                              platform,
                              digest: digest(letter),
                              manifests: [manifest],
                              contentHash: `hash ${letter}`,
                              build: {},
                          }
                        : { digest: digest("c"), ref: `r@${digest("c")}`, tagRefs: [], platformDigests: {} };
                return { id: name, state };
            },
            call: () => ({}),
        });
    });

    beforeEach(() => {
        registered = [];
    });

    const tls = { ca: "CA", cert: "CERT", key: "KEY" };
    const args = () => ({
        context: { location: "./app" },
        platforms: ["linux/amd64", "linux/arm64"],
        repository: "registry.example.com/team/app",
        tags: ["1.0"],
        registries: [{ address: "registry.example.com", username: "u", password: "hunter2" }],
        cache: { registry: {} },
        secrets: { token: "s3cret" },
        builders: {
            endpoints: [
                { platform: "linux/amd64", address: "tcp://10.0.0.1:1234", tls },
                { platform: "linux/arm64", address: "tcp://10.0.0.2:1234", tls },
            ],
        },
    });

    const settle = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

    it("has one image for each platform and one index, named after it", async () => {
        await settle(new sdk.MultiArchImage("app", args()).indexDigest);
        assert.deepEqual(registered.map(({ type, name }) => `${type} ${name}`).sort(), [
            "multiarch:index:ImageIndex app-index",
            "multiarch:index:MultiArchImage app",
            "multiarch:index:PlatformImage app-linux-amd64",
            "multiarch:index:PlatformImage app-linux-arm64",
        ]);
    });

    it("gives every image all builders, each with its place in the program, and the other platforms", async () => {
        await settle(new sdk.MultiArchImage("app", args()).indexDigest);
        const image = registered.find(({ name }) => name === "app-linux-arm64")?.inputs ?? {};
        assert.deepEqual(image["siblings"], ["linux/amd64", "linux/arm64"]);
        const nodes = unwrap(image["nodes"]) as { property: string; address: string }[];
        assert.deepEqual(
            nodes.map(({ property, address }) => `${property} ${address}`),
            ["builders.endpoints[0] tcp://10.0.0.1:1234", "builders.endpoints[1] tcp://10.0.0.2:1234"],
        );
        assert.equal("tags" in image, false);
    });

    it("gives the index the digests of the images, in the order of the platforms", async () => {
        await settle(new sdk.MultiArchImage("app", args()).indexDigest);
        const index = registered.find(({ name }) => name === "app-index")?.inputs ?? {};
        const images = index["images"] as { platform: string; digest: string }[];
        assert.deepEqual(
            images.map(({ platform, digest: pushed }) => `${platform} ${pushed}`),
            [`linux/amd64 ${digest("a")}`, `linux/arm64 ${digest("b")}`],
        );
        assert.deepEqual(index["tags"], ["1.0"]);
    });

    it("has one copy of the index for each additional repository, with the same tags and accounts", async () => {
        const additionalRepositories = ["other.example.com/app", pulumi.output("third.example.com/app")];
        const image = new sdk.MultiArchImage("app", { ...args(), additionalRepositories, onTagConflict: "fail" });
        assert.deepEqual(await settle(image.additionalRefs), [`r@${digest("c")}`, `r@${digest("c")}`]);
        const copies = registered.filter(({ type }) => type === "multiarch:index:ImageCopy");
        assert.deepEqual(
            copies.map(({ name, inputs }) => [name, inputs["source"], inputs["repository"], inputs["onTagConflict"]]),
            [
                ["app-copy-0", `r@${digest("c")}`, "other.example.com/app", "fail"],
                ["app-copy-1", `r@${digest("c")}`, "third.example.com/app", "fail"],
            ],
        );
        assert.ok(copies.every(({ inputs }) => "tags" in inputs && "registries" in inputs));
        const others = registered.filter(({ type }) => /PlatformImage|ImageIndex/.test(type));
        assert.ok(others.every(({ inputs }) => !("additionalRepositories" in inputs)));
    });

    it("has one export for each item, of the index that was pushed, with its tags as names of archives", async () => {
        const exports = [{ oci: { dest: pulumi.output("out/app.tar") } }, { local: { dest: "out/files" } }];
        const image = new sdk.MultiArchImage("app", { ...args(), exports });
        await settle(image.exportedFiles);
        const children = registered
            .filter(({ type }) => type === "multiarch:index:ImageExport")
            .sort((one, other) => (one.name < other.name ? -1 : 1));
        assert.deepEqual(
            children.map(({ name, inputs }) => [name, inputs["source"], inputs["property"], inputs["names"]]),
            [
                ["app-export-0", `r@${digest("c")}`, "exports[0]", []],
                ["app-export-1", `r@${digest("c")}`, "exports[1]", undefined],
            ],
        );
        assert.deepEqual(children[0]?.inputs["oci"], { dest: "out/app.tar" });
        // The images only look whether an export is in their context.
        const images = registered.filter(({ type }) => type.includes("PlatformImage"));
        assert.ok(images.every(({ inputs }) => "exports" in inputs));
        await settle(new sdk.MultiArchImage("plain", args()).indexDigest);
        const plain = registered.filter(({ name }) => name.startsWith("plain-"));
        assert.ok(plain.length > 2 && plain.every(({ inputs }) => !("exports" in inputs)));
    });

    it("marks passwords, keys and secrets as secrets, though the program did not", async () => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        const key = { privateKey: privateKey.export({ format: "pem", type: "sec1" }).toString(), password: "s3cret" };
        await settle(new sdk.MultiArchImage("app", { ...args(), sign: { key } }).indexDigest);
        const verify = { certificateIdentity: "me", certificateIssuer: "https://accounts.example.com" };
        const keyless = { identityToken: "s3cret" };
        await settle(new sdk.MultiArchImage("other", { ...args(), sign: { keyless }, verify }).indexDigest);
        assert.ok(registered.length > 0);
        for (const { name, inputs } of registered) {
            const visible = JSON.stringify(inputs, (_key, value: unknown) =>
                pulumi.runtime.isRpcSecret(value) ? "[secret]" : value,
            );
            assert.doesNotMatch(visible, /hunter2|s3cret|KEY/, `${name} shows a secret`);
        }
    });

    it("hands instances on EC2 to every image, with their keys marked secret", async () => {
        const ec2 = { instanceId: "i-0123456789abcdef0", region: "eu-central-1" };
        const nodes = ["linux/amd64", "linux/arm64"].map((platform) => ({ platform, ec2, tls, serverName: "b" }));
        await settle(new sdk.MultiArchImage("app", { ...args(), builders: { nodes } }).indexDigest);
        const image = registered.find(({ name }) => name === "app-linux-arm64")?.inputs ?? {};
        const given = unwrap(image["nodes"]) as { property: string; ec2: object }[];
        assert.deepEqual(
            given.map((node) => [node.property, node.ec2]),
            [0, 1].map((index) => [`builders.nodes[${index}]`, ec2]),
        );
        const visible = JSON.stringify(registered, (_key, value: unknown) =>
            pulumi.runtime.isRpcSecret(value) ? "[secret]" : value,
        );
        assert.doesNotMatch(visible, /KEY/);
    });

    it("marks each key and token of a cache as a secret", async () => {
        const s3 = { bucket: "b", accessKeyId: "id" };
        const keyed: sdk.CacheSourceArgs[] = [
            { s3: { ...s3, secretAccessKey: "s3cret" } },
            { s3: { ...s3, sessionToken: pulumi.output("s3cret"), secretAccessKey: pulumi.secret("other") } },
            { gha: { token: "s3cret" } },
            { azblob: pulumi.output({ secretAccessKey: "s3cret" }) },
        ];
        for (const source of keyed) {
            for (const cache of [
                source,
                { from: [source] },
                { from: pulumi.output([source]) },
                pulumi.output(source),
            ]) {
                registered = [];
                await settle(new sdk.MultiArchImage("app", { ...args(), cache, secrets: {} }).indexDigest);
                const caches = registered.flatMap(({ inputs }) => inputs["cache"] ?? []);
                assert.equal(caches.length, 3, "those of the component and of both images");
                const visible = JSON.stringify(caches, (_key, value: unknown) =>
                    pulumi.runtime.isRpcSecret(value) ? "[secret]" : value,
                );
                assert.doesNotMatch(visible, /s3cret/);
            }
        }
    });

    it("throws everything that is wrong before any resource exists", () => {
        assert.throws(
            () => new sdk.MultiArchImage("app", { ...args(), platforms: ["linux/amd64", "linux/bad"], tags: ["a b"] }),
            (error: unknown) => {
                assert.ok(pulumi.InputPropertiesError.isInstance(error));
                assert.deepEqual(error.errors.map(({ propertyPath }) => propertyPath).sort(), [
                    "platforms[1]",
                    "tags[0]",
                ]);
                return true;
            },
        );
        assert.deepEqual(registered, []);
    });

    it("takes inputs that come from other resources", async () => {
        const { repository, tags, builders } = args();
        const image = new sdk.MultiArchImage("app", {
            ...args(),
            repository: pulumi.output(repository),
            tags: pulumi.output(tags),
            builders: pulumi.secret(builders),
        });
        assert.equal(await settle(image.indexDigest), digest("c"));
        assert.match(await settle(image.contentHash), /^sha256:[0-9a-f]{64}$/);
    });
});

function unwrap(value: unknown): unknown {
    return pulumi.runtime.isRpcSecret(value) ? (pulumi.runtime.unwrapRpcSecret(value) as unknown) : value;
}
