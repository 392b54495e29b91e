import { resolve } from "node:path";
import { boundCost, parseAwsOptions } from "./lib/awsOptions.mjs";
import { countLeft, destroyLeft, listStrays, prepareAwsRun, readRun, writeRun } from "./lib/awsStack.mjs";
import { runMain, say } from "./lib/console.mjs";
import { runMocha } from "./lib/mocha.mjs";
import { goToolNames } from "./lib/goTools.mjs";
import { ensureToolchain } from "./lib/toolchain.mjs";

const HELP = `npm run test:aws -- --region <region> --fleet <file> --up-to-usd <dollars> [options]
npm run test:aws -- --destroy

Makes a fleet of EC2 builders in your own AWS account, builds an image of two platforms on it, waits until the machines turn
themselves off, wakes them by another build, and takes everything away again. It needs 15 to 30 minutes. Nothing else in
this repository asks AWS for anything: all other tests use doubles.

    --region <region>       where; defaults to AWS_REGION
    --fleet <file>          inputs of the fleet as JSON: subnetId and a way to the machines at least, see below
    --up-to-usd <dollars>   your consent: what the run may cost. It does not begin when it could cost more
    --repository <name>     where the image is pushed, with the account that docker knows; defaults to an ECR repository
                            that is made and deleted
    --dockerfile <file>     of the image; defaults to one that runs a step and copies a file
    --dry-run               says what would be made and what it could cost, and asks AWS for nothing
    --destroy               takes away what a run has left that could not do it itself, in the region of that run

For example, by sessions of Session Manager, or on a computer with the public address 203.0.113.7:

    {"subnetId": "subnet-0123456789abcdef0", "addressKind": "ssm"}
    {"subnetId": "subnet-0123456789abcdef0", "allowedCidrs": ["203.0.113.7/32"], "addressKind": "public"}

Credentials are found as every AWS tool finds them. docs/ec2.md has the permissions that are needed.`;

const TIMEOUT_MS = 900_000;

await runMain(async () => {
    const args = process.argv.slice(2);
    if (args.includes("--help") || args.includes("-h")) {
        say(HELP);
        return 0;
    }
    const { options, problems } = parseAwsOptions(args, { lastRegion: readRun()?.region });
    if (problems.length > 0) {
        say(`${problems.map((problem) => `- ${problem}`).join("\n")}\nnpm run test:aws -- --help says more`);
        return 2;
    }
    if (options.destroy) {
        return destroy(options.region);
    }
    const isAllowed = describePlan(options);
    if (options.dryRun) {
        return 0;
    }
    if (!isAllowed) {
        return 2;
    }
    if (countLeft() > 0) {
        say(`an earlier run has left ${countLeft()} resources. ${nextStep(options.region)}`);
        return 2;
    }
    return runTests(options);
});

/**
 * Says what the run makes, and whether it may.
 * @param {import("./lib/awsOptions.mjs").AwsOptions} options
 */
function describePlan({ region, fleet, repository, upToUsd }) {
    const { usd, disksMonthUsd } = boundCost(fleet);
    const image = repository === undefined ? "an ECR repository" : `an image in ${repository}`;
    say(`in ${region}: two machines with their disks, a role, a security group, a parameter, and ${image}`);
    say(`it costs ${dollars(usd)} at most: both machines for two hours, though they are on for minutes`);
    say(`disks that nobody takes away would cost ${dollars(disksMonthUsd)} a month`);
    if (upToUsd !== undefined && upToUsd >= usd) {
        return true;
    }
    say(`to run it, say --up-to-usd ${usd.toFixed(2)}${upToUsd === undefined ? "" : `: ${dollars(upToUsd)} is less`}`);
    return false;
}

/**
 * @param {import("./lib/awsOptions.mjs").AwsOptions} options
 * @returns {Promise<number>}
 */
async function runTests({ region, fleet, repository, dockerfile }) {
    const toolchain = await ensureToolchain({ only: goToolNames.filter(isEngine), system: false });
    const env = prepareAwsRun(toolchain.env, region);
    const described = { region, fleet, repository, ...(dockerfile ? { dockerfile: resolve(dockerfile) } : {}) };
    writeRun(described);
    const mocha = ["--bail", "tests/aws/fleet.test.ts"];
    const { passed, failed, interrupt } = await runMocha(mocha, { name: "aws", env, timeout: TIMEOUT_MS });
    const isGone = await takeAway(toolchain.bin("pulumi"), env, region);
    say(`${passed} passed, ${failed} failed`);
    return failed > 0 || passed === 0 || interrupt !== null || !isGone ? 1 : 0;
}

/** @param {string} region */
async function destroy(region) {
    const toolchain = await ensureToolchain({ only: goToolNames.filter(isEngine), system: false });
    return (await takeAway(toolchain.bin("pulumi"), prepareAwsRun(toolchain.env, region), region)) ? 0 : 1;
}

/**
 * Takes away what is there, also after Ctrl-C, a failure or a killed test: it costs money.
 * @param {string} pulumi the program
 * @param {NodeJS.ProcessEnv} env
 * @param {string} region
 */
async function takeAway(pulumi, env, region) {
    const left = countLeft();
    if (left > 0) {
        say(`taking away the ${left} resources that are still there`);
    }
    if (!(await destroyLeft(pulumi, env))) {
        say(`not everything could be taken away. ${nextStep(region)}`);
        return false;
    }
    const strays = await listStrays(region).catch((/** @type {Error} */ error) => {
        return [`the account could not be asked: ${error.message}`];
    });
    if (strays.length > 0) {
        say(`in the account is still something with the tag of this run:\n${strays.join("\n")}`);
        return false;
    }
    say("nothing is left in the account");
    return true;
}

/** @param {string} name */
function isEngine(name) {
    return name.startsWith("pulumi") || name === "buildx";
}

/** @param {string} region */
function nextStep(region) {
    return `Take it away with: npm run test:aws -- --destroy --region ${region}`;
}

/** @param {number} usd */
function dollars(usd) {
    return `$${usd.toFixed(2)}`;
}
