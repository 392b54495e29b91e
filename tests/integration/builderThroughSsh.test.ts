import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { delimiter } from "node:path";

import type { BuildReport } from "../../sdk";
import { defaultFolderBase } from "../../sdk/build/privateFolder";
import type { BuilderNode } from "../../sdk/builders/node";
import { preflight, type Stage } from "../../sdk/builders/preflight";
import { MultiArchError, type ErrorCode } from "../../sdk/errors";
import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { listProcesses } from "../support/processes";
import { startSshHost, type SshHost } from "../support/sshHost";
import { getWorld, type World } from "../support/world";

/** A builder behind a real sshd, on a host of its own. On arm64 its platform is emulated. */
describe("a builder behind ssh", () => {
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));
    const ownPath = process.env["PATH"] ?? "";
    let world: World;
    let host: SshHost;

    before(async () => {
        world = await getWorld();
        host = await startSshHost(world, "ssh");
        process.env["PATH"] = `${host.path}${delimiter}${ownPath}`;
    });

    after(async () => {
        process.env["PATH"] = ownPath;
        await host.remove();
    });

    afterEach(() => {
        host.configure();
        host.setBuildctl(true);
    });

    const nodeAt = (address: string): BuilderNode => ({
        name: address,
        platform: "linux/amd64",
        address,
        emulation: "allow",
        property: "builders.endpoints[0]",
    });

    async function refusal(code: ErrorCode, text: RegExp, address = host.address): Promise<void> {
        const begin = Date.now();
        await assert.rejects(preflight(nodeAt(address)), (error) => {
            assert.ok(error instanceof MultiArchError, String(error));
            assert.equal(error.code, code, error.message);
            assert.match(error.message, text);
            assert.equal(error.fields.property, "builders.endpoints[0].address");
            return true;
        });
        const seconds = (Date.now() - begin) / 1000;
        assert.ok(seconds < 6, `${seconds} s`);
    }

    it("is asked as directly as any other: version, platform, disk", async () => {
        const stages: Stage[] = [];
        const facts = await preflight(nodeAt(host.address), { onStage: (stage) => stages.push(stage) });
        assert.match(facts.version, /^v0\.31\./);
        assert.deepEqual(
            stages.map(({ name, detail }) => [name, name === "disk" ? detail : ""]),
            [
                ["program", ""],
                ["buildkit", ""],
                ["platform", ""],
                ["disk", "writable"],
            ],
        );
        assert.deepEqual(readdirSync(defaultFolderBase()), []);
        assert.deepEqual(
            listProcesses().filter(({ argv }) => argv.includes(`-- ${host.host} buildctl`)),
            [],
        );
    });

    it("is refused by what is wrong: its host key, our key, buildctl, the daemon, the host", async () => {
        host.configure({ hostKey: "none" });
        await refusal("builder-ssh-host-key", /ssh does not know the key of the host/);
        host.configure({ hostKey: "changed" });
        await refusal("builder-ssh-host-key", /has another key than the one ssh knows[^]*next: Ask who runs the host/);
        host.configure({ key: "wrong" });
        await refusal("builder-ssh-denied", /takes none of the keys[^]*\| .*Permission denied \(publickey\)/);
        host.configure();
        host.setBuildctl(false);
        await refusal("builder-no-buildctl", /no buildctl on PATH there/);
        host.setBuildctl(true);
        await refusal("builder-refused", /buildkitd does not run there/, host.silentAddress);
        await refusal("builder-refused", /refuses connections to ssh/, `ssh://builder@${host.host}:23`);
        await refusal("builder-unresolvable", /cannot resolve the host/, "ssh://builder@builder.invalid");
        const cut = await world.network.addHost("sshcut");
        await cut.disconnect();
        await refusal("builder-unreachable", /ssh does not reach the host/, `ssh://builder@${cut.address}`);
    });

    it("says that ssh is not there", async () => {
        process.env["PATH"] = "/nowhere";
        try {
            await refusal("tool-missing", /ssh cannot be run[^]*next: Install ssh, or put it on PATH/);
        } finally {
            process.env["PATH"] = `${host.path}${delimiter}${ownPath}`;
        }
    });

    it("builds and pushes, and leaves nothing on this machine", async () => {
        stack.env["PATH"] = `${host.path}${delimiter}${ownPath}`;
        writeContext(stack.folder, "through ssh", "FROM scratch\nCOPY content.txt /");
        const endpoints = [{ platform: "linux/amd64", address: host.address }];
        stack.args = { platforms: ["linux/amd64"], emulation: "allow", builders: { endpoints } };
        const { outputs } = await stack.up();
        const builds = outputs["builds"]?.value as Record<string, BuildReport>;
        assert.equal(builds["linux/amd64"]?.builder, host.address);
        const { platforms } = await stack.view.inspect(`${stack.repository}:latest`, stack.folder);
        assert.deepEqual(platforms, ["linux/amd64"]);
        assert.deepEqual(readdirSync(defaultFolderBase()), []);
        assert.equal((await stack.up()).summary.resourceChanges?.same, 4);
    });
});
