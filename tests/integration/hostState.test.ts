import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { findByEnvironment, findChildren } from "../support/processes";

const slow = "FROM alpine:latest\nCOPY content.txt /\nRUN sleep 8\n";

/** Rule 6: a build needs nothing registered on the runner, and leaves nothing behind. */
describe("the machine that runs up", () => {
    const stack = useImageStack(() => ({ platforms: ["linux/amd64"] }));
    let home: string;

    beforeEach(() => {
        home = stack.env["HOME"] ?? "";
    });

    /** Everything below the home and the folder for private files, but the engine's own. */
    const leftOver = (): string[] => {
        return readdirSync(home, { recursive: true })
            .map(String)
            .filter((name) => !name.startsWith(".pulumi"))
            .filter((name) => !/^pulumi-multiarch-\d+$/.test(name));
    };

    it("has nothing of docker or buildx set up before, and nothing left afterwards", async () => {
        writeContext(stack.folder, "one");
        assert.deepEqual(leftOver(), []);
        await stack.up();
        assert.deepEqual(leftOver(), []);
        assert.equal(existsSync(join(stack.folder, ".docker")), false);
    });

    /** Waits until a build holds its keys on disk, and gives the process of the provider that runs it. */
    const findBusyProvider = async (): Promise<number> => {
        const deadline = Date.now() + 60_000;
        while (!leftOver().some((name) => name.endsWith("key.pem"))) {
            assert.ok(Date.now() < deadline, "the build never began");
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const plugins = findByEnvironment(`HOME=${home}`).filter(({ argv }) => argv.includes("dist/plugin/main.js"));
        // A child it is about to start looks like it for a moment; the oldest one is the provider itself.
        const [provider] = plugins.sort((one, other) => one.pid - other.pid);
        assert.ok(provider);
        return provider.pid;
    };

    it("is clean after the provider was told to end in a build", async () => {
        writeContext(stack.folder, `told ${home}`, slow);
        const failed = stack.upFails();
        const pid = await findBusyProvider();
        process.kill(pid, "SIGTERM");
        await failed;
        const deadline = Date.now() + 15_000;
        while (existsSync(`/proc/${pid}`) && Date.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.deepEqual(leftOver(), []);
    });

    it("is swept on the next start when nothing was left that could clean up after a killed build", async () => {
        writeContext(stack.folder, `slow ${home}`, slow);
        const failed = stack.upFails();
        const provider = await findBusyProvider();
        const warden = findChildren(provider).find(({ argv }) => argv.includes("trap '' INT TERM HUP"));
        process.kill(warden?.pid ?? assert.fail("no warden runs"), "SIGKILL");
        process.kill(provider, "SIGKILL");
        await failed;
        assert.ok(leftOver().length > 0);

        await stack.up();
        assert.deepEqual(leftOver(), []);
    });
});
