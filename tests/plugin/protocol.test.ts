import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as grpc from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { startPluginProcess, type RunningPlugin } from "../support/plugin";

const digest = `sha256:${"a".repeat(64)}`;
const secretOf = (value: unknown) => ({ [pulumi.runtime.specialSigKey]: pulumi.runtime.specialSecretSig, value });
/** The path is part of the text: see toCheckFailures. */
const propertyOf = (failure: proto.CheckFailure): string => failure.getReason().split(": ")[0] ?? "";
const struct = (value: object): Struct => Struct.fromJavaScript(value as never);
const urn = (type: string, name: string): string =>
    `urn:pulumi:dev::p::multiarch:index:MultiArchImage$${type}::${name}`;

/**
 * The gRPC interface of the plugin process, spoken to as the engine does. No engine, builder or registry is there: what
 * needs one is shown in tests/integration.
 */
describe("the plugin process", () => {
    let running: RunningPlugin;
    let folder: string;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "multiarch-plugin-"));
        writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
        running = await startPluginProcess(folder);
    });

    after(async () => {
        await running.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    const imageUrn = urn("multiarch:index:PlatformImage", "app-linux-amd64");
    const indexUrn = urn("multiarch:index:ImageIndex", "app-index");
    const image = {
        platform: "linux/amd64",
        repository: "registry.example.com/app",
        context: { location: "." },
        nodes: [{ platform: "linux/amd64", address: "tcp://127.0.0.1:1", insecure: true }],
    };
    const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 7 };
    const listed = {
        platform: "linux/amd64",
        digest,
        manifests: [{ ...manifest, platform: { os: "linux", architecture: "amd64" } }],
    };
    const index = { repository: "registry.example.com/app", tags: ["1"], images: [listed] };

    const check = (resource: string, news: object, olds?: object) => {
        const request = new proto.CheckRequest().setUrn(resource).setNews(struct(news));
        return running.call("check", olds ? request.setOlds(struct(olds)) : request);
    };
    const checked = async (resource: string, news: object) =>
        (await check(resource, news)).getInputs()?.toJavaScript() ?? {};
    const diff = (resource: string, oldInputs: object, olds: object, news: object) => {
        const request = new proto.DiffRequest().setUrn(resource).setOldInputs(struct(oldInputs));
        return running.call("diff", request.setOlds(struct(olds)).setNews(struct(news)));
    };

    it("says its version and its schema", async () => {
        const info = await running.call("getPluginInfo", new Empty());
        const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
        assert.equal(info.getVersion(), version);
        const schema = await running.call("getSchema", new proto.GetSchemaRequest());
        assert.equal((JSON.parse(schema.getSchema()) as { name: string }).name, "multiarch");
    });

    it("takes secrets, outputs in the inputs of components, and previews", async () => {
        const handshake = await running.call("handshake", new proto.ProviderHandshakeRequest());
        assert.deepEqual([handshake.getAcceptSecrets(), handshake.getAcceptOutputs()], [true, true]);
        const answer = await running.call("configure", new proto.ConfigureRequest());
        assert.equal(answer.getAcceptsecrets(), true);
        assert.equal(answer.getAcceptoutputs(), true);
        assert.equal(answer.getSupportspreview(), true);
        await running.call("attach", new plugin.PluginAttach().setAddress("127.0.0.1:1"));
    });

    it("adds the hash of the content to the inputs, equal for equal content", async () => {
        const first = await checked(imageUrn, image);
        assert.match(first["contentHash"] as string, /^sha256:[0-9a-f]{64}$/);
        const second = await checked(imageUrn, { ...image, retries: 1, cache: { inline: {} } });
        assert.equal(second["contentHash"], first["contentHash"]);
        writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nLABEL a=b\n");
        assert.notEqual((await checked(imageUrn, image))["contentHash"], first["contentHash"]);
    });

    it("keeps secrets marked, and marks those the program forgot", async () => {
        const inputs = await checked(imageUrn, {
            ...image,
            buildArgs: { KEY: secretOf("one") },
            secrets: { token: "two" },
            registries: [{ address: "registry.example.com", username: "u", password: "three" }],
            nodes: [{ ...image.nodes[0], insecure: false, tls: { ca: "c", cert: "c", key: "four" } }],
        });
        assert.deepEqual(inputs["buildArgs"], { KEY: secretOf("one") });
        assert.deepEqual(inputs["secrets"], secretOf({ token: "two" }));
        const [registry] = inputs["registries"] as unknown as { password: unknown; username: unknown }[];
        assert.deepEqual(registry?.password, secretOf("three"));
        assert.equal(registry.username, "u");
        const [node] = inputs["nodes"] as unknown as { tls: { key: unknown } }[];
        assert.deepEqual(node?.tls.key, secretOf("four"));
    });

    it("says all that is wrong, by property", async () => {
        const answer = await check(imageUrn, {
            ...image,
            platform: "linux/bad",
            cache: {},
            nodes: [{ platform: "linux/amd64", address: "1.2.3.4", property: "builders.endpoints[3]" }],
        });
        const failures = answer.getFailuresList().map(propertyOf);
        assert.deepEqual(failures.sort(), ["builders.endpoints[3].address", "cache", "platform"]);
    });

    it("counts inputs that are not known yet as right, and gives an unknown hash", async () => {
        const inputs = await checked(imageUrn, { ...image, buildArgs: { V: pulumi.runtime.unknownValue } });
        assert.equal(inputs["contentHash"], pulumi.runtime.unknownValue);
    });

    it("names the build argument that makes it build again", async () => {
        const old = { ...image, buildArgs: { A: "1", B: "1" }, contentHash: "old" };
        const answer = await diff(
            imageUrn,
            old,
            { digest },
            { ...image, buildArgs: { A: "2", B: "1" }, contentHash: "new" },
        );
        assert.equal(answer.getChanges(), proto.DiffResponse.DiffChanges.DIFF_SOME);
        assert.deepEqual(
            answer
                .getDetaileddiffMap()
                .toArray()
                .map(([path]) => path)
                .sort(),
            ["buildArgs.A", "contentHash"],
        );
        assert.deepEqual(answer.getReplacesList(), []);
    });

    it("sees no difference in builders, caches, accounts and secrets", async () => {
        const old = { ...image, contentHash: "same" };
        const answer = await diff(
            imageUrn,
            old,
            { digest },
            {
                ...old,
                nodes: [{ platform: "linux/amd64", address: "tcp://127.0.0.1:2", insecure: true }],
                cache: { inline: {} },
                secrets: { new: "one" },
                registries: [{ address: "r.example.com", username: "u", password: "p" }],
            },
        );
        assert.equal(answer.getChanges(), proto.DiffResponse.DiffChanges.DIFF_NONE);
    });

    it("replaces an image whose platform or repository changes", async () => {
        const old = { ...image, contentHash: "same" };
        const answer = await diff(imageUrn, old, { digest }, { ...old, repository: "registry.example.com/other" });
        assert.deepEqual(answer.getReplacesList(), ["repository"]);
    });

    it("keeps the hash of the state when the program ignores its changes", async () => {
        const inputs = await checked(imageUrn, { ...image, contentHash: "sha256:old" });
        assert.equal(inputs["contentHash"], "sha256:old");
    });

    it("refuses an empty item of a list, and takes an input that is null as not given", async () => {
        const { images } = index;
        const answer = await check(indexUrn, { repository: index.repository, images, tags: ["a", null] });
        assert.deepEqual(answer.getFailuresList().map(propertyOf), ["tags[1]"]);
        assert.deepEqual((await checked(indexUrn, { ...index, tags: null }))["tags"], ["latest"]);
        await checked(imageUrn, { ...image, buildArgs: { A: null }, secrets: null, registries: null });
    });

    it("quotes names that are not plain words in the paths of changes", async () => {
        const old = { ...image, buildArgs: { "a.b": "1" }, contentHash: "old" };
        const answer = await diff(imageUrn, old, { digest }, { ...old, buildArgs: { "a.b": "2" }, contentHash: "new" });
        const paths = answer
            .getDetaileddiffMap()
            .toArray()
            .map(([path]) => path);
        assert.deepEqual(paths.sort(), ['buildArgs["a.b"]', "contentHash"]);
    });

    it("goes on with another operation after the engine has cancelled at the end of the first", async () => {
        await running.call("cancel", new Empty());
        await running.call("configure", new proto.ConfigureRequest());
        assert.match((await checked(imageUrn, image))["contentHash"] as string, /^sha256:/);
    });

    it("leaves what a build gives unknown in a preview", async () => {
        const request = new proto.CreateRequest()
            .setUrn(imageUrn)
            .setPreview(true)
            .setProperties(struct({ ...image, contentHash: "h" }));
        const outputs = (await running.call("create", request)).getProperties()?.toJavaScript() ?? {};
        assert.equal(outputs["digest"], pulumi.runtime.unknownValue);
        assert.equal(outputs["contentHash"], "h");
    });

    it("knows the digest of an index in a preview when it knows the images", async () => {
        const request = new proto.CreateRequest().setUrn(indexUrn).setPreview(true);
        const known = await running.call("create", request.setProperties(struct(index)));
        const outputs = known.getProperties()?.toJavaScript() ?? {};
        assert.match(outputs["digest"] as string, /^sha256:[0-9a-f]{64}$/);
        assert.deepEqual(outputs["tagRefs"], ["registry.example.com/app:1"]);
        assert.deepEqual(outputs["platformDigests"], { "linux/amd64": digest });
        const unknownTags = { ...index, tags: [pulumi.runtime.unknownValue] };
        const partly = (await running.call("create", request.setProperties(struct(unknownTags)))).getProperties();
        const { tagRefs, tagDigests, ...others } = partly?.toJavaScript() ?? {};
        assert.deepEqual([tagRefs, tagDigests], [pulumi.runtime.unknownValue, pulumi.runtime.unknownValue]);
        assert.deepEqual({ ...outputs, ...others }, outputs);
        const unknownImage = { ...index, images: [{ ...listed, digest: pulumi.runtime.unknownValue }] };
        const unknown = await running.call("create", request.setProperties(struct(unknownImage)));
        assert.equal(unknown.getProperties()?.toJavaScript()["digest"], pulumi.runtime.unknownValue);
    });

    it("sees a tag that refresh found elsewhere as something to do", async () => {
        const answer = await diff(indexUrn, index, { digest, tagDigests: { "1": "elsewhere" } }, index);
        assert.deepEqual(
            answer
                .getDetaileddiffMap()
                .toArray()
                .map(([path]) => path),
            ["tags[0]"],
        );
        const still = await diff(indexUrn, index, { digest, tagDigests: { "1": digest } }, index);
        assert.equal(still.getChanges(), proto.DiffResponse.DiffChanges.DIFF_NONE);
    });

    it("gives an index the tag latest when the program names none", async () => {
        const { tags: _tags, ...untagged } = index;
        assert.deepEqual((await checked(indexUrn, untagged))["tags"], ["latest"]);
    });

    it("answers what it has nothing of with the code the engine knows, also where the answer is a stream", async () => {
        const list = (running.client as unknown as { list: (request: object) => NodeJS.EventEmitter }).list;
        const stream = list.call(running.client, new proto.ListRequest());
        const [error] = (await once(
            stream.on("data", () => undefined),
            "error",
        )) as [grpc.ServiceError];
        assert.equal(error.code, grpc.status.UNIMPLEMENTED);
        assert.match(error.details, /nothing of this kind/);
    });

    it("answers an unknown resource with an error, and goes on", async () => {
        await assert.rejects(
            check(urn("multiarch:index:Nothing", "x"), {}),
            /Nothing is not a resource of this package/,
        );
        await running.call("getPluginInfo", new Empty());
    });

    it("prints nothing but its port", () => {
        assert.match(running.printed(), /^\d+\n$/);
    });

    it("says which Node it needs when it is started with an older one, and so does the command", () => {
        for (const entry of ["plugin", "cli"]) {
            const load = `require("./dist/${entry}/main.js")`;
            const script = `Object.defineProperty(process.versions, "node", { value: "20.0.0" }); ${load}`;
            const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
            assert.equal(status, 1);
            assert.match(stderr, /^pulumi-multiarch needs Node 22\.19 or newer, and the node on PATH is 20\.0\.0/);
        }
    });
});
