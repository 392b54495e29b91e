import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";

import { writeContext } from "../support/images";
import { installPackage } from "../support/installedPackage";
import { viewRegistry } from "../support/registryView";
import { stackEnv } from "../support/stack";
import { getWorld, type World } from "../support/world";

const repositoryRoot = join(__dirname, "..", "..");

/** A program in another language than TypeScript: it reaches the component through the plugin. */
describe("a MultiArchImage in a YAML program", () => {
    let world: World;
    let repository: string;
    let root: string;
    let folder: string;
    let stack: Stack;

    before(async () => {
        world = await getWorld();
    });

    beforeEach(async () => {
        repository = world.newRepository();
        root = mkdtempSync(join(tmpdir(), "multiarch-yaml-"));
        const [state, home] = [join(root, "state"), join(root, "home")];
        folder = join(root, "program");
        [state, home, folder].forEach((path) => mkdirSync(path));
        writeContext(folder, "one");
        writeProgram({});
        stack = await LocalWorkspace.createOrSelectStack(
            { stackName: "test", workDir: folder },
            { envVars: stackEnv(world, state, home) },
        );
        await stack.setConfig("password", { value: world.password, secret: true });
        const { ca, cert, key } = await world.issueClient();
        await stack.setConfig("ca", { value: ca });
        await stack.setConfig("cert", { value: cert });
        await stack.setConfig("key", { value: key, secret: true });
    });

    afterEach(async () => {
        await stack.destroy();
        rmSync(root, { recursive: true, force: true });
    });

    /** JSON is YAML: a program needs no library to be written. */
    function writeProgram(change: object): void {
        const { amd64, arm64 } = world.builders;
        const tls = { ca: "${ca}", cert: "${cert}", key: "${key}" };
        const properties = {
            context: { location: "./app" },
            platforms: ["linux/amd64", "linux/arm64"],
            repository,
            tags: ["from-yaml"],
            registries: [{ address: world.registry, username: world.username, password: "${password}" }],
            builders: {
                endpoints: [amd64, arm64].map(({ endpoint: { platform, address } }) => ({ platform, address, tls })),
            },
            emulation: "allow",
            ...change,
        };
        const text = { type: "String" };
        const program = {
            name: "yaml",
            runtime: "yaml",
            plugins: { providers: [{ name: "multiarch", path: join(repositoryRoot, "bin") }] },
            configuration: {
                password: { ...text, secret: true },
                ca: text,
                cert: text,
                key: { ...text, secret: true },
            },
            resources: { app: { type: "multiarch:MultiArchImage", properties } },
            outputs: {
                indexDigest: "${app.indexDigest}",
                platformDigests: "${app.platformDigests}",
                builds: "${app.builds}",
            },
        };
        writeJson(join(folder, "Pulumi.yaml"), program);
    }

    it("gives the outputs of the component, none of them a secret, and then shows no changes", async () => {
        const { outputs } = await stack.up();
        const view = viewRegistry(world);
        assert.equal(outputs["indexDigest"]?.value, await view.digestOf(`${repository}:from-yaml`));
        assert.equal(outputs["indexDigest"]?.secret, false);
        assert.deepEqual(Object.keys(outputs["platformDigests"]?.value as object), ["linux/amd64", "linux/arm64"]);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        const state = readFileSync(join(root, "state", ".pulumi", "stacks", "yaml", "test.json"), "utf8");
        assert.equal(state.includes(world.password), false);
        const { registry: address, username } = world;
        const { checkpoint } = JSON.parse(state) as { checkpoint: { latest: { resources: Resource[] } } };
        for (const type of ["MultiArchImage", "PlatformImage"]) {
            const { inputs } = checkpoint.latest.resources.find((one) => one.type === `multiarch:index:${type}`) ?? {};
            const [account] = inputs?.["registries"] as object[];
            const { password: _, ...readable } = account as Record<string, unknown>;
            assert.deepEqual(readable, { address, username }, "what stands beside a secret is none");
        }
    });

    it("builds with docker-build too, whose hooks run in the plugin", async () => {
        writeProgram({ engine: "docker-build" });
        const { outputs } = await stack.up();
        assert.equal(outputs["indexDigest"]?.value, await viewRegistry(world).digestOf(`${repository}:from-yaml`));
        const home = readdirSync(join(root, "home"), { recursive: true }).map(String);
        assert.deepEqual(
            home.filter((name) => name.includes("buildx")),
            [],
        );
    });

    it("names each wrong property, all of them at once", async () => {
        const key = { "fn::secret": "made-secret-in-the-program" };
        const endpoint = { platform: "linux/amd64", address: "unix:///x", tls: { ca: "ca", cert: "cert", key } };
        const wrong = { platforms: ["linux/amd64", "linux/bad"], tags: ["a b"], cache: { registry: {}, inline: {} } };
        writeProgram({ ...wrong, builders: { endpoints: [endpoint] } });
        const printed = await stack.up().then(
            () => assert.fail("up should have failed"),
            (error: unknown) => String(error),
        );
        for (const property of ["platforms[1]", "tags[0]", "cache", "builders.endpoints[0].tls"]) {
            assert.ok(printed.includes(property), `${property} is named in ${printed}`);
        }
        assert.equal(printed.includes("made-secret-in-the-program"), false, "the value beside a path is not printed");
        assert.deepEqual(viewRegistry(world).pushedManifests(repository), []);
    });
});

/** A TypeScript program under the language host, with the package installed as for users. */
describe("a MultiArchImage in a TypeScript program of its own", () => {
    let world: World;
    let root: string;
    let stack: Stack;

    before(async () => {
        world = await getWorld();
        root = mkdtempSync(join(tmpdir(), "multiarch-ts-"));
    });

    after(async () => {
        await stack.destroy();
        rmSync(root, { recursive: true, force: true });
    });

    it("runs from the installed package, and finds the plugin inside it", async () => {
        const repository = world.newRepository();
        const [state, home, folder] = [join(root, "state"), join(root, "home"), join(root, "program")];
        [state, home, folder].forEach((path) => mkdirSync(path));
        installPackage(join(folder, "node_modules"));
        writeContext(folder, "one");
        const provider = { name: "multiarch", path: "node_modules/pulumi-multiarch/bin" };
        writeJson(join(folder, "Pulumi.yaml"), { name: "ts", runtime: "nodejs", plugins: { providers: [provider] } });
        writeJson(join(folder, "package.json"), { name: "program", main: "index.ts" });
        writeJson(join(folder, "tsconfig.json"), { compilerOptions: { strict: true, module: "commonjs" } });
        const { address, tls } = world.builders.amd64.endpoint;
        const account = { address: world.registry, username: world.username };
        writeFileSync(
            join(folder, "index.ts"),
            `import * as pulumi from "@pulumi/pulumi";
             import { MultiArchImage } from "pulumi-multiarch";
             const config = new pulumi.Config();
             const tls = config.requireSecretObject<{ ca: string; cert: string; key: string }>("tls");
             const image = new MultiArchImage("app", {
                 context: { location: "./app" },
                 platforms: ["linux/amd64"],
                 repository: ${JSON.stringify(repository)},
                 registries: [{ ...${JSON.stringify(account)}, password: config.requireSecret("password") }],
                 builders: { endpoints: [{ platform: "linux/amd64", address: ${JSON.stringify(address)}, tls }] },
                 emulation: "allow",
             });
             export const { indexDigest } = image;`,
        );
        const env = { ...stackEnv(world, state, home), PATH: process.env["PATH"] ?? "" };
        stack = await LocalWorkspace.createOrSelectStack({ stackName: "test", workDir: folder }, { envVars: env });
        await stack.setConfig("password", { value: world.password, secret: true });
        await stack.setConfig("tls", { value: JSON.stringify(tls), secret: true });
        const { outputs } = await stack.up();
        assert.equal(outputs["indexDigest"]?.value, await viewRegistry(world).digestOf(`${repository}:latest`));
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 4 });
    });
});

interface Resource {
    readonly type: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
}

function writeJson(path: string, value: object): void {
    writeFileSync(path, JSON.stringify(value));
}
