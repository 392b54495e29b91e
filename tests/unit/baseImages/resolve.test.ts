import assert from "node:assert/strict";
import { resolveBaseImages } from "../../../sdk/baseImages/resolve";
import { trackBaseImages } from "../../../sdk/baseImages/track";
import { mediaTypes } from "../../../sdk/registry/manifests";
import { assertFails, useRegistryStage } from "../../support/registryClient";
import type { RegistryDouble } from "../../support/registryDouble";

type StoredContent = ReturnType<RegistryDouble["putManifest"]>;

const amd64 = "linux/amd64";
const arm64 = "linux/arm64";

function pushImage(double: RegistryDouble, content: string, tag?: string): StoredContent {
    const config = { ...double.putBlob("base", content), mediaType: "application/vnd.oci.image.config.v1+json" };
    return double.putManifest("base", { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }, tag);
}

/** Points a tag to an index of images with these contents. */
function pushIndex(double: RegistryDouble, contents: Readonly<Record<string, string>>, tag = "1") {
    const images = Object.entries(contents).map(([platform, content]): [string, StoredContent] => {
        return [platform, pushImage(double, content)];
    });
    const manifests = images.map(([platform, image]) => {
        const [os, architecture] = platform.split("/");
        return { ...image, platform: { os, architecture } };
    });
    const index = double.putManifest(
        "base",
        { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: { double: double.host } },
        tag,
    );
    const digests = Object.fromEntries(images.map(([platform, { digest }]) => [platform, digest]));
    return { digest: index.digest, digests };
}

describe("what a base image points to", () => {
    const stage = useRegistryStage();

    it("is the manifest for the platform, so that other platforms do not count", async () => {
        const double = await stage.double();
        const client = stage.client();
        const ref = `${double.host}/base:1`;
        const resolve = (platform: string) => resolveBaseImages([{ ref, platform }], client);
        const before = pushIndex(double, { [amd64]: "a", [arm64]: "b" });
        assert.deepEqual(await resolve(amd64), [{ ref, platform: amd64, digest: before.digests[amd64] }]);
        assert.deepEqual(await resolve(arm64), [{ ref, platform: arm64, digest: before.digests[arm64] }]);

        const after = pushIndex(double, { [amd64]: "a", [arm64]: "new" });
        assert.notEqual(after.digest, before.digest);
        assert.deepEqual(await resolve(amd64), [{ ref, platform: amd64, digest: before.digests[amd64] }]);
        assert.deepEqual(await resolve(arm64), [{ ref, platform: arm64, digest: after.digests[arm64] }]);
        assert.notEqual(after.digests[arm64], before.digests[arm64]);
    });

    it("is the index where it holds nothing for the platform", async () => {
        const double = await stage.double();
        const { digest } = pushIndex(double, { "windows/amd64": "a" });
        const image = { ref: `${double.host}/base:1`, platform: arm64 };
        assert.deepEqual(await resolveBaseImages([image], stage.client()), [{ ...image, digest }]);
    });

    it("is the image where there is no index, and asking does not count as a pull", async () => {
        const double = await stage.double();
        const { digest } = pushImage(double, "a", "1");
        const image = { ref: `${double.host}/base:1`, platform: arm64 };
        assert.deepEqual(await resolveBaseImages([image], stage.client()), [{ ...image, digest }]);
        assert.deepEqual(
            double.requests.map(({ method }) => method),
            ["HEAD"],
        );
    });

    it("is the digest in the reference, without asking", async () => {
        const double = await stage.double();
        const digest = `sha256:${"a".repeat(64)}`;
        const image = { ref: `${double.host}/base:1@${digest}`, platform: arm64 };
        assert.deepEqual(await resolveBaseImages([image], stage.client()), [{ ...image, digest }]);
        assert.deepEqual(double.requests, []);
    });

    it("is asked for once for all platforms, and the index read once for all calls", async () => {
        const double = await stage.double();
        const { digests } = pushIndex(double, { [amd64]: "a", [arm64]: "b" });
        const ref = `${double.host}/base:1`;
        const client = stage.client();
        const images = [amd64, arm64].map((platform) => ({ ref, platform }));
        const resolved = await resolveBaseImages(images, client);
        assert.deepEqual(
            resolved.map(({ digest }) => digest),
            [digests[amd64], digests[arm64]],
        );
        await resolveBaseImages(images, client);
        assert.deepEqual(
            double.requests.map(({ method }) => method),
            ["HEAD", "GET", "HEAD"],
        );
    });

    it("is found for many images, of which four at most are asked for at once", async () => {
        let running = 0;
        let most = 0;
        const client = {
            headManifest: async ({ tag = "" }) => {
                running += 1;
                most = Math.max(most, running);
                await new Promise((resolve) => setTimeout(resolve, 5));
                running -= 1;
                return { mediaType: mediaTypes.ociManifest, digest: `sha256:${tag}`, size: 1 };
            },
            getManifest: () => assert.fail("an image has no index to read"),
        };
        const images = Array.from({ length: 20 }, (_, index) => ({ ref: `base:${index}`, platform: amd64 }));
        const resolved = await resolveBaseImages(images, client);
        assert.deepEqual(
            resolved.map(({ digest }) => digest),
            images.map((_, index) => `sha256:${index}`),
        );
        assert.equal(most, 4);
    });
});

describe("a base image that cannot be read", () => {
    const stage = useRegistryStage();
    const faults = [
        [401, "registry-unauthorized", /Give an account/],
        [403, "registry-forbidden", /right to pull/],
        [429, "registry-rate-limited", /Wait/],
        [500, "registry-broken", /state of the registry/],
    ] as const;
    for (const [status, code, next] of faults) {
        it(`is named, with the reason of the registry: HTTP ${status}`, async () => {
            const double = await stage.double();
            pushIndex(double, { [amd64]: "a" });
            double.failNext({ request: /manifests/, times: 10, answer: { status } });
            const ref = `${double.host}/base:1`;
            const call = resolveBaseImages([{ ref, platform: amd64 }], stage.client());
            await assertFails(call, code, new RegExp(`^the base image ${ref} cannot be read`), next);
        });
    }

    it("is named when it is not there, also when others are", async () => {
        const double = await stage.double();
        pushImage(double, "a", "1");
        const images = ["1", "2", "3"].map((tag) => ({ ref: `${double.host}/base:${tag}`, platform: amd64 }));
        const call = resolveBaseImages(images, stage.client());
        await assertFails(call, "registry-not-found", /base:2 cannot be read: .*no such image/, /in the Dockerfile/);
    });
});

describe("tracking base images", () => {
    const stage = useRegistryStage();

    it("gives the digest of each, with the platform where it is another one", async () => {
        const double = await stage.double();
        const { digests } = pushIndex(double, { [amd64]: "a", [arm64]: "b" });
        const plain = pushImage(double, "c", "plain");
        const base = `${double.host}/base`;
        const tracked = await trackBaseImages({
            dockerfileText: [
                `ARG TAG=none`,
                `FROM --platform=$BUILDPLATFORM ${base}:$TAG AS build`,
                `FROM ${base}:$TAG`,
                "COPY --from=build / /",
                "COPY --from=tools / /",
                "COPY --from=$X / /",
            ].join("\n"),
            buildArgs: { TAG: "1" },
            platform: arm64,
            buildPlatform: amd64,
            namedContexts: { tools: { location: `docker-image://${base}:plain` } },
            client: stage.client(),
        });
        assert.deepEqual(tracked.digests, {
            [`${base}:1`]: digests[arm64],
            [`${base}:1 (${amd64})`]: digests[amd64],
            [`${base}:plain`]: plain.digest,
        });
        assert.deepEqual(
            tracked.unresolved.map(({ text }) => text),
            ["COPY --from=$X"],
        );
    });

    it("makes a client of its own, with the accounts that are given", async () => {
        const double = await stage.double({ auth: "basic" });
        const { digest } = pushImage(double, "a", "1");
        const request = { dockerfileText: `FROM ${double.host}/base:1`, platform: amd64 };
        const registries = [{ address: double.host, username: "user", password: "hunter2" }];
        const tracked = await trackBaseImages({ ...request, registries });
        assert.deepEqual(tracked, { digests: { [`${double.host}/base:1`]: digest }, unresolved: [] });
        const wrong = [{ address: double.host, username: "user", password: "wrong" }];
        await assertFails(trackBaseImages({ ...request, registries: wrong }), "registry-unauthorized");
    });

    it("ends with its signal", async () => {
        const double = await stage.double();
        pushImage(double, "a", "1");
        const signal = AbortSignal.abort();
        const call = trackBaseImages({ dockerfileText: `FROM ${double.host}/base:1`, platform: amd64, signal });
        await assertFails(call, "build-cancelled");
    });
});
