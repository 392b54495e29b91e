import assert from "node:assert/strict";
import { hostname } from "node:os";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { imageArgs, writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { viewRegistry, type RegistryView } from "../support/registryView";
import { createStack, type TestStack } from "../support/stack";
import { runTool } from "../support/tools";
import { getWorld, type World } from "../support/world";

const generatorFolder = join(__dirname, "..", "fixtures", "sbomGenerator");

const mounted = "m0unted-S3cret-value";

const dockerfile = [
    "FROM alpine:latest AS run",
    "COPY content.txt /",
    "RUN --mount=type=secret,id=mounted test -s /run/secrets/mounted",
    "FROM scratch",
    "ARG MODE",
    "COPY --from=run /content.txt /",
].join("\n");

interface Statement {
    readonly predicateType: string;
    readonly subject: { digest: { sha256: string } }[];
    readonly predicate: Record<string, unknown>;
}

/**
 * Provenance and a list of contents, made by the builders and kept in the index. The generator is a small one of ours,
 * itself an image for both platforms; how BuildKit runs it is the real thing.
 */
describe("an image with attestations", () => {
    let world: World;
    let view: RegistryView;
    let stack: TestStack;
    let repository: string;
    let copy: string;
    let args: Partial<MultiArchImageArgs>;

    before(async () => {
        world = await getWorld();
        view = viewRegistry(world);
        repository = world.newRepository();
        copy = world.newRepository();
        const generators = world.newRepository();
        stack = await createStack(world, () => {
            const context = { location: "./generator" };
            const generator = new MultiArchImage("generator", { ...imageArgs(world, generators), context });
            const image = new MultiArchImage("app", {
                ...imageArgs(world, repository),
                attestations: { provenance: "max", sbom: true, sbomGenerator: generator.ref },
                buildArgs: { MODE: "release" },
                secrets: { mounted },
                additionalRepositories: [copy],
                ...args,
            });
            const { indexDigest, platformDigests, manifestDigests, attestationDigests } = image;
            return Promise.resolve({ indexDigest, platformDigests, manifestDigests, attestationDigests });
        });
        cpSync(generatorFolder, join(stack.folder, "generator"), { recursive: true });
        writeContext(stack.folder, "one", dockerfile);
    });

    after(() => stack.remove());

    const readStatements = async (digest: string): Promise<Statement[]> => {
        const { layers = [] } = await view.manifest(`${repository}@${digest}`);
        const blobs = view.blobs(repository);
        return layers.map((layer) => JSON.parse(blobs.get(layer.digest)?.toString() ?? "") as Statement);
    };

    it("lists them in its index beside each platform, and names the plain images apart", async () => {
        args = {};
        const { outputs } = await stack.up();
        const index = String(outputs["indexDigest"]?.value);
        const platforms = outputs["platformDigests"]?.value as Record<string, string>;
        const images = outputs["manifestDigests"]?.value as Record<string, string>;
        const attestations = outputs["attestationDigests"]?.value as Record<string, string[]>;
        const { manifests } = await view.manifest(`${repository}:latest`);
        assert.deepEqual(
            manifests.map(({ digest, annotations }) => [digest, annotations?.["vnd.docker.reference.digest"]]),
            ["linux/amd64", "linux/arm64"].flatMap((platform) => [
                [images[platform], undefined],
                [attestations[platform]?.[0], images[platform]],
            ]),
        );
        for (const architecture of ["amd64", "arm64"]) {
            const platform = `linux/${architecture}`;
            const image = images[platform] ?? "";
            assert.equal((await view.config(`${repository}@${image}`))["architecture"], architecture);
            assert.notEqual(platforms[platform], image, "what was pushed is an index of its own");
            const [sbom, provenance, ...others] = (await readStatements(attestations[platform]?.[0] ?? "")).sort(
                (one, other) => (one.predicateType > other.predicateType ? -1 : 1),
            );
            assert.deepEqual(others, []);
            assert.equal(sbom?.predicateType, "https://spdx.dev/Document");
            assert.deepEqual(
                (sbom.predicate["packages"] as { name: string }[]).map(({ name }) => name),
                ["content.txt"],
            );
            assert.match(provenance?.predicateType ?? "", /^https:\/\/slsa\.dev\/provenance\//);
            assert.equal(`sha256:${provenance?.subject[0]?.digest.sha256}`, image);
            const told = JSON.stringify(provenance?.predicate);
            assert.match(told, /"build-arg:MODE":"release"/);
            assert.ok(told.includes('"mounted"'), "the id of a secret");
            assert.equal(told.includes(mounted) || told.includes(Buffer.from(mounted).toString("base64")), false);
        }
        const whole = [index, ...Object.values(images), ...Object.values(attestations).flat()].sort();
        assert.deepEqual(view.pushedManifests(copy).sort(), whole, "a copy has them too");
    });

    it("shows them to buildx", async () => {
        const folder = join(stack.folder, "..", "docker");
        mkdirSync(folder, { recursive: true });
        const auth = Buffer.from(`${world.username}:${world.password}`).toString("base64");
        writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [world.registry]: { auth } } }));
        const env = { DOCKER_CONFIG: folder, SSL_CERT_FILE: world.caFile };
        const inspect = async (field: string): Promise<Record<string, object>> => {
            const command = ["imagetools", "inspect", "--format", `{{json .${field}}}`, `${repository}:latest`];
            return JSON.parse(await runTool("buildx", command, { env })) as Record<string, object>;
        };
        const both = ["linux/amd64", "linux/arm64"];
        assert.deepEqual(Object.keys(await inspect("Provenance")).sort(), both);
        const sboms = await inspect("SBOM");
        assert.deepEqual(Object.keys(sboms).sort(), both);
        assert.match(JSON.stringify(sboms["linux/arm64"]), /"content\.txt"/);
    });

    it("changes nothing while nothing changes, and lacks something when an attestation is lost", async () => {
        const first = await stack.up();
        assert.deepEqual(first.summary.resourceChanges, { same: 10 });
        await stack.stack.refresh({ expectNoChanges: true });
        const [lost = ""] =
            (first.outputs["attestationDigests"]?.value as Record<string, string[]>)["linux/arm64"] ?? [];
        await view.deleteManifest(`${repository}@${lost}`);

        await stack.stack.refresh();
        const { summary, outputs } = await stack.up();
        assert.equal(summary.resourceChanges?.create, 1, "one platform is built again");
        const { manifests } = await view.manifest(`${repository}:latest`);
        const listed = (outputs["attestationDigests"]?.value as Record<string, string[]>)["linux/arm64"] ?? [];
        assert.deepEqual(
            manifests
                .slice(2)
                .map(({ digest }) => digest)
                .slice(1),
            listed,
        );
        assert.notDeepEqual(listed, [lost]);
    });
});

const token = "tok-pr0venance-S3cret";
const argument = "arg-pr0venance-S3cret";

/** Rule 7 in what is published on purpose. */
describe("a provenance", () => {
    const stack = useImageStack(() => ({
        platforms: ["linux/amd64"],
        secrets: { token },
        buildArgs: { KEY: pulumi.secret(argument), MODE: "plain-argument" },
    }));

    it("that would publish a secret is refused before the build, and the smaller one holds none", async () => {
        const steps = ["FROM alpine:latest", "ARG KEY MODE", "COPY content.txt /", "FROM scratch", "COPY Dockerfile /"];
        writeContext(stack.folder, "one", steps.join("\n"));
        const given = stack.args;
        stack.args = { ...given, attestations: { provenance: "max" } };
        const printed = await stack.upFails();
        assert.match(printed, /attestations\.provenance: .*max would publish the secret build argument KEY/);
        assert.equal(printed.includes(argument), false);
        assert.deepEqual(stack.view.pushedManifests(stack.repository), []);

        stack.args = { ...given, attestations: { provenance: "min" } };
        const { outputs } = await stack.up();
        const blobs = stack.view.blobs(stack.repository);
        const provenance = [...blobs.values()].filter((blob) => blob.includes("https://slsa.dev/provenance/"));
        assert.ok(provenance.length > 0, "there is one");
        const basic = Buffer.from(`${stack.world.username}:${stack.world.password}`).toString("base64");
        const hidden = [token, argument, stack.world.password, basic, hostname(), stack.folder, "plain-argument"];
        for (const [digest, blob] of blobs) {
            for (const text of hidden) {
                assert.equal(blob.includes(text), false, `${digest} holds ${text.slice(0, 6)}...`);
            }
        }
        const before = String(outputs["indexDigest"]?.value);
        stack.args = { ...given, attestations: { provenance: "none" } };
        const { outputs: bare } = await stack.up();
        assert.notEqual(bare["indexDigest"]?.value, before);
        assert.deepEqual(
            bare["platformDigests"]?.value,
            bare["manifestDigests"]?.value,
            "one image, and nothing beside it",
        );
    });
});
