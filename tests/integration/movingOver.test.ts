import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { buildFlags } from "../../sdk/cli/convert/flags";
import { createBuilders, prepareMigration, type Migration } from "../support/migration";
import { viewRegistry, type RegistryView } from "../support/registryView";
import { runTool } from "../support/tools";
import { getWorld, type World } from "../support/world";

const platforms = ["linux/amd64", "linux/arm64"];

/** What docs/migrate says, run: before and after push to the same registry, on the same builders. */
describe("moving over", () => {
    let world: World;
    let view: RegistryView;
    let migration: Migration;

    before(async () => {
        world = await getWorld();
        view = viewRegistry(world);
        migration = await prepareMigration(world);
    });

    after(() => migration.remove());

    /** What an image is, for each platform: the layers before compression, and the labels. */
    async function describeImage(reference: string): Promise<unknown[]> {
        const index = await view.manifest(reference);
        const repository = reference.slice(0, reference.lastIndexOf(":"));
        const described = index.manifests
            .filter(({ platform }) => platform.os !== "unknown")
            .map(async ({ digest, platform }) => {
                const { config, rootfs } = await view.config(`${repository}@${digest}`);
                const { Labels } = config as { Labels: unknown };
                return { platform: `${platform.os}/${platform.architecture}`, Labels, rootfs };
            });
        return Promise.all(described);
    }

    it("from a buildx script: the converted program pushes the image that the script pushes", async () => {
        const { env, certificates, settings, folder } = migration;
        const repository = world.newRepository();
        const before = join(folder, "buildx-script", "before");
        const variables = { REPOSITORY: repository, VERSION: "1.0", CERTS: certificates };
        const addresses = {
            AMD64_BUILDER: settings["amd64Builder"] ?? "",
            ARM64_BUILDER: settings["arm64Builder"] ?? "",
        };
        await runTool("sh", ["build.sh"], { cwd: before, env: { ...env, ...variables, ...addresses } });
        const old = await describeImage(`${repository}:1.0`);

        const program = join(folder, "buildx-script", "after");
        const stack = await migration.openStack(program, { ...settings, repository, version: "1.1" });
        const { outputs } = await stack.up();
        assert.equal(await view.digestOf(`${repository}:latest`), outputs["indexDigest"]?.value);
        const written = await describeImage(`${repository}:1.1`);
        assert.deepEqual(written, JSON.parse(JSON.stringify(old).replaceAll('"1.0"', '"1.1"')));
        assert.equal(written.length, 2);
        assert.deepEqual((await describeImage(`${repository}:1.0`)).length, 2, "what the script pushed is still there");
    });

    it("from docker_build.Image and Index: the program pushes the same image under the same tag", async () => {
        await createBuilders(world, migration);
        const { settings, folder } = migration;
        const repository = world.newRepository();
        const { registry = "", username = "", password = "" } = settings;
        const before = await migration.openStack(join(folder, "docker-build", "before"), {
            ...{ registry, username, password, repository },
        });
        await before.up();
        const old = await describeImage(`${repository}:1.0`);

        const program = join(folder, "docker-build", "after");
        const stack = await migration.openStack(program, { ...settings, repository });
        const { outputs } = await stack.up();
        assert.deepEqual(await describeImage(`${repository}:1.0`), old);
        assert.deepEqual(
            (old as { platform: string }[]).map(({ platform }) => platform),
            platforms,
        );
        const digest = (await view.digestOf(`${repository}:1.0`)) ?? "";
        assert.equal(outputs["ref"]?.value, `${repository}@${digest}`);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });

        // As docs/migrate/docker-build.md says: then the old stack can go, and takes nothing along.
        for (const name of ["amd64", "arm64"]) {
            const urn = `urn:pulumi:${before.name}::site::docker-build:index:Image::${name}`;
            const args = ["state", "delete", "--yes", "--target-dependents", "--stack", before.name, urn];
            await runTool("pulumi", args, { env: { ...migration.env }, cwd: before.workspace.workDir });
        }
        assert.deepEqual((await before.destroy()).summary.resourceChanges, { delete: 1 }, "only the stack itself");
        assert.equal(await view.digestOf(`${repository}:1.0`), digest);
    });

    it("from a matrix of build-push-action: one program does what matrix and merge did", async () => {
        const { settings, folder } = migration;
        const stack = await migration.openStack(join(folder, "build-push-action", "after"), settings);
        stack.workspace.envVars = { ...stack.workspace.envVars, GITHUB_SHA: "0123456789abcdef" };
        const { outputs } = await stack.up();
        const repository = `${world.registry}/team/site`;
        assert.deepEqual(outputs["tagRefs"]?.value, [`${repository}:1.0`, `${repository}:sha-0123456`]);
        const [first] = (await describeImage(`${repository}:1.0`)) as { Labels: object }[];
        const labels = { "org.opencontainers.image.title": "site", "org.opencontainers.image.version": "1.0" };
        assert.deepEqual(first?.Labels, labels);
        const seen = await view.inspect(`${repository}:sha-0123456`, join(folder, "..", "view"));
        assert.deepEqual(seen.platforms, platforms);
    });

    it("from a bake file: the program written in YAML runs, by the command that users have", async () => {
        const { env, settings, folder } = migration;
        const repository = world.newRepository();
        const program = join(folder, "bake");
        mkdirSync(program);
        writeFileSync(
            join(program, "docker-bake.hcl"),
            `variable "VERSION" { default = "2.0" }
             target "site" {
                 context = "../app"
                 args = { VERSION = VERSION }
                 platforms = ["linux/amd64", "linux/arm64"]
                 tags = ["${repository}:\${VERSION}"]
                 output = ["type=registry"]
                 attest = ["type=provenance,disabled=true"]
             }`,
        );
        const cli = join(folder, "node_modules", "pulumi-multiarch", "bin", "pulumi-multiarch");
        const bake = ["--bake", "docker-bake.hcl", "--target", "site", "--language", "yaml", "--out", "Pulumi.yaml"];
        execFileSync(process.execPath, [cli, "convert", ...bake], { cwd: program, env, stdio: "pipe" });
        const { registry: _, username: __, password: ___, ...builders } = settings;
        const { outputs } = await (await migration.openStack(program, builders)).up();
        assert.equal(outputs["indexDigest"]?.value, await view.digestOf(`${repository}:2.0`));
    });

    it("knows every option that buildx build --help shows, and which of them need no value", async () => {
        const help = await runTool("buildx", ["build", "--help"]);
        const shown = [...help.matchAll(/^ {2,}(?:-(\w), )?--([a-z-]+)(?: (\w+))? {2,}/gm)].map(
            ([, short, name, type]) => ({ name, short, isSwitch: type === undefined }),
        );
        assert.ok(shown.length > 35);
        const known = buildFlags
            .filter(({ hidden }) => hidden !== true)
            .map(({ name, short, takes }) => ({ name, short, isSwitch: takes === "switch" }));
        const byName = (one: { name: string | undefined }, other: { name: string | undefined }): number => {
            return (one.name ?? "").localeCompare(other.name ?? "");
        };
        assert.deepEqual(known.sort(byName), shown.sort(byName));
    });
});
