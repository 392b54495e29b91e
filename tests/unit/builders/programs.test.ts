import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { preflight } from "../../../sdk/builders/preflight";
import { programCommand } from "../../../sdk/builders/programCommand";
import { explainProgram } from "../../../sdk/builders/programErrors";
import { nodeOn, refusalOf, startBuilder } from "./testBuilders";

describe("what reaches a builder through a program", () => {
    const commandOf = (address: string) => {
        return programCommand({ address }, address.startsWith("ssh") ? "ssh" : "kube-pod");
    };

    it("is what buildx runs for ssh, which asks nobody", () => {
        const quiet = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=4"];
        assert.deepEqual(commandOf("ssh://h.example.com"), {
            file: "ssh",
            args: [...quiet, "--", "h.example.com", "buildctl", "dial-stdio"],
        });
        assert.deepEqual(commandOf("ssh://me@h.example.com:2222/run/b.sock"), {
            file: "ssh",
            args: [
                ...[...quiet, "-l", "me", "-p", "2222", "--", "h.example.com"],
                ...["buildctl", "--addr", "unix:///run/b.sock", "dial-stdio"],
            ],
        });
    });

    it("is what buildx runs for kubectl", () => {
        const where = ["--context=c", "--namespace=n"];
        assert.deepEqual(commandOf("kube-pod://b-0?context=c&namespace=n&container=k"), {
            file: "kubectl",
            args: [...where, "exec", "--container=k", "-i", "b-0", "--", "buildctl", "dial-stdio"],
        });
    });

    it("is nothing for other schemes", () => {
        assert.equal(programCommand({ address: "docker-container://b" }, "docker-container"), undefined);
    });
});

// Most is what kubectl v1.32 printed, asked of a server that answered like the API server, and of none; the time-out and
// what a container runtime says were never seen here. What ssh prints is seen in tests/integration/builderThroughSsh.test.ts.
const cases = [
    ["builder-kube-pod", 1, 'Error from server (NotFound): pods "b-0" not found'],
    ["builder-kube-pod", 1, "error: cannot exec into a container in a completed pod; current phase is Succeeded"],
    [
        "builder-kube-denied",
        1,
        'Error from server (Forbidden): pods "b-0" is forbidden: User "u" cannot get resource "pods"',
    ],
    ["builder-kube-denied", 1, "error: You must be logged in to the server (Unauthorized)"],
    ["builder-kube-context", 1, 'error: context "nope" does not exist'],
    [
        "builder-refused",
        1,
        "The connection to the server 127.0.0.1:18098 was refused - did you specify the right host or port?",
    ],
    [
        "builder-unresolvable",
        1,
        "Unable to connect to the server: dial tcp: lookup k8s.invalid on 10.0.0.53:53: no such host",
    ],
    ["builder-unreachable", 1, "Unable to connect to the server: dial tcp 10.0.0.7:443: i/o timeout"],
    ["builder-no-buildctl", 126, 'exec: "buildctl": executable file not found in $PATH: unknown'],
    ["builder-unreachable", 1, "error: something that nobody has seen before"],
] as const;

describe("what a program fails at", () => {
    const address = "kube-pod://b-0?namespace=n";
    const command = { file: "kubectl", args: [] } as const;
    for (const [code, exitCode, text] of cases) {
        it(`is ${code} for "${text}"`, () => {
            const noise = 'E1126 00:14:41.45 17571 memcache.go:265] "Unhandled Error" err="connection refused"';
            const error = explainProgram(nodeOn(1, { address }), command, {
                exitCode,
                stderrTail: `${noise}\n${text}\n`,
            });
            assert.equal(error.code, code, error.message);
            assert.deepEqual(error.fields.lines, [text]);
        });
    }
});

describe("a builder in a pod", () => {
    let folder = "";
    const ownPath = process.env["PATH"] ?? "";
    const address = "kube-pod://b-0?namespace=n";

    before(() => {
        folder = mkdtempSync(join(tmpdir(), "kubectl-"));
        mkdirSync(join(folder, "bin"));
        process.env["PATH"] = `${join(folder, "bin")}${delimiter}${ownPath}`;
    });

    after(() => {
        process.env["PATH"] = ownPath;
        rmSync(folder, { recursive: true });
    });

    /** A double of kubectl: there is no cluster here. */
    const putKubectl = (script: string): void => {
        writeFileSync(join(folder, "bin", "kubectl"), `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
    };

    it("is asked through kubectl as directly as any other", async () => {
        const server = await startBuilder({ platforms: ["linux/amd64"] });
        const connect = `const c = require("node:net").connect(${server.port}, "127.0.0.1");`;
        putKubectl(`${connect} process.stdin.pipe(c).pipe(process.stdout); c.on("close", () => process.exit());`);
        try {
            const { version, native, notes } = await preflight(nodeOn(1, { address }));
            assert.deepEqual({ version, native, notes }, { version: "v0.31.1", native: true, notes: [] });
        } finally {
            await server.close();
        }
    });

    it("is refused by what kubectl says", async () => {
        putKubectl(`console.error('Error from server (NotFound): pods "b-0" not found'); process.exitCode = 1;`);
        const error = await refusalOf(nodeOn(1, { address }), "builder-kube-pod");
        assert.match(error.message, /there is no such pod that runs[^]*\| Error from server/);
    });

    it("is told from a program that prints something first", async () => {
        putKubectl(`console.log("Welcome!"); setTimeout(() => undefined, 5_000);`);
        const error = await refusalOf(nodeOn(1, { address }), "builder-not-buildkit");
        assert.match(error.message, /Nothing may be printed there/);
    });

    it("is not waited for longer than the time there is", async () => {
        putKubectl("setTimeout(() => undefined, 20_000);");
        const begin = Date.now();
        await refusalOf(nodeOn(1, { address }), "builder-unreachable", 500);
        assert.ok(Date.now() - begin < 3_000);
    });

    it("needs kubectl", async () => {
        rmSync(join(folder, "bin", "kubectl"));
        process.env["PATH"] = join(folder, "bin");
        try {
            const error = await refusalOf(nodeOn(1, { address }), "tool-missing");
            assert.match(error.message, /kubectl cannot be run \(ENOENT\)[^]*next: Install kubectl/);
        } finally {
            process.env["PATH"] = `${join(folder, "bin")}${delimiter}${ownPath}`;
        }
    });
});
