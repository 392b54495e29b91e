import assert from "node:assert/strict";

import { MultiArchError } from "../../../sdk/errors";
import { mediaTypes, type Descriptor } from "../../../sdk/registry/manifests";
import type { StatementReader } from "../../../sdk/registry/statements";
import { checkAttestations, holdsSecret } from "../../../sdk/resources/attestationCheck";
import { createIndexOutputs, makeIndex, type WholeIndexInputs } from "../../../sdk/resources/imageIndexInputs";
import { listImages } from "../../../sdk/resources/imageIndexRead";
import { fromDescriptor, toDescriptor } from "../../../sdk/resources/manifest";

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

const image: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf("a"),
    size: 7,
    platform: { os: "linux", architecture: "arm64" },
};
const attestation: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf("b"),
    size: 8,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image.digest,
    },
};
const manifests = [image, attestation].map(fromDescriptor);

describe("the attestations of an image", () => {
    it("keep what an index says about them on their way through the state", () => {
        assert.deepEqual([image, attestation].map(fromDescriptor).map(toDescriptor), [image, attestation]);
        assert.equal("annotations" in fromDescriptor(image), false, "an earlier version wrote none");
    });

    it("are never named as the image of a platform", () => {
        const images = [{ platform: "linux/arm64", digest: digestOf("c"), manifests: [...manifests].reverse() }];
        const inputs: WholeIndexInputs = { repository: "registry.example.com/app", tags: ["latest"], images };
        const outputs = createIndexOutputs(inputs);
        assert.deepEqual(outputs["manifestDigests"], { "linux/arm64": image.digest });
        assert.deepEqual(outputs["attestationDigests"], { "linux/arm64": [attestation.digest] });
        const index = JSON.parse(makeIndex(inputs).bytes.toString()) as { manifests: Descriptor[] };
        assert.deepEqual(index.manifests, [attestation, image]);
    });

    it("come along with the index that is imported", () => {
        const amd64 = { ...image, digest: digestOf("d"), platform: { os: "linux", architecture: "amd64" } };
        assert.deepEqual(listImages([amd64, image, attestation]), [
            { platform: "linux/amd64", digest: amd64.digest, manifests: [fromDescriptor(amd64)] },
            { platform: "linux/arm64", digest: image.digest, manifests },
        ]);
    });
});

describe("what a builder has pushed as attestations", () => {
    const provenance = "https://slsa.dev/provenance/v1";
    const sbom = "https://spdx.dev/Document";

    const reader = (statements: Record<string, object>): StatementReader => {
        const texts = Object.entries(statements).map(([type, text]) => [type, JSON.stringify(text)] as const);
        const layers = texts.map(([type, text], index) => ({
            mediaType: "application/vnd.in-toto+json",
            digest: digestOf(String(index)),
            size: text.length,
            annotations: { "in-toto.io/predicate-type": type },
        }));
        const manifest = { kind: "image", mediaType: mediaTypes.ociManifest, config: image, layers } as const;
        return {
            getManifest: () => Promise.resolve({ descriptor: attestation, manifest, bytes: Buffer.alloc(0) }),
            openBlob: (_repository, { digest }) =>
                Promise.resolve(parts(texts[layers.findIndex((layer) => layer.digest === digest)]?.[1] ?? "")),
        };
    };
    const check = async (
        attestations: { provenance?: "min" | "max"; sbom?: boolean },
        statements: Record<string, object>,
        found: readonly Descriptor[] = [attestation],
    ): Promise<string> => {
        const where = { registry: "registry.example.com", repository: "app" };
        const inputs = { platform: "linux/arm64", repository: "registry.example.com/app", attestations };
        try {
            await checkAttestations(reader(statements), where, found, inputs, ["t0p-secret"]);
            return "fine";
        } catch (error) {
            assert.ok(error instanceof MultiArchError);
            return `${error.code} ${error.fields.property}: ${error.fields.what}`;
        }
    };

    it("is fine when everything is there, and no secret in it", async () => {
        assert.equal(await check({ provenance: "max", sbom: true }, { [provenance]: { a: 1 }, [sbom]: {} }), "fine");
        assert.equal(await check({}, {}, []), "fine");
    });

    it("is refused when a kind is missing", async () => {
        const what = "pushed no sbom, so the image goes into no index";
        assert.equal(
            await check({ provenance: "min", sbom: true }, { [provenance]: {} }),
            `attestation-missing attestations.sbom: the builder ${what}`,
        );
        assert.match(await check({ provenance: "min" }, {}, []), /^attestation-missing attestations\.provenance: /);
    });

    it("is refused when a provenance holds a secret", async () => {
        const leak = { predicate: { args: { "build-arg:KEY": "the t0p-secret one" } } };
        const answer = await check({ provenance: "max" }, { [provenance]: leak });
        assert.match(answer, /^attestation-leak attestations\.provenance: .*app@sha256:b+ holds a secret/);
        assert.equal(answer.includes("t0p-secret"), false);
    });

    it("holds a secret also as a key, in a list, or in the Dockerfile, which is kept as base64", () => {
        const data = Buffer.from("FROM scratch\nLABEL a=t0p-secret\n").toString("base64");
        for (const document of [{ "t0p-secret": 1 }, [["t0p-secret"]], { infos: [{ data }] }]) {
            assert.equal(holdsSecret(document, ["t0p-secret\n"]), true);
        }
        assert.equal(holdsSecret({ a: "harmless", b: null, c: 3 }, ["t0p-secret", "arm"]), false);
        assert.equal(holdsSecret({ a: "alarm" }, ["arm"]), false, "a short secret is part of harmless texts");
    });
});

async function* parts(text: string): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(text));
}
