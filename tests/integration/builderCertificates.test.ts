import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { OutputMap } from "@pulumi/pulumi/automation";

import { BuilderCertificates, MultiArchImage, type TlsMaterial } from "../../sdk";
import { preflight } from "../../sdk/builders/preflight";
import { createBuilderCertificatesLifecycle } from "../../sdk/resources/builderCertificatesLifecycle";
import { reveal, type Properties } from "../../sdk/resources/values";
import { imageArgs, writeContext } from "../support/images";
import { createStack, type TestStack } from "../support/stack";
import { loadTools } from "../support/toolLibrary";
import type { Host } from "../support/network";
import { getWorld, type World } from "../support/world";

const dayMs = 24 * 60 * 60 * 1_000;
const serverName = "builder.internal";
// How a state that is exported with its secrets marks one of them.
const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

/** Certificates that the stack makes, on a BuildKit daemon that knows no others. */
describe("certificates of the stack's own", () => {
    let world: World;
    let host: Host;
    let stack: TestStack | undefined;
    let folder: string;
    let daemon: { address: string; stop(): Promise<unknown> } | undefined;

    before(async () => {
        world = await getWorld();
        host = await world.network.addHost("certs");
    });
    beforeEach(async () => {
        // Where the daemon keeps its files; the stack is what takes the folder away.
        stack = await createStack(world, () => program());
        folder = join(stack.folder, "daemon");
        mkdirSync(folder);
    });
    afterEach(async () => {
        await daemon?.stop();
        daemon = undefined;
        await stack?.remove();
    });

    /** Puts certificates that were made so many days ago in the place of those in the state. */
    const age = async ({ stack }: TestStack, days: number): Promise<{ client: TlsMaterial; server: TlsMaterial }> => {
        const lifecycle = createBuilderCertificatesLifecycle(() => new Date(Date.now() - days * dayMs));
        const quiet = (): void => undefined;
        const reporter = { status: quiet, info: quiet, warn: quiet };
        const context = { urn: "urn", reporter, signal: new AbortController().signal, secrets: [] };
        const made = await lifecycle.create({ serverNames: [serverName] }, context);
        const clear = reveal(made.outputs) as Properties;
        const state = await stack.exportStack();
        const deployment = state.deployment as { resources: { type: string; outputs: Properties }[] };
        const resource = deployment.resources.find(({ type }) => type === "multiarch:index:BuilderCertificates");
        assert.ok(resource);
        for (const [name, value] of Object.entries(clear)) {
            const isSecret = ["client", "server", "authorities"].includes(name);
            resource.outputs[name] = isSecret ? { ...secretMark, plaintext: JSON.stringify(value) } : value;
        }
        await stack.importStack(state);
        return clear as unknown as { client: TlsMaterial; server: TlsMaterial };
    };

    let program: () => Promise<OutputMap> = () => Promise.resolve({});

    const startDaemon = async ({ ca, cert, key }: TlsMaterial): Promise<string> => {
        const tools = await loadTools();
        const toolchain = await tools.ensureToolchain({ system: false, compile: false });
        const write = (name: string, text: string): string => {
            writeFileSync(join(folder, name), text, { mode: 0o600 });
            return join(folder, name);
        };
        await daemon?.stop();
        daemon = await tools.startBuildkitd({
            binary: toolchain.bin("buildkitd"),
            dir: folder,
            platform: "linux/amd64",
            address: `tcp://${host.address}:1234`,
            tls: { caFile: write("ca.pem", ca), certFile: write("cert.pem", cert), keyFile: write("key.pem", key) },
            registries: { [world.registry]: { caFile: world.caFile } },
            netns: host.netns,
        });
        return daemon.address;
    };
    const check = (address: string, tls: TlsMaterial) => {
        const node = { name: address, platform: "linux/amd64", address, serverName, emulation: "allow" as const };
        return preflight({ ...node, tls, property: "endpoints[0]" });
    };

    it("let an image be built, are kept as secrets, and stay the same with the next up", async () => {
        assert.ok(stack);
        const repository = world.newRepository();
        let address = "";
        program = () => {
            const certificates = new BuilderCertificates("builders", { serverNames: [serverName] });
            if (address === "") {
                return Promise.resolve({ server: certificates.server } as unknown as OutputMap);
            }
            const endpoint = { platform: "linux/amd64", address, tls: certificates.client, serverName };
            const args = imageArgs(world, repository);
            const image = new MultiArchImage("app", {
                ...args,
                platforms: ["linux/amd64"],
                builders: { endpoints: [endpoint] },
            });
            const { daysLeft } = certificates;
            return Promise.resolve({ digest: image.indexDigest, daysLeft } as unknown as OutputMap);
        };
        writeContext(stack.folder, "one");
        const first = await stack.up();
        const server = first.outputs["server"];
        assert.equal(server?.secret, true);
        address = await startDaemon(server.value as TlsMaterial);
        const { outputs, summary } = await stack.up();
        assert.match(String(outputs["digest"]?.value), /^sha256:/);
        assert.equal(outputs["daysLeft"]?.value, 89);
        assert.equal(summary.resourceChanges?.update, undefined);
        await stack.stack.refresh();
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
        const lines = (server.value as TlsMaterial).key.split("\n");
        const root = join(stack.folder, "..");
        const states = readdirSync(root, { recursive: true })
            .map(String)
            .filter((name) => name.endsWith("test.json"));
        assert.ok(states.length > 0);
        for (const state of states) {
            assert.equal(readFileSync(join(root, state), "utf8").includes(lines[1] ?? ""), false);
        }
        assert.equal(stack.output().includes(lines[1] ?? ""), false);
    });

    it("are said by preview to end soon, and renewed by the next up while builders still have the old ones", async () => {
        assert.ok(stack);
        program = () => {
            const { client, server, daysLeft } = new BuilderCertificates("builders", { serverNames: [serverName] });
            return Promise.resolve({ client, server, daysLeft } as unknown as OutputMap);
        };
        await stack.up();
        const old = await age(stack, 65);
        const address = await startDaemon(old.server);
        assert.match((await check(address, old.client)).version, /^v/);

        const preview = await stack.stack.preview();
        assert.match(preview.stdout, /warning: the certificates end in 24 days: this up renews them/);
        assert.deepEqual(preview.changeSummary, { same: 1, update: 1 });

        const { outputs, summary } = await stack.up();
        assert.equal(summary.resourceChanges?.update, 1);
        assert.equal(outputs["daysLeft"]?.value, 89);
        const [client, server] = [outputs["client"]?.value, outputs["server"]?.value] as TlsMaterial[];
        assert.ok(client && server);
        assert.notEqual(client.cert, old.client.cert);
        assert.match((await check(address, client)).version, /^v/, "a new client at a builder of before");
        await startDaemon(server);
        assert.match((await check(address, old.client)).version, /^v/, "a client of before at a new builder");
        assert.match((await check(address, client)).version, /^v/);
        assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 2 });
    });

    it("change their authority without a moment in which a builder and its users do not trust each other", async () => {
        let now = new Date();
        const inputs = { serverNames: [serverName], caValidityDays: 400 };
        const lifecycle = createBuilderCertificatesLifecycle(() => now);
        const quiet = (): void => undefined;
        const reporter = { status: quiet, info: quiet, warn: quiet };
        const context = { urn: "urn", reporter, signal: new AbortController().signal, secrets: [] };
        let outputs: Properties = {};
        const at = async (days: number): Promise<{ server: TlsMaterial; client: TlsMaterial }> => {
            now = new Date(Date.now() + days * dayMs);
            const old = { inputs, outputs };
            const answer =
                outputs["ca"] === undefined
                    ? (await lifecycle.create(inputs, context)).outputs
                    : (await lifecycle.diff(old, inputs, context)).changed
                      ? await lifecycle.update(old, inputs, context)
                      : outputs;
            outputs = reveal(answer) as Properties;
            return outputs as unknown as { server: TlsMaterial; client: TlsMaterial };
        };

        await at(-320);
        // The authority has 145 days left: the next one is trusted from now on, and the old one still signs.
        const announced = await at(-65);
        // They have 25 days left, and the next authority has been known for long enough to sign.
        const changed = await at(0);
        assert.notEqual(changed.client.cert, announced.client.cert);
        assert.equal(announced.client.ca, changed.client.ca, "both trust both");

        const address = await startDaemon(announced.server);
        assert.match((await check(address, announced.client)).version, /^v/);
        assert.match((await check(address, changed.client)).version, /^v/, "a new client at a builder of before");
        await startDaemon(changed.server);
        assert.match((await check(address, announced.client)).version, /^v/, "a client of before at a new builder");
        assert.match((await check(address, changed.client)).version, /^v/);
    });
});
