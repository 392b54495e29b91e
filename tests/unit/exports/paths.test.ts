import assert from "node:assert/strict";

import { listImages } from "../../../sdk/exports/images";
import { describeNames, identify, mergeIndex, normaliseNames } from "../../../sdk/exports/layout";
import { compareDests, listTargets } from "../../../sdk/exports/targets";
import { mediaTypes, parseManifest } from "../../../sdk/registry/manifests";
import { unknownValue, type Properties } from "../../../sdk/resources/values";
import { findComponentProblems } from "../../../sdk/validation/component";
import { findImageExportProblems } from "../../../sdk/validation/imageExport";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

describe("paths of exports", () => {
    it("have the platform in them, before the extension or as a folder", () => {
        const platforms = ["linux/arm64", "linux/arm/v7"];
        const paths = (kind: "docker" | "tar" | "local" | "oci", dest: string): string[] =>
            listTargets(kind, dest, platforms).map(({ path }) => path);
        assert.deepEqual(paths("oci", "./out//app.tar"), ["out/app.tar"]);
        assert.deepEqual(paths("docker", "out/app.tar"), ["out/app-linux-arm64.tar", "out/app-linux-arm-v7.tar"]);
        assert.deepEqual(paths("tar", "/abs/app-1.2"), ["/abs/app-1.2-linux-arm64", "/abs/app-1.2-linux-arm-v7"]);
        assert.deepEqual(paths("tar", "a.tar.gz"), ["a-linux-arm64.tar.gz", "a-linux-arm-v7.tar.gz"]);
        assert.deepEqual(paths("tar", ".tar"), [".tar-linux-arm64", ".tar-linux-arm-v7"]);
        assert.deepEqual(paths("local", "../out/"), ["../out/linux_arm64", "../out/linux_arm_v7"]);
    });

    it("are never made from a platform that leads elsewhere", () => {
        for (const platform of ["../..", "linux/../x", "linux/..", "linux/", "/etc", "linux/a b", "a\\b/c", "linux"]) {
            assert.throws(() => listTargets("local", "out", [platform]), /no platform that a path can be named after/);
        }
    });

    it("are compared with what they mean", () => {
        assert.equal(compareDests("out/a", "./out//a/"), "same");
        assert.equal(compareDests("OUT/a", "out/A"), "same");
        assert.equal(compareDests("out/a", "out"), "inside");
        assert.equal(compareDests(".", "out"), "around");
        assert.equal(compareDests("out", "output"), undefined);
        assert.equal(compareDests("../out", "."), undefined);
    });

    it("are not shared by two images of one index", async () => {
        const platform = { os: "windows", architecture: "amd64" };
        const child = (letter: string) => ({
            mediaType: mediaTypes.ociManifest,
            digest: digest(letter),
            size: 1,
            platform,
        });
        const fetch = (document: object, letter: string, mediaType: string) => ({
            bytes: Buffer.from(""),
            descriptor: { mediaType, digest: digest(letter), size: 1 },
            manifest: parseManifest(
                Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document })),
                mediaType,
            ),
        });
        const config = { mediaType: "c", digest: digest("c"), size: 1 };
        const client = {
            getManifest: (reference: { digest?: string | undefined }) =>
                Promise.resolve(
                    fetch({ config, layers: [] }, reference.digest?.slice(-1) ?? "", mediaTypes.ociManifest),
                ),
            getBlobJson: () => Promise.resolve({}),
        };
        const where = { registry: "r", repository: "a" };
        const root = (letters: string[]) => fetch({ manifests: letters.map(child) }, "f", mediaTypes.ociIndex);
        await assert.rejects(listImages(client, where, root(["a", "b"])), /two images for windows\/amd64/);
        assert.equal((await listImages(client, where, root(["a", "a"]))).length, 1);
        await assert.rejects(listImages(client, where, root([])), /it has no image/);
    });
});

describe("the index of an OCI layout", () => {
    const root = (letter: string) => ({ mediaType: mediaTypes.ociIndex, digest: digest(letter), size: 1 });

    it("names the image for other tools", () => {
        assert.deepEqual(normaliseNames(["app", "example.com/a:1", "docker.io/library/app:latest"]).length, 2);
        const [entry] = describeNames(root("a"), ["example.com/a:1"]);
        assert.deepEqual(entry?.annotations, {
            "io.containerd.image.name": "example.com/a:1",
            "org.opencontainers.image.ref.name": "1",
        });
    });

    it("keeps what others have put there, and not what this export had", () => {
        const others = describeNames(root("x"), ["example.com/other:1"]);
        const old = describeNames(root("a"), ["example.com/a:1", "example.com/a:gone"]);
        const next = describeNames(root("b"), ["example.com/a:1"]);
        assert.deepEqual(mergeIndex([...others, ...old], next, old.map(identify)), [...others, ...next]);
        const unnamed = describeNames(root("a"), []);
        const later = describeNames(root("b"), []);
        assert.deepEqual(mergeIndex([...others, ...unnamed], later, unnamed.map(identify)), [...others, ...later]);
        assert.deepEqual(mergeIndex(unnamed, unnamed, []), unnamed);
        assert.deepEqual(mergeIndex(unnamed, later, []), [...unnamed, ...later], "one that is not ours stays");
    });
});

describe("inputs of exports", () => {
    const image: Properties = {
        platforms: ["linux/amd64", "linux/arm64"],
        repository: "example.com/app",
        builders: {
            endpoints: ["amd64", "arm64"].map((name) => ({ platform: `linux/${name}`, address: `unix:///${name}` })),
        },
    };
    const check = (exports: unknown, more: Properties = {}): string[] =>
        findComponentProblems({ ...image, ...more, exports }).map(({ property, reason }) => `${property}: ${reason}`);

    it("are fine beside each other, and when they are not known yet", () => {
        const all = [
            { oci: { dest: "out/oci.tar" } },
            { docker: { dest: "out/app.tar", names: ["app:1"] } },
            { tar: { dest: "out/root.tar" } },
            { local: { dest: "out/files" } },
            { oci: { dest: "out/layout", tar: false } },
            { oci: { dest: unknownValue, names: [unknownValue] } },
        ];
        assert.deepEqual(check(all), []);
        assert.deepEqual(check([{ oci: { dest: "a.tar" } }, { oci: { dest: "a.tar" }, disabled: true }]), []);
    });

    const wrong: [title: string, exports: unknown[], expected: RegExp, more?: Properties][] = [
        ["no kind", [{}], /^exports\[0\]: names no kind\. Give exactly one of oci, docker, tar, local$/],
        ["two kinds", [{ oci: { dest: "a" }, tar: { dest: "b" } }], /^exports\[0\]: names oci and tar/],
        ["no path", [{ oci: {} }], /^exports\[0\]\.oci\.dest: is required/],
        ["no path for docker", [{ docker: {} }], /^exports\[0\]\.docker\.dest: is required: no daemon.*docker load/],
        ["an empty path", [{ local: { dest: " " } }], /^exports\[0\]\.local\.dest: is empty/],
        ["the output", [{ tar: { dest: "-" } }], /^exports\[0\]\.tar\.dest: is a file, and there is no output/],
        ["a folder for a file", [{ oci: { dest: "out/" } }], /^exports\[0\]\.oci\.dest: "out\/" is a folder/],
        ["a name that is none", [{ oci: { dest: "a.tar", names: ["A b"] } }], /^exports\[0\]\.oci\.names\[0\]: /],
        [
            "the same path",
            [{ oci: { dest: "a.tar" } }, { tar: { dest: "./A.tar" } }],
            /^exports\[1\]\.tar\.dest: is the same path as exports\[0\]\.oci\.dest/,
        ],
        [
            "a path inside",
            [{ local: { dest: "out" } }, { oci: { dest: "out/a.tar" } }],
            /^exports\[1\]\.oci\.dest: lies inside exports\[0\]\.local/,
        ],
        [
            "a path made of a platform",
            [{ docker: { dest: "a.tar" } }, { oci: { dest: "a-linux-arm64.tar" } }],
            /^exports\[1\]\.oci\.dest: is the same path as exports\[0\]/,
        ],
        ["a push", [{ registry: { names: ["a"] } }], /^exports\[0\]\.registry: is not needed: repository and tags say/],
        ["an image", [{ image: {} }], /^exports\[0\]\.image: is not needed: repository and tags say/],
        ["no files at all", [{ cacheonly: {} }], /^exports\[0\]\.cacheonly: is not needed: push: false/],
        [
            "a compression",
            [{ oci: { dest: "a.tar", compression: "zstd" } }],
            /^exports\[0\]\.oci\.compression: .*byte for byte/,
        ],
        [
            "nothing pushed",
            [{ oci: { dest: "a.tar" } }],
            /^exports\[0\]: is read from the registry, and push is false/,
            { push: false },
        ],
    ];
    for (const [title, exports, expected, more] of wrong) {
        it(`are refused with ${title}`, () => {
            const problems = check(exports, more);
            assert.equal(problems.length, 1, problems.join("\n"));
            assert.match(problems[0] ?? "", expected);
        });
    }

    it("of a resource of its own are checked too", () => {
        const source = `example.com/app@${digest("a")}`;
        const problems = (inputs: Properties): string[] =>
            findImageExportProblems(inputs).map(({ property }) => property);
        assert.deepEqual(problems({ source, local: { dest: "out" } }), []);
        assert.deepEqual(problems({ source: "example.com/app", oci: { dest: "out/" }, names: ["A b"] }), [
            "source",
            "oci.dest",
            "names[0]",
        ]);
        assert.deepEqual(problems({ source }), ["oci"]);
    });
});
