import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { writeContext } from "../support/images";
import { useImageStack } from "../support/imageStack";
import { inheritedEnv, runTool } from "../support/tools";

const fixture = join(__dirname, "..", "fixtures", "sshKeys");

interface Key {
    readonly pem: string;
    /** What every form of the public key holds: the point on the curve. */
    readonly point: Buffer;
}

function newKey(): Key {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const point = Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    return { pem: String(privateKey.export({ format: "pem", type: "sec1" })), point };
}

/** Keys reach `RUN --mount=type=ssh` from an agent, from files and from the program: each by its id, and no other one. */
describe("a key for ssh", () => {
    const stack = useImageStack(() => ({ platforms: [`linux/${process.arch === "arm64" ? "arm64" : "amd64"}`] }));
    const keys = { agent: newKey(), file: newKey(), text: newKey() };
    let folder: string;
    let socket: string;
    let stopAgent: () => Promise<unknown>;

    before(async () => {
        // The path of a socket is short.
        folder = mkdtempSync(join(tmpdir(), "ssh-"));
        socket = join(folder, "agent");
        const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore", env: inheritedEnv() });
        const ended = once(agent, "exit");
        stopAgent = () => (agent.kill(), ended);
        while (!existsSync(socket)) {
            assert.equal(agent.exitCode, null, "the agent runs");
            await sleep(50);
        }
        await runTool("ssh-add", ["-q", "-"], { env: { SSH_AUTH_SOCK: socket }, input: keys.agent.pem });
        const env = { CGO_ENABLED: "0" };
        await runTool("go", ["build", "-o", join(folder, "list-keys"), join(fixture, "main.go")], { env, cwd: folder });
    });

    after(async () => {
        await stopAgent();
        rmSync(folder, { recursive: true });
    });

    it("comes from an agent, a file or the program, and stays out of image, state and output", async () => {
        const ids = ["agent", "file", "text"] as const;
        const steps = ids.map((id) => `RUN --mount=type=ssh,id=${id} /list-keys >/${id}`);
        const results = ids.map((id) => `COPY --from=0 /${id} /`);
        const dockerfile = ["FROM alpine:latest", "COPY list-keys /", ...steps, "FROM scratch", ...results].join("\n");
        writeContext(stack.folder, "one", dockerfile);
        writeFileSync(join(stack.folder, "app", "list-keys"), readFileSync(join(folder, "list-keys")), { mode: 0o755 });
        const file = join(folder, "id_file");
        writeFileSync(file, keys.file.pem, { mode: 0o600 });
        stack.args = {
            ...stack.args,
            ssh: [
                { id: "agent", paths: [socket] },
                { id: "file", paths: [file] },
                { id: "text", key: keys.text.pem },
            ],
        };
        const { outputs } = await stack.up();
        const pulled = join(folder, "pulled");
        const [digest = ""] = Object.values(outputs["platformDigests"]?.value as Record<string, string>);
        await stack.view.pull(`${stack.repository}@${digest}`, pulled);
        for (const id of ids) {
            const seen = readFileSync(join(pulled, id));
            const holds = ids.filter((other) => seen.includes(keys[other].point));
            assert.deepEqual(holds, [id], `the step with ${id} sees that key alone`);
        }
        const files = readdirSync(join(stack.folder, ".."), { recursive: true })
            .map((name) => join(stack.folder, "..", String(name)))
            .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
        const texts = [stack.output(), ...files.map((path) => readFileSync(path, "latin1"))];
        for (const { pem } of Object.values(keys)) {
            const line = pem.split("\n")[1] ?? "";
            assert.equal(
                texts.some((text) => text.includes(line)),
                false,
            );
        }
    });
});
