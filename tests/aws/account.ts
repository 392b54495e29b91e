import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { EC2Client } from "@aws-sdk/client-ec2";
import * as aws from "@pulumi/aws";
import { secret } from "@pulumi/pulumi";
import { LocalWorkspace, type OutputMap, type PulumiFn } from "@pulumi/pulumi/automation";

import { MultiArchImage, type BuildersArgs, type MultiArchImageArgs } from "../../sdk";
import type { FleetSite } from "../support/fleetFlow";
import { writeContext } from "../support/images";
import { runTool } from "../support/tools";

/** What `npm run test:aws` was asked for, as it wrote it down. */
interface Run {
    readonly region: string;
    readonly fleet: NonNullable<BuildersArgs["ec2"]>;
    readonly repository?: string;
    /** A file. */
    readonly dockerfile?: string;
}

const fromEcr = "FROM public.ecr.aws/docker/library/busybox:1.37\nRUN uname -m > /machine\nCOPY content.txt /\n";

/** A stack in a real account. Its state is where the tool that runs the tests finds it again. */
export async function openAccount(): Promise<FleetSite & { close(): void }> {
    const { MULTIARCH_AWS_PROGRAM: folder, MULTIARCH_AWS_PROJECT, MULTIARCH_AWS_STACK } = process.env;
    assert.ok(folder && MULTIARCH_AWS_PROJECT && MULTIARCH_AWS_STACK, "these tests are run by: npm run test:aws");
    const run = JSON.parse(readFileSync(join(dirname(folder), "run.json"), "utf8")) as Run;
    const stack = await LocalWorkspace.createOrSelectStack(
        {
            projectName: MULTIARCH_AWS_PROJECT,
            stackName: MULTIARCH_AWS_STACK,
            program: (() => Promise.resolve(declare(run))) as PulumiFn,
        },
        { workDir: folder, projectSettings: { name: MULTIARCH_AWS_PROJECT, runtime: "nodejs", main: folder } },
    );
    const print = { onOutput: (text: string) => void process.stdout.write(text) };
    const dockerfile = run.dockerfile === undefined ? fromEcr : readFileSync(run.dockerfile, "utf8");
    const ec2 = new EC2Client({ region: run.region });
    let ref = "";
    let token: string | undefined;
    return {
        ec2,
        stackTag: `organization/${MULTIARCH_AWS_PROJECT}/${MULTIARCH_AWS_STACK}`,
        async up() {
            const result = await stack.up(print);
            ref = String(result.outputs["ref"]?.value);
            token = result.outputs["token"]?.value as string | undefined;
            return result;
        },
        destroy: () => stack.destroy(print),
        writeContext: (text) => writeContext(folder, text, dockerfile),
        async platformsOf(digest) {
            assert.ok(ref.endsWith(digest));
            return inspect(ref, token);
        },
        powerOffMs: 600_000,
        close: () => ec2.destroy(),
    };
}

/** The fleet, the image, and where it is pushed. */
function declare({ fleet, repository }: Run): OutputMap {
    const image = (to: Pick<MultiArchImageArgs, "repository" | "registries">): MultiArchImage =>
        new MultiArchImage("app", {
            ...to,
            context: { location: "./app" },
            platforms: ["linux/amd64", "linux/arm64"],
            builders: { ec2: fleet },
        });
    if (repository !== undefined) {
        const { indexDigest, builds, ref } = image({ repository });
        return { indexDigest, builds, ref } as unknown as OutputMap;
    }
    const made = new aws.ecr.Repository("app", { forceDelete: true });
    const account = aws.ecr.getAuthorizationTokenOutput({ registryId: made.registryId });
    const { indexDigest, builds, ref } = image({
        repository: made.repositoryUrl,
        registries: [
            {
                address: made.repositoryUrl.apply((url) => url.split("/")[0] ?? ""),
                username: account.userName,
                password: account.password,
            },
        ],
    });
    return { indexDigest, builds, ref, token: secret(account.authorizationToken) } as unknown as OutputMap;
}

/** Asks buildx, with nothing of ours in between: with the token of ECR, or with the accounts that docker knows here. */
async function inspect(ref: string, token: string | undefined): Promise<string[]> {
    const folder = mkdtempSync(join(tmpdir(), "aws-docker-"));
    try {
        const auths = { [ref.split("/")[0] ?? ""]: { auth: token } };
        writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
        const args = ["imagetools", "inspect", "--format", "{{json .Manifest}}", ref];
        const env: Record<string, string> = token === undefined ? {} : { DOCKER_CONFIG: folder };
        const { manifests } = JSON.parse(await runTool("buildx", args, { env })) as {
            manifests: { platform: { os: string; architecture: string } }[];
        };
        return manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
