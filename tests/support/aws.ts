import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { SSMClient } from "@aws-sdk/client-ssm";

import type { Clients } from "./awsPlugin/resource";
import type { TestStack } from "./stack";
import { loadTools } from "./toolLibrary";

/** A double of an AWS account: moto, and a provider `aws` of the engine that asks it. */
export interface Aws {
    /** What the engine and every AWS SDK need to find it, and nothing of the user's own account. */
    readonly env: Readonly<Record<string, string>>;
    /** The folder with the provider's program, for PATH. */
    readonly bin: string;
    /** The real SDK's clients, to look at what is there. */
    readonly clients: Clients;
    /** The configuration of those clients, for one that asks at another place. */
    readonly client: { region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
    stop(): Promise<void>;
}

const repository = join(__dirname, "..", "..");

/** Starts an account with nothing in it but what a new one has. */
export async function startAws(): Promise<Aws> {
    const tools = await loadTools();
    const moto = await tools.ensureMoto();
    const folder = mkdtempSync(join(tmpdir(), "multiarch-aws-"));
    const host = "127.0.0.1";
    const { url, stop } = await tools.startMoto({
        ...moto,
        dir: join(folder, "moto"),
        host,
        port: await freePort(host),
    });
    const credentials = { accessKeyId: "id", secretAccessKey: "only for tests" };
    const client = { region: "eu-central-1", endpoint: url, credentials };
    return {
        env: {
            AWS_ACCESS_KEY_ID: credentials.accessKeyId,
            AWS_EC2_METADATA_DISABLED: "true",
            AWS_ENDPOINT_URL: url,
            AWS_REGION: client.region,
            AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        },
        bin: writePlugin(join(folder, "bin")),
        client: { region: client.region, credentials },
        clients: { ec2: new EC2Client(client), iam: new IAMClient(client), ssm: new SSMClient(client) },
        async stop() {
            await stop();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}

/** Lets a stack run in an account: `env` says where that is, by default the account itself. */
export function useAccount({ stack }: Pick<TestStack, "stack">, account: Aws, env = account.env): void {
    const { envVars } = stack.workspace;
    Object.assign(envVars, env, { PATH: `${account.bin}:${envVars["PATH"] ?? ""}` });
}

/** Writes the program that the engine looks for on PATH. Its version is what the package of the real provider asks for. */
function writePlugin(bin: string): string {
    const description = readFileSync(join(repository, "node_modules", "@pulumi", "aws", "package.json"), "utf8");
    const { version } = (JSON.parse(description) as { pulumi: { version: string } }).pulumi;
    const main = join(repository, "tests", "support", "awsPlugin", "main.ts");
    const register = join(repository, "node_modules", "ts-node", "register", "transpile-only");
    const argv = [process.execPath, "-r", register, main].map((part) => `'${part}'`).join(" ");
    const project = join(repository, "tsconfig.json");
    const env = `TS_NODE_PROJECT='${project}' AWS_PLUGIN_VERSION='${version}'`;
    mkdirSync(bin);
    writeFileSync(join(bin, "pulumi-resource-aws"), `#!/bin/sh\n${env} exec ${argv}\n`, { mode: 0o755 });
    return bin;
}

function freePort(host: string): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once("error", reject);
        server.listen(0, host, () => {
            const { port } = server.address() as AddressInfo;
            server.close(() => resolve(port));
        });
    });
}
