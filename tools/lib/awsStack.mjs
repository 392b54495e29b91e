import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { say } from "./console.mjs";
import { passThrough } from "./exec.mjs";
import { cacheDir, ensureDir, repoRoot } from "./paths.mjs";
import { writePrivate } from "./privateFile.mjs";
import { dropStaleLocks } from "./stackLocks.mjs";
import { readJson } from "./stamp.mjs";

/** What the run keeps until everything in the account is gone again. */
const awsRunDir = join(cacheDir, "testAws");

/** The project and the stack, which are in the tags of everything that is made. */
export const awsStack = { project: "multiarch-test-aws", stack: "test" };

const STRAYS_MS = 60_000;
const ENGINE_MS = 900_000;

const stateDir = join(awsRunDir, "state");
const programDir = join(awsRunDir, "program");

/**
 * Makes the folders of a run, and gives the environment of its engine. The state outlives a run that is killed.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} region
 * @returns {NodeJS.ProcessEnv}
 */
export function prepareAwsRun(env, region) {
    [stateDir, programDir].forEach(ensureDir);
    writeFileSync(join(programDir, "Pulumi.yaml"), `name: ${awsStack.project}\nruntime: nodejs\n`);
    const passphrase = join(awsRunDir, "passphrase");
    if (!existsSync(passphrase)) {
        writePrivate(passphrase, randomBytes(24).toString("base64"));
    }
    // The state is read here too: it has to be as Pulumi writes it by default.
    const own = Object.keys(env).filter((name) => /^PULUMI_(DIY_BACKEND|SELF_MANAGED_STATE)_/.test(name));
    return {
        ...env,
        ...Object.fromEntries(own.map((name) => [name, undefined])),
        PATH: [join(repoRoot, "bin"), env["PATH"] ?? ""].join(delimiter),
        AWS_REGION: region,
        PULUMI_BACKEND_URL: `file://${stateDir}`,
        PULUMI_CONFIG_PASSPHRASE: undefined,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        MULTIARCH_AWS_PROGRAM: programDir,
        MULTIARCH_AWS_PROJECT: awsStack.project,
        MULTIARCH_AWS_STACK: awsStack.stack,
    };
}

/**
 * Writes down what a run was asked for, for its tests and for who takes it away.
 * @param {object} run
 */
export function writeRun(run) {
    writeFileSync(join(awsRunDir, "run.json"), JSON.stringify(run));
}

/**
 * The last run, where there is something left of it.
 * @returns {{ region: string } | undefined}
 */
export function readRun() {
    return readJson(join(awsRunDir, "run.json"));
}

/** How many resources a run has left in the account, by the state that it kept. */
export function countLeft() {
    const folder = join(stateDir, ".pulumi", "stacks", awsStack.project);
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const known = `${awsStack.stack}.json`;
    // A state in a form that is not known here counts: its folder must not be deleted.
    const others = files.filter((name) => name !== known && name !== `${known}.bak` && !name.endsWith(".attrs"));
    if (!files.includes(known)) {
        return others.length;
    }
    const { checkpoint } = JSON.parse(readFileSync(join(folder, known), "utf8"));
    const { resources = [], pending_operations: pending = [] } = checkpoint.latest ?? {};
    return resources.length + pending.length + others.length;
}

/**
 * Takes away what a run has left in the account, in front of the user.
 * @param {string} pulumi the program
 * @param {NodeJS.ProcessEnv} env that of `prepareAwsRun`
 * @returns {Promise<boolean>} whether everything that the state knows is gone
 */
export async function destroyLeft(pulumi, env) {
    if (!(await waitForEngine())) {
        return false;
    }
    if (countLeft() > 0) {
        const run = (/** @type {string[]} */ args) => {
            const argv = [pulumi, ...args, "--stack", awsStack.stack, "--yes", "--skip-preview", "--non-interactive"];
            return passThrough(argv, { cwd: programDir, env });
        };
        // What was being made when it was killed is not in the state: `listStrays` finds it.
        await run(["refresh", "--clear-pending-creates"]);
        await run(["destroy"]);
    }
    if (countLeft() > 0) {
        return false;
    }
    rmSync(awsRunDir, { recursive: true, force: true });
    return true;
}

/** An engine that was told to end finishes what it has begun. Two at once would lose what one of them has made. */
async function waitForEngine() {
    const until = Date.now() + ENGINE_MS;
    for (let told = false; ; told = true) {
        const { holders } = dropStaleLocks(stateDir);
        if (holders.length === 0) {
            return true;
        }
        if (Date.now() > until) {
            return false;
        }
        if (!told) {
            say(`waiting for the engine that still works in this stack (process ${holders.join(", ")})`);
        }
        await sleep(1_000);
    }
}

/**
 * The machines and disks with the tag of the run that are in the account although no state knows them: those that were
 * being made when the run was killed. They cost money.
 * @param {string} region
 * @returns {Promise<string[]>} a command for each that takes it away
 */
export async function listStrays(region) {
    const { DescribeInstancesCommand, DescribeVolumesCommand, EC2Client } = await import("@aws-sdk/client-ec2");
    const client = new EC2Client({ region });
    const Filters = [{ Name: "tag:multiarch:stack", Values: [`organization/${awsStack.project}/${awsStack.stack}`] }];
    const list = async () => {
        const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters }));
        const { Volumes = [] } = await client.send(new DescribeVolumesCommand({ Filters }));
        const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
        return [
            ...instances
                .filter(({ State }) => !["shutting-down", "terminated"].includes(State?.Name ?? ""))
                .map(({ InstanceId }) => `aws ec2 terminate-instances --region ${region} --instance-ids ${InstanceId}`),
            ...Volumes.filter(({ State }) => State !== "deleting" && State !== "deleted").map(
                ({ VolumeId }) => `aws ec2 delete-volume --region ${region} --volume-id ${VolumeId}`,
            ),
        ];
    };
    try {
        // The root disk of a machine goes some seconds after the machine.
        const until = Date.now() + STRAYS_MS;
        let strays = await list();
        while (strays.length > 0 && Date.now() < until) {
            await sleep(5_000);
            strays = await list();
        }
        return strays;
    } finally {
        client.destroy();
    }
}
