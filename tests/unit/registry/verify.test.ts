import assert from "node:assert/strict";
import { mediaTypes } from "../../../sdk/registry/manifests";
import { incompleteError, verifyImage } from "../../../sdk/registry/verify";
import { assertFails, refer, useRegistryStage } from "../../support/registryClient";
import type { RegistryDouble } from "../../support/registryDouble";
import { digestOfText, type StoredContent } from "../../support/registryDoubleStorage";

const arm64 = { os: "linux", architecture: "arm64" };
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

interface PushedImage {
    readonly image: StoredContent;
    readonly config: string;
    readonly layers: string[];
}

function pushImage(double: RegistryDouble, platform: object, names = ["one", "two", "one"]): PushedImage {
    const config = {
        ...double.putBlob("team/app", JSON.stringify({ ...platform, rootfs: {} })),
        mediaType: configType,
    };
    const layers = names.map((name) => ({ ...double.putBlob("team/app", name), mediaType: layerType }));
    const image = double.putManifest("team/app", {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config,
        layers,
    });
    return { image, config: config.digest, layers: layers.map(({ digest }) => digest) };
}

function pushWithAttestation(double: RegistryDouble) {
    const { image } = pushImage(double, arm64);
    const statement = pushImage(double, { architecture: "unknown", os: "unknown" }, ["in-toto"]);
    const attestation = {
        ...statement.image,
        annotations: {
            "vnd.docker.reference.digest": image.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
        platform: { architecture: "unknown", os: "unknown" },
    };
    const manifests = [{ ...image, platform: arm64 }, attestation];
    const index = double.putManifest("team/app", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    return { image, attestation, index, statement };
}

describe("checking a platform's image in the registry", () => {
    const stage = useRegistryStage();

    it("looks at attestations too that only the common index names", async () => {
        const double = await stage.double();
        const { image, attestation } = pushWithAttestation(double);
        const also = [attestation, { ...attestation, digest: digestOfText("lost") }];
        const verified = await verifyImage(stage.client(), refer(double), image.digest, arm64, { also });
        const problems = verified.complete ? [] : verified.problems.map(({ kind, digest }) => [kind, digest]);
        assert.deepEqual(problems, [["manifest", digestOfText("lost")]]);
    });

    it("finds it whole, and describes it with its platform", async () => {
        const double = await stage.double();
        const { image } = pushImage(double, { ...arm64, variant: "v8" });
        assert.deepEqual(await verifyImage(stage.client(), refer(double), image.digest, arm64), {
            complete: true,
            image: { ...image, platform: arm64 },
            attestations: [],
        });
    });

    it("looks at each layer once, even when the image uses it twice", async () => {
        const double = await stage.double();
        const { image, layers } = pushImage(double, arm64);
        await verifyImage(stage.client(), refer(double), image.digest, arm64);
        const heads = double.requests.filter(
            ({ method, path }) => method === "HEAD" && path.endsWith(layers[0] ?? "?"),
        );
        assert.equal(heads.length, 1);
    });

    it("keeps what a Windows image says beyond its platform's name", async () => {
        const double = await stage.double();
        const windows = { os: "windows", architecture: "amd64" };
        const { image } = pushImage(double, { ...windows, "os.version": "10.0.1" });
        const result = await verifyImage(stage.client(), refer(double), image.digest, windows);
        assert.ok(result.complete);
        assert.deepEqual(result.image.platform, { "os.version": "10.0.1", ...windows });
    });

    it("finds an image and its attestations behind an index", async () => {
        const double = await stage.double();
        const { image, attestation, index } = pushWithAttestation(double);
        assert.deepEqual(await verifyImage(stage.client(), refer(double), index.digest, arm64), {
            complete: true,
            image: { ...image, platform: arm64 },
            attestations: [attestation],
        });
    });

    it("says that the manifest is missing", async () => {
        const double = await stage.double();
        const digest = digestOfText("nothing");
        assert.deepEqual(await verifyImage(stage.client(), refer(double), digest, arm64), {
            complete: false,
            problems: [{ kind: "manifest", digest, text: `the manifest ${digest} is not there` }],
        });
    });

    it("says which layer and that the configuration is missing", async () => {
        const double = await stage.double();
        const { image, config, layers } = pushImage(double, arm64);
        double.removeContent(config);
        double.removeContent(layers[1] ?? "");
        const result = await verifyImage(stage.client(), refer(double), image.digest, arm64);
        assert.ok(!result.complete);
        assert.deepEqual(
            result.problems.map(({ kind, digest }) => [kind, digest]),
            [
                ["layer", layers[1]],
                ["config", config],
            ],
        );
    });

    it("does not look for layers that are kept elsewhere", async () => {
        const double = await stage.double();
        const config = { ...double.putBlob("team/app", JSON.stringify(arm64)), mediaType: configType };
        const layer = { mediaType: layerType, digest: digestOfText("far"), size: 3, urls: ["https://x.example.com/"] };
        const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
        const { digest } = double.putManifest("team/app", document);
        assert.equal((await verifyImage(stage.client(), refer(double), digest, arm64)).complete, true);
    });

    it("says that the image is for another platform", async () => {
        const double = await stage.double();
        const { image } = pushImage(double, { os: "linux", architecture: "amd64" });
        const result = await verifyImage(stage.client(), refer(double), image.digest, arm64);
        assert.ok(!result.complete);
        const text = `the image ${image.digest} is for linux/amd64, not linux/arm64`;
        assert.deepEqual(result.problems, [{ kind: "platform", digest: image.digest, text }]);
    });

    it("says that an attestation, its content, or the image behind an index is missing", async () => {
        const double = await stage.double();
        const { image, index, statement } = pushWithAttestation(double);
        const client = stage.client();
        for (const [lost, kind] of [
            [statement.layers[0] ?? "", "layer"],
            [statement.image.digest, "manifest"],
            [image.digest, "manifest"],
        ] as const) {
            double.removeContent(lost);
            const result = await verifyImage(client, refer(double), index.digest, arm64);
            assert.ok(!result.complete);
            assert.ok(result.problems.some((problem) => problem.digest === lost && problem.kind === kind));
        }
    });

    it("says that an index holds no image of the platform", async () => {
        const double = await stage.double();
        const { index } = pushWithAttestation(double);
        const amd64 = { os: "linux", architecture: "amd64" };
        const result = await verifyImage(stage.client(), refer(double), index.digest, amd64);
        assert.ok(!result.complete);
        assert.equal(result.problems[0]?.kind, "platform");
        const error = incompleteError(refer(double), amd64, result.problems);
        assert.equal(error.code, "index-incomplete");
        assert.match(error.message, /^linux\/amd64: localhost:\d+\/team\/app does not have the whole image/);
        assert.match(error.message, /\| the index sha256:.* holds 0 images for linux\/amd64 .found: linux\/arm64/);
    });

    it("takes a bare 404 for a missing manifest only where that is wanted", async () => {
        const double = await stage.double({ absence: 404 });
        const { image, index } = pushWithAttestation(double);
        double.removeContent(image.digest);
        const verify = (absentOn: readonly (403 | 404)[]) =>
            verifyImage(stage.client(), refer(double), index.digest, arm64, { absentOn });
        const result = await verify([404]);
        assert.ok(!result.complete);
        assert.deepEqual(
            result.problems.map(({ kind, digest }) => [kind, digest]),
            [["manifest", image.digest]],
        );
        await assertFails(verify([]), "registry-broken");
    });

    it("fails, and calls nothing missing, when the registry cannot be read", async () => {
        const double = await stage.double();
        const { image } = pushImage(double, arm64);
        for (const request of [/HEAD .*manifests/, /GET .*manifests/, /HEAD .*blobs/, /GET .*blobs/]) {
            double.failNext({ request, answer: { status: 403 } });
            const call = verifyImage(stage.client(), refer(double), image.digest, arm64);
            await assertFails(call, "registry-forbidden");
        }
    });
});
