import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { runCommand } from "../../sdk/build/exec";
import { loadTools } from "../support/toolLibrary";
import { inheritedEnv } from "../support/tools";
import { getWorld, type World } from "../support/world";

interface Report {
    readonly fit: boolean;
    readonly builders: readonly {
        readonly platform: string;
        readonly fit: boolean;
        readonly native?: boolean;
        readonly notes?: readonly string[];
        readonly stages: readonly { readonly name: string; readonly ok: boolean }[];
        readonly error?: { readonly code: string };
    }[];
}

/** The program itself, with real builders behind mutual TLS, each a host of its own. */
describe("npx pulumi-multiarch doctor", () => {
    let world: World;
    let folder = "";

    before(async function () {
        this.timeout(120_000);
        world = await getWorld();
        folder = mkdtempSync(join(tmpdir(), "doctor-"));
    });

    after(() => {
        rmSync(folder, { recursive: true, force: true });
    });

    const doctor = (args: readonly string[], input = "") =>
        runCommand({
            file: process.execPath,
            args: [resolve("bin/pulumi-multiarch"), "doctor", ...args],
            env: inheritedEnv(),
            cwd: folder,
            input,
        });

    it("finds both builders fit, as a stack puts them out, and says which one is emulated", async () => {
        const builders = { endpoints: [world.builders.amd64.endpoint, world.builders.arm64.endpoint] };
        const args = ["--file", "-", "--emulation", "allow"];
        const { exitCode, stdout } = await doctor(args, JSON.stringify(builders));
        assert.equal(exitCode, 0, stdout);
        assert.match(
            stdout,
            /^ {2}ok {4}tls +\d+ ms {2}certificates end in \d+ days \(builder\) and \d+ days \(client\)$/m,
        );
        assert.match(stdout, /^ {2}ok {4}buildkit +\d+ ms {2}BuildKit v0\.31\.\d/m);
        assert.match(stdout, /^ {2}ok {4}disk +\d+ ms {2}writable$/m);
        assert.match(stdout, /^ {2}ok {4}cache +\d+\.\d GiB of 10\.0 GiB, in \d+ entr/m);
        assert.match(stdout, /^All builders are fit: 2 of 2\.$/m);
        const { isEmulated } = await loadTools();
        const emulated = ["linux/amd64", "linux/arm64"].filter((platform) => isEmulated(platform));
        const noted = [...stdout.matchAll(/note {2}builds (\S+) by emulation/g)].map(([, platform]) => platform);
        assert.deepEqual(noted, emulated);
    });

    it("takes one builder by options, with its keys from files", async () => {
        const { address, tls } = world.builders.amd64.endpoint;
        Object.entries(tls as unknown as Record<string, string>).forEach(([name, text]) => {
            writeFileSync(join(folder, `${name}.pem`), text, { mode: 0o600 });
        });
        const files = ["--ca", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];
        const one = ["--platform", "linux/amd64", "--address", address, ...files, "--emulation", "allow"];
        assert.equal((await doctor(one)).exitCode, 0);
        const wrong = await doctor([...one, "--server-name", "other.example.com"]);
        assert.equal(wrong.exitCode, 1);
        assert.match(wrong.stdout, /not for other\.example\.com \[builder-tls-name\]\n +next: Set serverName/);
    });

    it("tells what is wrong with each of several, all at once", async () => {
        const { endpoint, host } = world.builders.amd64;
        const { createAuthority, issue } = await loadTools();
        const stranger = await createAuthority("a stranger");
        const pair = await issue(stranger, { commonName: "client", usage: "client" });
        const tls = endpoint.tls as unknown as { ca: string; cert: string; key: string };
        const at = (address: string) => ({ platform: "linux/amd64", address, tls });
        const cut = await world.network.addHost("cut");
        await cut.disconnect();
        const cases: readonly [code: string, endpoint: object][] = [
            ["builder-unresolvable", at("tcp://builder.invalid:1234")],
            ["builder-refused", at(`tcp://${host.address}:1`)],
            ["builder-unreachable", at(`tcp://${cut.address}:1234`)],
            ["builder-tls-untrusted", { ...endpoint, tls: { ...tls, ca: stranger.cert } }],
            ["builder-tls-client-refused", { ...endpoint, tls: { ...tls, cert: pair.cert, key: pair.key } }],
            ["builder-tls-missing", { platform: "linux/amd64", address: endpoint.address, insecure: true }],
            ["builder-tls-name", { ...endpoint, serverName: "other.example.com" }],
            ["builder-not-buildkit", at(`tcp://${world.registry}`)],
            ["builder-wrong-platform", { ...endpoint, platform: "linux/s390x" }],
        ];
        const input = JSON.stringify({ endpoints: cases.map(([, one]) => one) });
        const begin = Date.now();
        const { exitCode, stdout } = await doctor(["--file", "-", "--json", "--emulation", "allow"], input);
        const seconds = (Date.now() - begin) / 1000;
        assert.equal(exitCode, 1);
        const { fit, builders } = JSON.parse(stdout) as Report;
        assert.equal(fit, false);
        assert.deepEqual(
            builders.map(({ error }) => error?.code),
            cases.map(([code]) => code),
        );
        assert.ok(seconds < 8, `${seconds} s`);
        assert.ok(builders.every(({ stages }) => stages.at(-1)?.ok === false));
        assert.equal(stdout.includes("PRIVATE KEY"), false);
    });
});
