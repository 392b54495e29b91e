import assert from "node:assert/strict";
import fc from "fast-check";
import {
    buildIndex,
    type Descriptor,
    digestOf,
    flattenChild,
    type Manifest,
    mediaTypes,
    parseManifest,
} from "../../../sdk/registry/manifests";

const digest = (name: string): string => digestOf(Buffer.from(name));
const arm64 = { os: "linux", architecture: "arm64" };
const amd64 = { os: "linux", architecture: "amd64" };

function descriptor(name: string, more: Partial<Descriptor> = {}): Descriptor {
    return { mediaType: mediaTypes.ociManifest, digest: digest(name), size: name.length, ...more };
}

function attestation(name: string, of: string): Descriptor {
    return descriptor(name, {
        platform: { os: "unknown", architecture: "unknown" },
        annotations: {
            "vnd.docker.reference.digest": digest(of),
            "vnd.docker.reference.type": "attestation-manifest",
        },
    });
}

describe("an index", () => {
    it("is written byte for byte like this", () => {
        const made = buildIndex(
            [
                { size: 3, digest: digest("a"), mediaType: mediaTypes.ociManifest, platform: amd64 },
                descriptor("b", {
                    annotations: { z: "<1>", a: "2" },
                    platform: { variant: "v7", os: "linux", architecture: "arm", "os.version": "1" },
                }),
            ],
            { "org.opencontainers.image.title": "x", "a.b": "y" },
        );
        const text = `{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "manifests": [
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "${digest("a")}",
      "size": 3,
      "platform": {
        "architecture": "amd64",
        "os": "linux"
      }
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "${digest("b")}",
      "size": 1,
      "annotations": {
        "a": "2",
        "z": "\\u003c1\\u003e"
      },
      "platform": {
        "architecture": "arm",
        "os": "linux",
        "os.version": "1",
        "variant": "v7"
      }
    }
  ],
  "annotations": {
    "a.b": "y",
    "org.opencontainers.image.title": "x"
  }
}`;
        assert.equal(made.bytes.toString("utf8"), text);
        assert.equal(made.digest, digestOf(Buffer.from(text)));
        assert.equal(made.mediaType, mediaTypes.ociIndex);
    });

    it("does not depend on the order of annotations, but on that of its children", () => {
        const one = descriptor("a", { annotations: { x: "1", y: "2" } });
        const same = descriptor("a", { annotations: { y: "2", x: "1" } });
        const other = descriptor("b");
        assert.equal(buildIndex([one], { p: "1", q: "2" }).digest, buildIndex([same], { q: "2", p: "1" }).digest);
        assert.notEqual(buildIndex([one, other]).digest, buildIndex([other, one]).digest);
    });

    it("is read back as it was written", () => {
        const text = fc.string({ unit: "grapheme" });
        const child = fc
            .record({ name: text, annotations: fc.dictionary(text, text, { minKeys: 1, noNullPrototype: true }) })
            .map(({ name, annotations }) => descriptor(name, { annotations, platform: arm64 }));
        fc.assert(
            fc.property(fc.array(child), (children) => {
                const { bytes, mediaType } = buildIndex(children);
                const read = parseManifest(bytes, mediaType);
                assert.deepEqual(read, { kind: "index", mediaType, manifests: children, annotations: {} });
            }),
        );
    });
});

describe("a manifest", () => {
    const config = descriptor("config", { mediaType: "application/vnd.oci.image.config.v1+json" });
    const read = (document: unknown, type = ""): Manifest => parseManifest(Buffer.from(JSON.stringify(document)), type);

    it("is read by its own type, and by that of the answer where it names none", () => {
        const body = { schemaVersion: 2, config, layers: [] };
        assert.equal(read({ ...body, mediaType: mediaTypes.ociManifest }, "text/plain").kind, "image");
        assert.equal(read(body, mediaTypes.dockerManifest).mediaType, mediaTypes.dockerManifest);
        assert.equal(read({ schemaVersion: 2, manifests: [] }, mediaTypes.dockerIndex).kind, "index");
    });

    const refusals: [unknown, RegExp][] = [
        [null, /schemaVersion/],
        [{ schemaVersion: 1 }, /schemaVersion/],
        [{ schemaVersion: 2, config, layers: [] }, /type is missing/],
        [{ schemaVersion: 2, mediaType: "text/x", config, layers: [] }, /type is text\/x/],
        [{ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], layers: [] }, /an image and an index/],
        [{ schemaVersion: 2, mediaType: mediaTypes.ociIndex }, /lists no content/],
        [{ schemaVersion: 2, mediaType: mediaTypes.ociManifest, layers: [] }, /without a type/],
        [{ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ ...config, digest: "x" }] }, /sha256/],
    ];
    for (const [document, reason] of refusals) {
        it(`is refused when it is ${JSON.stringify(document).slice(0, 90)}`, () => {
            assert.throws(() => read(document), reason);
        });
    }
});

describe("what one platform pushed", () => {
    const pushed = descriptor("pushed", { mediaType: mediaTypes.ociIndex });
    const index = (...manifests: Descriptor[]): Manifest => ({
        kind: "index",
        mediaType: mediaTypes.ociIndex,
        manifests,
        annotations: {},
    });

    it("may be the image itself", () => {
        const image: Manifest = {
            kind: "image",
            mediaType: mediaTypes.ociManifest,
            config: descriptor("config"),
            layers: [],
        };
        assert.deepEqual(flattenChild(descriptor("a"), image, arm64), {
            image: descriptor("a", { platform: arm64 }),
            attestations: [],
        });
    });

    it("may be an index of the image and its attestations", () => {
        const image = descriptor("image", { platform: { ...arm64, variant: "v8" } });
        const ours = attestation("ours", "image");
        const manifest = index(image, attestation("foreign", "other"), ours);
        assert.deepEqual(flattenChild(pushed, manifest, arm64), {
            image: { ...image, platform: arm64 },
            attestations: [ours],
        });
    });

    it("is refused when it holds no image or several images of the platform", () => {
        const image = descriptor("image", { platform: amd64 });
        assert.throws(
            () => flattenChild(pushed, index(image), arm64),
            /0 images for linux\/arm64 .found: linux\/amd64/,
        );
        assert.throws(() => flattenChild(pushed, index(), arm64), /0 images .* .found: none/);
        assert.throws(
            () => flattenChild(pushed, index(image, descriptor("more", { platform: amd64 })), amd64),
            /2 images for linux\/amd64/,
        );
    });
});
