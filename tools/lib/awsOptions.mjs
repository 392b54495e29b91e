import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

/**
 * What `npm run test:aws` was asked for.
 * @typedef {object} AwsOptions
 * @property {string} region
 * @property {FleetInputs} fleet inputs of the fleet, as a program would give them
 * @property {string | undefined} repository where the image is pushed; an ECR repository is made when not given
 * @property {string | undefined} dockerfile that of the image; one that runs a step when not given
 * @property {number | undefined} upToUsd what the run may cost
 * @property {boolean} dryRun
 * @property {boolean} destroy takes away what an earlier run has left, and does nothing else
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

/** @type {Record<string, { type: "string" | "boolean" }>} */
const known = {
    region: { type: "string" },
    fleet: { type: "string" },
    repository: { type: "string" },
    dockerfile: { type: "string" },
    "up-to-usd": { type: "string" },
    "dry-run": { type: "boolean" },
    destroy: { type: "boolean" },
};

/**
 * Reads the arguments. All that is wrong is told at once.
 * @param {readonly string[]} argv
 * @param {object} [circumstances]
 * @param {NodeJS.ProcessEnv} [circumstances.env] where a region may stand as well
 * @param {string} [circumstances.lastRegion] that of the run that has left something
 * @returns {{ options: AwsOptions, problems: string[] }}
 */
export function parseAwsOptions(argv, { env = process.env, lastRegion } = {}) {
    // It would throw at the first problem when it were strict.
    const { values, positionals } = parseArgs({ args: [...argv], options: known, strict: false });
    const unknown = Object.keys(values).filter((name) => !(name in known));
    const problems = [...unknown.map((name) => `--${name}`), ...positionals].map(
        (name) => `there is no option ${name}`,
    );
    /** @param {string} name */
    const text = (name) => {
        const value = values[name];
        if (value === true || value === "") {
            problems.push(`--${name} needs a value`);
        }
        return typeof value === "string" ? value : undefined;
    };
    const destroy = values["destroy"] === true;
    const region =
        text("region") ?? (destroy ? lastRegion : undefined) ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "";
    if (region === "") {
        problems.push("--region is missing, and AWS_REGION is not set");
    }
    const file = text("fleet");
    const fleet = destroy ? {} : readFleet(file, problems);
    const limit = text("up-to-usd");
    const upToUsd = limit === undefined ? undefined : Number(limit);
    if (upToUsd !== undefined && !(upToUsd > 0)) {
        problems.push(`--up-to-usd is a number of US dollars, not ${limit}`);
    }
    const dockerfile = text("dockerfile");
    if (dockerfile !== undefined && dockerfile !== "" && !existsSync(dockerfile)) {
        problems.push(`--dockerfile: there is no file ${dockerfile}`);
    }
    const dryRun = values["dry-run"] === true;
    const options = { region, fleet, repository: text("repository"), dockerfile, upToUsd, dryRun, destroy };
    return { options, problems };
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
