import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, type OutputMap, type Stack } from "@pulumi/pulumi/automation";

import { MultiArchImage, type MultiArchImageArgs } from "../../sdk";
import { startAws, useAccount, type Aws } from "../support/aws";
import { startMachines, type Ec2Machines } from "../support/ec2Machines";
import { serveRelease, type ServedRelease } from "../support/ec2Release";
import { imageArgs, writeContext } from "../support/images";
import { viewRegistry } from "../support/registryView";
import { stackEnv } from "../support/stack";
import { getWorld, type World } from "../support/world";

/**
 * A fleet for everybody: a platform team declares it in YAML, so that our plugin makes it, and another program builds on
 * it through a stack reference. What is real and what is not is told in ec2FromNothing.test.ts.
 */
describe("a fleet that a program in YAML makes", function () {
    this.timeout(300_000);

    let world: World;
    let root: string;
    let account: Aws | undefined;
    let machines: Ec2Machines | undefined;
    let release: ServedRelease | undefined;
    const stacks: Stack[] = [];

    const get = <T>(value: T | undefined): T => value ?? assert.fail("it was not started");
    const place = (...names: string[]): string => join(root, ...names);
    const stateOf = (project: string): string => {
        return readFileSync(place("state", ".pulumi", "stacks", project, "test.json"), "utf8");
    };

    before(async () => {
        world = await getWorld();
        root = mkdtempSync(join(tmpdir(), "multiarch-shared-"));
        ["state", "home", "fleet", "image"].forEach((name) => mkdirSync(place(name)));
        account = await startAws();
        machines = await startMachines(world, account);
        release = await serveRelease(world);
        await writeFleet();
    });
    after(async () => {
        for (const stack of stacks.splice(0).reverse()) {
            await stack.destroy();
        }
        await machines?.remove();
        release?.remove();
        await account?.stop();
        rmSync(root, { recursive: true, force: true });
    });

    /** JSON is YAML: a program needs no library to be written. */
    async function writeFleet(): Promise<void> {
        const { Subnets } = await get(account).clients.ec2.send(new DescribeSubnetsCommand({}));
        const { version, sha256, url } = get(release);
        const properties = {
            subnetId: Subnets?.[0]?.SubnetId ?? "",
            allowedCidrs: ["10.0.0.0/8"],
            platforms: ["linux/amd64"],
            cache: { sizeGiB: 10 },
            buildkit: { version, sha256: { ...sha256 }, ...(url === undefined ? {} : { url }) },
            ssmEndpoint: get(machines).url,
        };
        const program = {
            name: "fleet",
            runtime: "yaml",
            plugins: { providers: [{ name: "multiarch", path: join(__dirname, "..", "..", "bin") }] },
            resources: { builders: { type: "multiarch:Ec2BuilderFleet", properties } },
            outputs: { nodes: "${builders.nodes}", machines: "${builders.machines}" },
        };
        writeFileSync(place("fleet", "Pulumi.yaml"), JSON.stringify(program));
    }

    async function openStack(name: string, program?: () => Promise<OutputMap>): Promise<Stack> {
        const options = { workDir: place(name), envVars: stackEnv(world, place("state"), place("home")) };
        const settings = { name, runtime: "nodejs", main: place(name) } as const;
        const stack =
            program === undefined
                ? await LocalWorkspace.createOrSelectStack({ stackName: "test", workDir: place(name) }, options)
                : await LocalWorkspace.createOrSelectStack(
                      { stackName: "test", projectName: name, program },
                      { ...options, projectSettings: settings },
                  );
        useAccount({ stack }, get(account), get(machines).env);
        stacks.push(stack);
        return stack;
    }

    it("is made by our plugin, with its nodes as a secret", async () => {
        const stack = await openStack("fleet");
        const { outputs } = await stack.up();
        assert.equal(outputs["nodes"]?.secret, true);
        assert.equal(outputs["machines"]?.secret, false);
        const made = outputs["machines"].value as { instanceId: string }[];
        const ids = made.map(({ instanceId }) => instanceId);
        assert.deepEqual(ids, [...get(machines).hosts.keys()]);
        assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
    });

    it("builds an image of another stack, which has it by a reference and keeps no key in clear", async () => {
        const repository = world.newRepository();
        const stack = await openStack("image", () => {
            const fleet = new pulumi.StackReference("organization/fleet/test");
            const nodes = fleet.requireOutput("nodes") as pulumi.Output<
                NonNullable<pulumi.Unwrap<MultiArchImageArgs["builders"]>["nodes"]>
            >;
            const platforms = ["linux/amd64"];
            const image = new MultiArchImage("app", {
                ...imageArgs(world, repository),
                platforms,
                builders: { nodes },
            });
            const { indexDigest, builds } = image;
            return Promise.resolve({ indexDigest, builds } as unknown as OutputMap);
        });
        writeContext(place("image"), "one");
        let printed = "";
        const { outputs } = await stack.up({ onOutput: (text) => void (printed += text) });
        const found = await viewRegistry(world).inspect(`${repository}@${String(outputs["indexDigest"]?.value)}`, root);
        assert.deepEqual(found.platforms, ["linux/amd64"]);
        const [id] = get(machines).hosts.keys();
        assert.ok(JSON.stringify(outputs["builds"]?.value).includes(`EC2 instance ${id ?? ""} in eu-central-1`));
        for (const text of [stateOf("fleet"), stateOf("image"), printed]) {
            assert.doesNotMatch(text, /-----BEGIN (EC )?PRIVATE KEY/);
        }
        assert.deepEqual(Object.keys((await stack.up()).summary.resourceChanges ?? {}), ["same"]);
        const left = readdirSync(place("home"), { recursive: true }).map(String);
        assert.deepEqual(
            left.filter((name) => name.endsWith(".pem")),
            [],
        );
    });
});
