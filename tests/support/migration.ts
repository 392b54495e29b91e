import {
    chmodSync,
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";

import { installPackage } from "./installedPackage";
import { stackEnv } from "./stack";
import { runTool } from "./tools";
import type { World } from "./world";

/** The examples of moving over, in a folder of their own where the package is installed as for users. */
export interface Migration {
    /** The folder that stands for examples/migrate. */
    readonly folder: string;
    /** The environment that both sides run in: accounts in docker's configuration, buildx builders in a private folder. */
    readonly env: Readonly<Record<string, string>>;
    /** What a program reads of builders and registry. */
    readonly settings: Readonly<Record<string, string>>;
    /** The folder with ca.pem, cert.pem and key.pem for the builders. */
    readonly certificates: string;
    /** A stack of the program in a folder. */
    openStack(program: string, settings: Readonly<Record<string, string>>): Promise<Stack>;
    /** Ends all stacks, and takes everything away. */
    remove(): Promise<void>;
}

/** Prepares the examples. */
export async function prepareMigration(world: World): Promise<Migration> {
    const root = mkdtempSync(join(tmpdir(), "multiarch-migrate-"));
    const place = (...names: string[]): string => join(root, ...names);
    ["state", "home", "bin", "docker", "certificates"].forEach((name) => mkdirSync(place(name)));
    cpSync("examples/migrate", place("migrate"), { recursive: true });
    installPackage(place("migrate", "node_modules"));
    const tls = await world.issueClient();
    const write = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600 });
    Object.entries(tls).forEach(([name, text]) => write(place("certificates", `${name}.pem`), text));
    const auth = Buffer.from(`${world.username}:${world.password}`).toString("base64");
    write(place("docker", "config.json"), JSON.stringify({ auths: { [world.registry]: { auth } } }));
    // The toolchain has buildx alone, which docker would start in the same way.
    writeFileSync(place("bin", "docker"), '#!/bin/sh\n[ "$1" = buildx ] && shift && exec buildx "$@"\nexit 64\n');
    chmodSync(place("bin", "docker"), 0o755);
    const env = {
        ...stackEnv(world, place("state"), place("home")),
        PATH: `${place("bin")}:${process.env["PATH"] ?? ""}`,
        DOCKER_CONFIG: place("docker"),
    };
    const stacks: Stack[] = [];
    const { amd64, arm64 } = world.builders;
    return {
        folder: place("migrate"),
        env,
        certificates: place("certificates"),
        settings: {
            registry: world.registry,
            username: world.username,
            password: world.password,
            amd64Builder: amd64.endpoint.address,
            arm64Builder: arm64.endpoint.address,
            builderCa: tls.ca,
            builderCert: tls.cert,
            builderKey: tls.key,
        },
        async openStack(program, settings) {
            allowEmulation(program);
            symlinkSync(place("migrate", "node_modules"), join(program, "node_modules"));
            const stack = await LocalWorkspace.createOrSelectStack(
                { stackName: `stack${stacks.length}`, workDir: program },
                { envVars: env },
            );
            stacks.push(stack);
            const secrets = ["password", "builderKey"];
            const entries = Object.entries(settings).map(
                ([name, value]) => [name, { value, secret: secrets.includes(name) }] as const,
            );
            await stack.setAllConfig(Object.fromEntries(entries));
            return stack;
        },
        async remove() {
            try {
                await Promise.all(stacks.map((stack) => stack.destroy()));
            } finally {
                rmSync(root, { recursive: true, force: true });
            }
        },
    };
}

/**
 * One of the two builders of the tests is emulated, which a program has to allow. Nobody should copy that from an
 * example, so it is added here, to the copy that runs.
 */
function allowEmulation(program: string): void {
    for (const name of ["index.ts", "Pulumi.yaml"]) {
        const file = join(program, name);
        if (existsSync(file)) {
            const text = readFileSync(file, "utf8");
            const [line, indent = ""] = /^( +)builders:(?! &).*$/m.exec(text) ?? [];
            if (line !== undefined) {
                const quoted = name === "index.ts" ? '"allow",' : "allow";
                writeFileSync(file, text.replace(line, `${indent}emulation: ${quoted}\n${line}`));
            }
        }
    }
}

/** Gives buildx a builder for each platform, under the names that the docker-build example has. */
export async function createBuilders(world: World, { env, certificates }: Migration): Promise<void> {
    const tls = ["ca", "cert", "key"].map((name) => `${name === "ca" ? "cacert" : name}=${certificates}/${name}.pem`);
    for (const [architecture, { endpoint }] of Object.entries(world.builders)) {
        const args = ["create", "--name", `site-${architecture}`, "--driver", "remote", "--driver-opt", tls.join(",")];
        await runTool("buildx", [...args, "--platform", endpoint.platform, endpoint.address], { env: { ...env } });
    }
}
