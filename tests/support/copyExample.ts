import assert from "node:assert/strict";
import type { RegistryClient } from "../../sdk/registry/client";
import { copyImage, type CopyOptions, type CopyResult } from "../../sdk/registry/copy";
import { mediaTypes } from "../../sdk/registry/manifests";
import type { RegistryDouble } from "./registryDouble";
import { digestOfText } from "./registryDoubleStorage";

/** What is copied, and where to. */
export const from = "team/app";
export const to = "prod/app";

/** What is in a double. */
export interface Example {
    readonly index: string;
    /** Every manifest, a child before its parent. */
    readonly manifests: readonly string[];
    readonly blobs: readonly string[];
    /** The layer that is in no registry. */
    readonly foreign: string;
}

/** An index of two platforms that share a layer, with an attestation and a layer that is kept elsewhere. */
export function storeExample(double: RegistryDouble, layer: string | Buffer = "shared layer"): Example {
    const shared = double.putBlob(from, layer);
    const foreign = { ...shared, digest: digestOfText("far"), size: 3, urls: ["https://far.example.com/layer"] };
    const describe = (name: string, more: object = {}) => {
        const config = double.putBlob(from, JSON.stringify({ os: "linux", architecture: name }));
        const own = double.putBlob(from, `layer of ${name}`);
        const layers = [shared, own, ...(name === "arm64" ? [foreign] : [])];
        const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
        return { blobs: [config, own], manifest: { ...double.putManifest(from, document), ...more } };
    };
    const amd64 = describe("amd64", { platform: { os: "linux", architecture: "amd64" } });
    const arm64 = describe("arm64", { platform: { os: "linux", architecture: "arm64" } });
    const attestation = describe("statement", {
        platform: { os: "unknown", architecture: "unknown" },
        annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    });
    const children = [amd64, arm64, attestation];
    const manifests = children.map(({ manifest }) => manifest);
    const index = double.putManifest(from, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, "v1");
    return {
        index: index.digest,
        manifests: [...manifests.map(({ digest }) => digest), index.digest],
        blobs: [shared, ...children.flatMap(({ blobs }) => blobs)].map(({ digest }) => digest),
        foreign: foreign.digest,
    };
}

/** Copies what `v1` points to. */
export async function copyExample(
    source: RegistryDouble,
    target: RegistryDouble,
    client: RegistryClient,
    options: CopyOptions = {},
): Promise<CopyResult> {
    const repository = { registry: source.host, repository: from };
    const root = await client.getManifest({ ...repository, tag: "v1" });
    const destination = { client, repository: { registry: target.host, repository: to } };
    return copyImage({ client, repository, root }, destination, options);
}

/** Every byte is there, and nothing else was begun. */
export function assertCopied(
    source: RegistryDouble,
    target: RegistryDouble,
    { manifests, blobs, foreign }: Example,
): void {
    for (const digest of [...manifests, ...blobs]) {
        assert.deepEqual(target.content(to, digest), source.content(from, digest), `${digest} is in the copy`);
    }
    assert.equal(target.content(to, foreign), undefined);
    assert.deepEqual([...target.uploads], [], "no upload is left behind");
}

/** The requests that fit, as method and path. */
export function findRequests(double: RegistryDouble, pattern: RegExp): string[] {
    return double.requests.map(({ method, path }) => `${method} ${path}`).filter((line) => pattern.test(line));
}
