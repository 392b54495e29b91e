import { existsSync, readFileSync } from "node:fs";

/**
 * What `npm run test:aws` was asked for.
 * @typedef {object} AwsOptions
 * @property {string} region
 * @property {FleetInputs} fleet inputs of the fleet, as a program would give them
 * @property {string | undefined} repository where the image is pushed; an ECR repository is made when not given
 * @property {string | undefined} dockerfile that of the image; one that runs a step when not given
 * @property {number | undefined} upToUsd what the run may cost
 * @property {boolean} dryRun
 *
 * The inputs that matter here; all others are passed on.
 * @typedef {{
 *     subnetId?: string, subnetIds?: string[], allowedCidrs?: string[], addressKind?: string,
 *     instanceTypes?: Record<string, string[]>, hourlyUsd?: Record<string, number>, cache?: { sizeGiB?: number },
 * }} FleetInputs
 */

// Small: what is tested does not depend on their size. The file may say otherwise.
const defaults = {
    instanceTypes: { "linux/amd64": ["m7i.large"], "linux/arm64": ["m7g.large"] },
    cache: { sizeGiB: 20 },
    idleMinutes: 2,
};

// What the bound rests on, whatever the file says.
const fixed = { deadManHours: 1, cacheOnDestroy: "delete" };

// Twice of what us-east-1 asks, since regions differ and this is a bound. https://aws.amazon.com/ec2/pricing/on-demand/
const dearestUsd = { "m7i.large": 0.21, "m7g.large": 0.17 };
const gigabyteMonthUsd = 0.16;

// The tests end after one hour at the latest. A machine that nobody takes away turns itself off after one more.
const mostHours = 2;
const rootGiB = 8;
const hoursOfMonth = 730;
// The repository and traffic: a few megabytes.
const restUsd = 0.05;

// More machines, disks that cost more, and requests that outlive both.
const refused = ["spot", "nodesPerPlatform", "cache.iops", "cache.throughput"];

const values = ["--region", "--fleet", "--repository", "--dockerfile", "--up-to-usd"];
const switches = ["--dry-run"];

/**
 * Reads the arguments. All that is wrong is told at once.
 * @param {readonly string[]} argv
 * @param {NodeJS.ProcessEnv} [env] where a region may stand as well
 * @returns {{ options: AwsOptions, problems: string[] }}
 */
export function parseAwsOptions(argv, env = process.env) {
    /** @type {Map<string, string>} */
    const given = new Map();
    /** @type {string[]} */
    const problems = [];
    for (let position = 0; position < argv.length; position += 1) {
        const [name = "", ...inline] = (argv[position] ?? "").split("=");
        if (switches.includes(name)) {
            given.set(name, "");
        } else if (values.includes(name)) {
            const value = inline.length > 0 ? inline.join("=") : argv[(position += 1)];
            given.set(name, value ?? "");
            if (value === undefined || value === "") {
                problems.push(`${name} needs a value`);
            }
        } else {
            problems.push(`there is no option ${name}`);
        }
    }
    const region = given.get("--region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "";
    if (region === "") {
        problems.push("--region is missing, and AWS_REGION is not set");
    }
    const fleet = readFleet(given.get("--fleet"), problems);
    const limit = given.get("--up-to-usd");
    const upToUsd = limit === undefined ? undefined : Number(limit);
    if (upToUsd !== undefined && !(upToUsd > 0)) {
        problems.push(`--up-to-usd is a number of US dollars, not ${limit}`);
    }
    const dockerfile = given.get("--dockerfile");
    if (dockerfile !== undefined && dockerfile !== "" && !existsSync(dockerfile)) {
        problems.push(`--dockerfile: there is no file ${dockerfile}`);
    }
    const options = { region, fleet, repository: given.get("--repository"), dockerfile, upToUsd };
    return { options: { ...options, dryRun: given.has("--dry-run") }, problems };
}

/**
 * @param {string | undefined} file
 * @param {string[]} problems takes what is wrong
 * @returns {FleetInputs}
 */
function readFleet(file, problems) {
    if (file === undefined || file === "") {
        problems.push("--fleet is missing: a JSON file with inputs of the fleet");
        return {};
    }
    /** @type {unknown} */
    let read;
    try {
        read = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        problems.push(`--fleet: ${file} cannot be read as JSON: ${error instanceof Error ? error.message : error}`);
        return {};
    }
    if (typeof read !== "object" || read === null || Array.isArray(read)) {
        problems.push(`--fleet: ${file} has to hold one object`);
        return {};
    }
    /** @type {FleetInputs} */
    const given = read;
    for (const name of refused.filter((one) => one.split(".").reduce(pick, given) !== undefined)) {
        problems.push(`${name} is not for this test: it is made for one machine on demand for each platform`);
    }
    const prices = Object.entries(given.hourlyUsd ?? {});
    problems.push(
        ...prices
            .filter(([, usd]) => !(usd > 0))
            .map(([type]) => `hourlyUsd[${JSON.stringify(type)}] has to be above 0`),
    );
    const instanceTypes = { ...defaults.instanceTypes, ...given.instanceTypes };
    const lists = Object.entries(instanceTypes).filter(([, types]) => !Array.isArray(types));
    if (lists.length > 0) {
        problems.push(...lists.map(([platform]) => `instanceTypes[${JSON.stringify(platform)}] has to be a list`));
        return {};
    }
    const fleet = { ...defaults, ...given, ...fixed, instanceTypes };
    if (fleet.subnetId === undefined && fleet.subnetIds === undefined) {
        problems.push("subnetId is missing: where the machines are");
    }
    if ((fleet.allowedCidrs ?? []).length === 0 && fleet.addressKind !== "ssm") {
        problems.push(
            'allowedCidrs is missing: where this computer connects from; or addressKind: "ssm", where nobody has to',
        );
    }
    for (const type of new Set(Object.values(instanceTypes).flat())) {
        if (priceOf(fleet, type) === undefined) {
            problems.push(`hourlyUsd[${JSON.stringify(type)}] is missing: what the run may cost follows from it`);
        }
    }
    return fleet;
}

/**
 * @param {any} value
 * @param {string} name
 */
function pick(value, name) {
    return value?.[name];
}

/**
 * The most that a run costs in US dollars, with everything that has to go wrong for it.
 * @param {FleetInputs} fleet
 */
export function boundCost(fleet) {
    const { instanceTypes = {}, cache: { sizeGiB = 100 } = {} } = fleet;
    const dearest = Object.values(instanceTypes).map((types) => {
        return Math.max(...types.map((type) => priceOf(fleet, type) ?? 0));
    });
    const machines = dearest.reduce((sum, price) => sum + price * mostHours, 0);
    const gigabytes = (sizeGiB + rootGiB) * dearest.length;
    const disks = (gigabytes * gigabyteMonthUsd * mostHours) / hoursOfMonth;
    return { usd: roundUp(machines + disks + restUsd), disksMonthUsd: roundUp(gigabytes * gigabyteMonthUsd) };
}

/**
 * @param {FleetInputs} fleet
 * @param {string} type
 * @returns {number | undefined}
 */
function priceOf({ hourlyUsd = {} }, type) {
    return hourlyUsd[type] ?? /** @type {Record<string, number>} */ (dearestUsd)[type];
}

/** @param {number} usd */
function roundUp(usd) {
    return Math.ceil(usd * 100 - 1e-9) / 100;
}
